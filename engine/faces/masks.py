"""Masks drawn from landmarks and from hand-drawn polygons.

All masks are float32 (height, width) in 0..1. Landmark coordinates are truncated to whole pixels
before drawing and all arithmetic on them is whole-numbered, as in DeepFaceLab: its hull and polygon
masks are reproduced pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Points, checked_landmarks

Mask = NDArray[np.float32]

# The face is the union of these parts' convex hulls: jaw halves, brows to chin, nose.
_HULL_PARTS: tuple[tuple[int, ...], ...] = (
    (*range(9), 17),
    (*range(8, 17), 26),
    (17, 18, 19, 8),
    (24, 25, 26, 8),
    (19, 20, 21, 22, 23, 24, 8),
    (17, 18, 19, 20, 21, 27, 31, 32, 33, 34, 35, 8),
    (22, 23, 24, 25, 26, 27, 31, 32, 33, 34, 35, 8),
    (27, 28, 29, 30, 31, 32, 33, 34, 35),
)
_EYES = (tuple(range(36, 42)), tuple(range(42, 48)))
_MOUTH = (tuple(range(60, 68)),)
_LARGEST_PX = 1 << 20  # coordinates beyond this are cut: OpenCV draws with 32-bit integers


@dataclass(frozen=True, eq=False)
class Polygon:
    """A hand-drawn part of a mask: `points_xy` (n, 2) float32 in pixels of the aligned face."""

    is_include: bool
    points_xy: NDArray[np.float32]


def expand_eyebrows(landmarks_xy: Points, modifier: float = 1.0) -> NDArray[np.int64]:
    """The landmarks (68, 2) with the brows raised, so that a hull over them covers the forehead's
    lower part. 0 leaves the brows, 1 is DeepFaceLab's amount. Whole pixels."""
    points = _whole_pixels(checked_landmarks(landmarks_xy))
    left_cheek = (points[36] + points[0]) // 2
    right_cheek = (points[16] + points[45]) // 2
    left_corner = (points[36] + left_cheek) // 2
    right_corner = (points[45] + right_cheek) // 2
    below_left = np.stack([left_corner, *points[36:40]])
    below_right = np.stack([*points[42:46], right_corner])
    brows = points[17:27]
    raised = brows + modifier * 0.5 * (brows - np.concatenate([below_left, below_right]))
    points[17:27] = _whole_pixels(raised)
    return points


def hull_mask(
    shape_hw: tuple[int, int], landmarks_xy: Points, eyebrows_expand_mod: float = 1.0
) -> Mask:
    """The face's outline up to the raised brows: 0 outside, 1 inside."""
    points = expand_eyebrows(landmarks_xy, eyebrows_expand_mod)
    return _filled_hulls(shape_hw, points, _HULL_PARTS)


def eyes_mask(shape_hw: tuple[int, int], landmarks_xy: Points) -> Mask:
    """Both eyes, grown and softened in proportion to the picture's height."""
    return _soft_parts(shape_hw, landmarks_xy, _EYES)


def mouth_mask(shape_hw: tuple[int, int], landmarks_xy: Points) -> Mask:
    """The mouth inside the lips, grown and softened in proportion to the picture's height."""
    return _soft_parts(shape_hw, landmarks_xy, _MOUTH)


def polygons_mask(shape_hw: tuple[int, int], polygons: Iterable[Polygon]) -> Mask:
    """The polygons painted on nothing: first all that include, then all that exclude."""
    mask = np.zeros(shape_hw, np.float32)
    for polygon in sorted(polygons, key=lambda polygon: not polygon.is_include):
        if len(polygon.points_xy):
            value = 1.0 if polygon.is_include else 0.0
            cv2.fillPoly(mask, [_drawable(polygon.points_xy)], (value,))
    return mask


def _soft_parts(
    shape_hw: tuple[int, int], landmarks_xy: Points, parts: Sequence[tuple[int, ...]]
) -> Mask:
    mask = _filled_hulls(shape_hw, _whole_pixels(checked_landmarks(landmarks_xy)), parts)
    grow_px, blur_px = shape_hw[0] // 32, shape_hw[0] // 16 | 1
    if grow_px:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grow_px, grow_px))
        mask = cv2.dilate(mask, kernel)
    return np.asarray(cv2.GaussianBlur(mask, (blur_px, blur_px), 0), np.float32)


def _filled_hulls(
    shape_hw: tuple[int, int], points: NDArray[np.int64], parts: Sequence[tuple[int, ...]]
) -> Mask:
    mask = np.zeros(shape_hw, np.float32)
    for part in parts:
        cv2.fillConvexPoly(mask, cv2.convexHull(_drawable(points[list(part)])), (1.0,))
    return mask


def _whole_pixels(points: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(points, -_LARGEST_PX, _LARGEST_PX).astype(np.int64)


def _drawable(points: NDArray[np.float32] | NDArray[np.int64]) -> NDArray[np.int32]:
    return np.clip(points, -_LARGEST_PX, _LARGEST_PX).astype(np.int32)
