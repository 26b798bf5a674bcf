"""From the nets' masks to the mask of one face, shaped by the look."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.morphology import eroded

Floats = NDArray[np.float32]

# Masks are shaped at this multiple of the model's resolution, so that erosion and blur have fine
# steps; the settings are pixels there. For smaller copies of frames a coarser one does.
SHAPING_SCALE = 4
PROXY_SHAPING_SCALE = 2

# Values below the darkest 8-bit grey are no mask; they would only tint what is around the face.
DARKEST = np.float32(1 / 255)


def fine_mask(mask: Floats, side_px: int) -> Floats:
    """The work mask (any square size) as (side, side) float32.

    It keeps the cubic resize's overshoot, as far as 1.1 and -0.1, until it is at its final size:
    clipping twice would wear down sharp edges.
    """
    fine: Floats = cv2.resize(without_dust(mask), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return fine


def fade_out(fine: Floats, padding_px: int, erode_px: int, blur_px: int) -> Floats:
    """The mask eroded (or grown, when negative) and blurred, 0..1.

    It always fades out within the square: what lies at the square's border is cut off, so that the
    square's edge never shows.
    """
    padded = cv2.copyMakeBorder(fine, *(padding_px,) * 4, cv2.BORDER_CONSTANT, value=0)
    padded = eroded(padded, erode_px)
    padded = _clear_border(padded, padding_px + blur_px // 2)
    if blur_px > 0:
        kernel_px = blur_px | 1  # Gaussian kernels are odd
        padded = cv2.GaussianBlur(padded, (kernel_px, kernel_px), 0)
    inside: Floats = padded[padding_px:-padding_px, padding_px:-padding_px]
    return np.clip(inside, 0, 1)


def without_dust(mask: Floats) -> Floats:
    """The mask with everything below one 8-bit level at zero."""
    _, kept = cv2.threshold(mask, np.nextafter(DARKEST, np.float32(0)), 0, cv2.THRESH_TOZERO)
    return np.asarray(kept, np.float32)


def _clear_border(mask: Floats, width_px: int) -> Floats:
    kept = np.zeros_like(mask)
    inside = slice(width_px, mask.shape[0] - width_px)
    kept[inside, inside] = mask[inside, inside]
    return kept
