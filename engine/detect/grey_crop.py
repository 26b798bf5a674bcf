"""Square grey crops in which points are looked for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import ImageBgrU8


def grey_crop(
    image_bgr_u8: ImageBgrU8, crop_from_image: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    """(side, side) uint8. crop_from_image: (2, 3), to pixels of the crop. What is outside of the
    image is its edge, repeated."""
    # A large face is cut at a multiple of the crop's size and averaged: sampling it would alias.
    oversampling = max(1, min(8, int(1 / np.hypot(crop_from_image[0, 0], crop_from_image[0, 1]))))
    cut_px = side_px * oversampling
    crop = cv2.warpAffine(
        image_bgr_u8,
        crop_from_image * oversampling,
        (cut_px, cut_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if oversampling > 1:
        crop = cv2.resize(crop, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY))
