"""From a merged frame to the picture that a viewer asked for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.protocol.merge_commands import MergeView
from engine.stages.merge_session.window import Window

Pixels = NDArray[np.uint8]

# DeepFaceLab's alpha view (pipeline specification 9.3): 0.75 image + 64 checker (1 - alpha).
ALPHA_IMAGE_PART = 0.75
CHECKER_GREY = 64
CHECKER_SIDE_PX = 16
WIPE_LINE_BGR = (255, 255, 255)


@dataclass(frozen=True)
class Layers:
    """What views are made of: (h, w, 3) uint8 BGR twice and (h, w) uint8, each at any resolution.

    covers_frame: they show the whole frame; else the square of raw-predict, without what is around.
    """

    result: Pixels
    original: Pixels
    mask: Pixels
    covers_frame: bool = True


def draw(layers: Layers, view: MergeView, window: Window, frame_wh: tuple[int, int]) -> Pixels:
    """The picture, (h, w, 3) uint8 BGR or (h, w) for the mask, of the window's size; two of them
    side by side in the view "side"."""

    def cut(layer: Pixels) -> Pixels:
        return _cut(layer, window, frame_wh) if layers.covers_frame else _fit(layer, window)

    if view.view == "original":
        return cut(layers.original)
    if view.view == "mask":
        return cut(layers.mask)
    result = cut(layers.result)
    if view.view == "alpha":
        return over_checkerboard(result, cut(layers.mask))
    if view.view == "wipe":
        return wiped(result, cut(layers.original), view.wipe)
    if view.view == "side":
        return np.hstack((cut(layers.original), result))
    return result


def over_checkerboard(picture_bgr_u8: Pixels, mask_u8: Pixels) -> Pixels:
    """The picture darkened, with a checkerboard shining through where the mask is not."""
    height, width = mask_u8.shape
    rows, columns = np.arange(height) // CHECKER_SIDE_PX, np.arange(width) // CHECKER_SIDE_PX
    checker = ((rows[:, None] + columns[None]) % 2).astype(np.float32)
    light = CHECKER_GREY * checker * (1 - mask_u8.astype(np.float32) / 255)
    mixed = picture_bgr_u8.astype(np.float32) * ALPHA_IMAGE_PART + light[..., None]
    return mixed.astype(np.uint8)


def wiped(result: Pixels, original: Pixels, part: float) -> Pixels:
    """The result up to `part` of the width, then a line and the original."""
    width = result.shape[1]
    column = round(min(max(part, 0.0), 1.0) * width)
    picture = original.copy()
    picture[:, :column] = result[:, :column]
    if 0 < column < width:
        picture[:, column] = WIPE_LINE_BGR
    return picture


def thumbnail(layer: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """The whole layer at that size."""
    return _resized(layer, size_wh)


def _cut(layer: Pixels, window: Window, frame_wh: tuple[int, int]) -> Pixels:
    height, width = layer.shape[:2]
    across, down = width / frame_wh[0], height / frame_wh[1]
    left = min(round(window.left * across), width - 1)
    top = min(round(window.top * down), height - 1)
    right = max(left + 1, min(width, round((window.left + window.width) * across)))
    bottom = max(top + 1, min(height, round((window.top + window.height) * down)))
    return _resized(layer[top:bottom, left:right], window.picture_wh)


def _fit(layer: Pixels, window: Window) -> Pixels:
    """The whole layer as large as the window's picture allows."""
    height, width = layer.shape[:2]
    scale = min(window.picture_wh[0] / width, window.picture_wh[1] / height)
    return _resized(layer, (max(1, round(width * scale)), max(1, round(height * scale))))


def _resized(layer: Pixels, size_wh: tuple[int, int]) -> Pixels:
    height, width = layer.shape[:2]
    if (width, height) == size_wh:
        return np.ascontiguousarray(layer)
    shrinks = size_wh[0] < width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: Pixels = cv2.resize(layer, size_wh, interpolation=how)
    return resized
