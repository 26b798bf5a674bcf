"""Square grey crops in which points are looked for."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import ImageBgrU8
from engine.faces.alignment import invert_affine, transform_points


def grey_crop(
    image_bgr_u8: ImageBgrU8, crop_from_image: NDArray[np.float64], side_px: int
) -> NDArray[np.uint8]:
    """(side, side) uint8. crop_from_image: (2, 3), to pixels of the crop. What is outside of the
    image is its edge, repeated."""
    grey, crop_from_grey = _grey_part(image_bgr_u8, crop_from_image, side_px)
    # A large face is cut at a multiple of the crop's size and averaged: sampling it would alias.
    oversampling = max(1, min(8, int(1 / np.hypot(crop_from_image[0, 0], crop_from_image[0, 1]))))
    cut_px = side_px * oversampling
    crop = cv2.warpAffine(
        grey,
        crop_from_grey * oversampling,
        (cut_px, cut_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if oversampling > 1:
        crop = cv2.resize(crop, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(crop)


def _grey_part(
    image_bgr_u8: ImageBgrU8, crop_from_image: NDArray[np.float64], side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the image that the crop shows, in grey, and the matrix from it: one channel is
    cut out in a third of the time that three take."""
    height_px, width_px = image_bgr_u8.shape[:2]
    corners = np.array([[0, 0], [side_px, 0], [side_px, side_px], [0, side_px]], dtype=np.float64)
    shown = transform_points(corners, invert_affine(crop_from_image))
    # Interpolation looks one pixel around; of a crop beside the image its edge is shown.
    low = np.clip(np.floor(shown.min(axis=0)) - 2, 0, (width_px - 1, height_px - 1)).astype(int)
    high = np.clip(np.ceil(shown.max(axis=0)) + 2, low + 1, (width_px, height_px)).astype(int)
    part = image_bgr_u8[low[1] : high[1], low[0] : high[0]]
    crop_from_part = np.asarray(crop_from_image, dtype=np.float64).copy()
    crop_from_part[:, 2] += crop_from_image[:, :2] @ low
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)), crop_from_part
