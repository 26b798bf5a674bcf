"""Filters of pictures, (h, w, 3) float32, 0..1 where not said otherwise."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.media.levels import unit_floats

Floats = NDArray[np.float32]

MEDIAN_PX = 5
PALETTE_COLOURS = 256


def sharpen_box(image: Floats, kernel_px: int, amount: float) -> Floats:
    """Unsharp mask with a box of `kernel_px` (made odd). The result may leave 0..1."""
    side = kernel_px | 1
    blurred: Floats = cv2.blur(image, (side, side))
    return image + (image - blurred) * np.float32(amount)


def sharpen_gaussian(image: Floats, kernel_px: int, amount: float) -> Floats:
    """Unsharp mask of half the strength with a Gaussian of `kernel_px` (made odd)."""
    side = kernel_px | 1
    blurred: Floats = cv2.GaussianBlur(image, (side, side), 0)
    return image + (image - blurred) * np.float32(0.5 * amount)


SHARPENERS: dict[str, Callable[[Floats, int, float], Floats]] = {
    "box": sharpen_box,
    "gaussian": sharpen_gaussian,
}


def median_blur(image: Floats | NDArray[np.uint8], amount: int, full_pass: int) -> Floats:
    """Repeated 5 px medians: passes for amount, amount - 10, ... while above zero; a pass of n is
    mixed in by n / full_pass, fully from there on.

    A uint8 picture gives float32 0..1, too, and the same: medians of grey levels are grey levels,
    and full passes of bytes take a fraction of the time.
    """
    passes = range(amount, 0, -10)
    full = [left for left in passes if left >= full_pass]
    for _ in full:
        image = cv2.medianBlur(image, MEDIAN_PX)
    mixed: Floats = unit_floats(image)
    for left in passes[len(full) :]:
        blurred = cv2.medianBlur(mixed, MEDIAN_PX)
        weight = left / full_pass
        mixed = cv2.addWeighted(mixed, 1 - weight, blurred, weight, 0)
    return mixed


def line_kernel(length_px: int, angle_deg: float) -> Floats:
    """(length, length) float32 with sum 1: a line through the middle, counter-clockwise from the
    right."""
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[(length_px - 1) // 2] = 1
    middle = (length_px - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), angle_deg, 1.0)
    turned: Floats = cv2.warpAffine(kernel, turn, (length_px, length_px))
    turned /= turned.sum()
    return turned


def motion_blur(image: Floats, length_px: int, angle_deg: float) -> Floats:
    """The picture smeared along a line."""
    smeared: Floats = cv2.filter2D(image, -1, line_kernel(length_px, angle_deg))
    return smeared


def degrade_bicubic(image: Floats, power: int) -> Floats:
    """Scaled down by 1 - power / 101 and up again; power 0..100."""
    height, width = image.shape[:2]
    scale = 1 - power / 101
    small_wh = (max(1, int(width * scale)), max(1, int(height * scale)))
    small = cv2.resize(image, small_wh, interpolation=cv2.INTER_CUBIC)
    large: Floats = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 1)


def reduce_colours(image_bgr: Floats, colours: int = PALETTE_COLOURS) -> Floats:
    """The picture in the palette of `colours` that suits it."""
    rgb_u8 = (np.clip(image_bgr, 0, 1)[..., ::-1] * 255).astype(np.uint8)
    indexed = Image.fromarray(rgb_u8).convert("P", palette=Image.Palette.ADAPTIVE, colors=colours)
    reduced = np.asarray(indexed.convert("RGB"))[..., ::-1]
    return reduced.astype(np.float32) / np.float32(255)
