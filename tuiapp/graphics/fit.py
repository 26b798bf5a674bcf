"""Fits a picture into a box of pixels: where it lies, and the canvas with the background around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuiapp.graphics.frame import Fit, Rgb

U8 = NDArray[np.uint8]

# From this magnification on the pixels themselves are of interest (mask editing): no smoothing.
_NEAREST_FROM_SCALE = 6.0


@dataclass(frozen=True)
class Placement:
    """The part of the picture that is seen and where it lies in the box, all in pixels.

    `source` is (left, top, right, bottom) in the picture, `target` the same in the box.
    """

    source: tuple[float, float, float, float]
    target: tuple[int, int, int, int]


def place(
    picture_px: tuple[int, int], box_px: tuple[int, int], fit: Fit, pixel_aspect: float = 1.0
) -> Placement:
    """Both sizes are (width, height) >= 1. `pixel_aspect`: width over height of a box pixel."""
    picture_w, picture_h = picture_px
    box_w, box_h = box_px
    if fit is Fit.STRETCH:
        return Placement((0, 0, picture_w, picture_h), (0, 0, box_w, box_h))
    scale_x, scale_y = box_w / picture_w, box_h / picture_h
    # Scales are in box pixels; the vertical one fixes the picture's scale on the screen.
    scale = {
        Fit.CONTAIN: min(scale_x * pixel_aspect, scale_y),
        Fit.COVER: max(scale_x * pixel_aspect, scale_y),
        Fit.ACTUAL: 1.0,
    }[fit]
    left, right, from_x, to_x = _span(picture_w, box_w, scale / pixel_aspect)
    top, bottom, from_y, to_y = _span(picture_h, box_h, scale)
    return Placement((from_x, from_y, to_x, to_y), (left, top, right, bottom))


def _span(picture: int, box: int, scale: float) -> tuple[int, int, float, float]:
    """One axis: first and last+1 box pixel, first and last+1 picture pixel, centred."""
    shown = max(1, min(box, round(picture * scale)))
    first = (box - shown) // 2
    cut_off = picture * scale - shown >= 1.0  # less is rounding, not a crop
    seen = shown / scale if cut_off else float(picture)
    start = (picture - seen) / 2
    return first, first + shown, start, start + seen


def compose(
    rgb_u8: U8,
    box_px: tuple[int, int],
    fit: Fit,
    background_rgb: Rgb,
    *,
    pixel_aspect: float = 1.0,
    detail: float = 1.0,
) -> tuple[U8, tuple[int, int, int, int]]:
    """A canvas (box height, box width, 3) with the picture (h, w, 3) on `background_rgb`.

    Returns the canvas and the picture's (left, top, right, bottom) in it. `detail` < 1 draws it
    coarser, with fewer distinct pixels, for slow links.
    """
    height, width = rgb_u8.shape[:2]
    placement = place((width, height), box_px, fit, pixel_aspect)
    canvas = np.empty((box_px[1], box_px[0], 3), np.uint8)
    canvas[:] = background_rgb
    left, top, right, bottom = placement.target
    canvas[top:bottom, left:right] = _scaled(
        rgb_u8, placement.source, (right - left, bottom - top), detail
    )
    return canvas, placement.target


def _scaled(
    rgb_u8: U8, source: tuple[float, float, float, float], size_px: tuple[int, int], detail: float
) -> U8:
    if detail < 1.0:
        coarse = (max(1, int(size_px[0] * detail)), max(1, int(size_px[1] * detail)))
        return _coarsened(_scaled(rgb_u8, source, coarse, 1.0), size_px)
    whole = (0, 0, rgb_u8.shape[1], rgb_u8.shape[0])
    if source == whole and size_px == whole[2:]:
        return rgb_u8
    scale = size_px[0] / max(source[2] - source[0], 1e-6)
    method = _resampling(scale)
    image = Image.fromarray(np.ascontiguousarray(rgb_u8))
    # reducing_gap: shrink large pictures by whole steps first; 2.0 is visually lossless.
    scaled = image.resize(size_px, method, box=source, reducing_gap=2.0 if scale < 1 else None)
    return np.asarray(scaled)


def _resampling(scale: float) -> Image.Resampling:
    if scale >= _NEAREST_FROM_SCALE:
        return Image.Resampling.NEAREST
    return Image.Resampling.BILINEAR


def _coarsened(rgb_u8: U8, size_px: tuple[int, int]) -> U8:
    image = Image.fromarray(np.ascontiguousarray(rgb_u8))
    return np.asarray(image.resize(size_px, Image.Resampling.NEAREST))
