"""From the model's masks to the mask of one face in the frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.protocol.look import Look

Floats = NDArray[np.float32]

# Masks are shaped at this multiple of the model's resolution, so that erosion and blur have fine
# steps; the settings are pixels there.
SHAPING_SCALE = 4

# Values below the darkest 8-bit grey are no mask; they would only tint what is around the face.
DARKEST = np.float32(1 / 255)


def shape_mask(mask: Floats, resolution: int, look: Look) -> Floats:
    """The work mask (any square size) as (4R, 4R) float32, eroded and softened by the look, 0..1.

    Unless raw, it always fades out within the square: what lies at the square's border is cut off,
    so that the square's edge never shows. A raw mask keeps the cubic resize's overshoot, as far as
    1.1 and -0.1, until it is at its final size: clipping twice would wear down sharp edges.
    """
    side = resolution * SHAPING_SCALE
    fine: Floats = cv2.resize(without_dust(mask), (side, side), interpolation=cv2.INTER_CUBIC)
    if look.is_raw:
        return fine
    faded = _fade(fine, resolution, look.erode_mask_modifier, look.blur_mask_modifier)
    return np.clip(faded, 0, 1)


def without_dust(mask: Floats) -> Floats:
    """The mask with everything below one 8-bit level at zero."""
    kept: Floats = np.where(mask < DARKEST, np.float32(0), mask)
    return kept


def _fade(mask: Floats, padding_px: int, erode_px: int, blur_px: int) -> Floats:
    padded = cv2.copyMakeBorder(mask, *(padding_px,) * 4, cv2.BORDER_CONSTANT, value=0)
    padded = _erode(padded, erode_px)
    padded = _clear_border(padded, padding_px + blur_px // 2)
    if blur_px > 0:
        kernel_px = blur_px | 1  # Gaussian kernels are odd
        padded = cv2.GaussianBlur(padded, (kernel_px, kernel_px), 0)
    inside: Floats = padded[padding_px:-padding_px, padding_px:-padding_px]
    return inside


def _erode(mask: Floats, erode_px: int) -> Floats:
    """Shrunk by an ellipse of that diameter, or grown when negative. In 16 bits, because that takes
    half the time; -0.5..1.5 are told apart to 3e-5, and zero stays zero.
    """
    if erode_px == 0:
        return mask
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(erode_px), abs(erode_px)))
    mask_u16 = np.rint((mask + 0.5) * 32768).astype(np.uint16)
    eroded_u16 = (cv2.erode if erode_px > 0 else cv2.dilate)(mask_u16, ellipse)
    eroded: Floats = eroded_u16.astype(np.float32) / np.float32(32768) - np.float32(0.5)
    return eroded


def _clear_border(mask: Floats, width_px: int) -> Floats:
    kept = np.zeros_like(mask)
    inside = slice(width_px, mask.shape[0] - width_px)
    kept[inside, inside] = mask[inside, inside]
    return kept
