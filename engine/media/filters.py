"""Filters of pictures, (h, w, 3) float32, 0..1 where not said otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.media.levels import eight_bit, unit_floats

Floats = NDArray[np.float32]

MEDIAN_PX = 5
PALETTE_COLOURS = 256
# Levels of 16 bits; one of 8 bits is so many of them.
U16_MAX, LEVEL_U16 = 65535, 257


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

    A uint8 picture gives float32 0..1, too, in a fraction of the time: medians of whole numbers are
    whole numbers, and what is mixed is told apart to 16 bits.
    """
    passes = range(amount, 0, -10)
    full = [left for left in passes if left >= full_pass]
    for _ in full:
        image = cv2.medianBlur(image, MEDIAN_PX)
    is_bytes = image.dtype == np.uint8
    mixed: NDArray[Any] = image.astype(np.uint16) * np.uint16(LEVEL_U16) if is_bytes else image
    for left in passes[len(full) :]:
        blurred = cv2.medianBlur(mixed, MEDIAN_PX)
        weight = left / full_pass
        mixed = cv2.addWeighted(mixed, 1 - weight, blurred, weight, 0)
    result: Floats = mixed.astype(np.float32)
    return result / np.float32(U16_MAX) if is_bytes else result


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


def degrade_bicubic(image: Floats, kept_part: float) -> Floats:
    """Scaled down to that part (0..1) of its sides, at least a pixel, and up again."""
    height, width = image.shape[:2]
    small_wh = (max(1, int(width * kept_part)), max(1, int(height * kept_part)))
    small = cv2.resize(image, small_wh, interpolation=cv2.INTER_CUBIC)
    large: Floats = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 1)


def reduce_colours(
    image_bgr: Floats, colours: int = PALETTE_COLOURS, sampled_px: int | None = None
) -> Floats:
    """The picture in the palette of `colours` that suits it; sampled_px: about so many of its
    pixels, which is enough to look at and takes a tenth of the time."""
    rgb_u8 = eight_bit(image_bgr[..., ::-1])
    picture = Image.fromarray(rgb_u8)
    if sampled_px is None:
        indexed = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=colours)
    else:
        step = math.ceil(math.sqrt(rgb_u8[..., 0].size / sampled_px))
        sample = Image.fromarray(np.ascontiguousarray(rgb_u8[::step, ::step]))
        indexed = picture.quantize(palette=sample.quantize(colours), dither=Image.Dither.NONE)
    reduced = np.asarray(indexed.convert("RGB"))[..., ::-1]
    return unit_floats(reduced)
