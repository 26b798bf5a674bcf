"""From a mask to the few points of polygons that describe it, as a hand would set them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from engine.faces.alignment import Points
from engine.faces.masks import Polygon

Region = NDArray[np.uint8]  # (h, w): 0 outside, 1 inside

MOST_POINTS = 60  # of a suggested polygon: more could not be edited by hand
_STEPS = 240  # a closed outline's samples while it is smoothed
_GROWTH = 1.3  # of the tolerance, until the points are few enough


def outline_polygon(
    outline_xy: Points, tolerance_px: float, *, is_include: bool = True, most: int = MOST_POINTS
) -> Polygon:
    """The closed outline (n, 2) with as few points as `tolerance_px` allows, and at most `most`."""
    outline = np.asarray(outline_xy, np.float32)[:, None]
    points = cv2.approxPolyDP(outline, tolerance_px, closed=True)
    while len(points) > most:
        tolerance_px *= _GROWTH
        points = cv2.approxPolyDP(outline, tolerance_px, closed=True)
    return Polygon(is_include, np.asarray(points[:, 0], np.float32))


def smooth_outline(outline_xy: Points, share: float) -> Points:
    """The closed outline (n, 2), sampled evenly and smoothed over that share of its length."""
    closed = np.vstack([outline_xy, outline_xy[:1]])
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    even = np.linspace(0.0, at[-1], _STEPS, endpoint=False)
    sampled = np.stack([np.interp(even, at, closed[:, axis]) for axis in (0, 1)], axis=1)
    return np.asarray(gaussian_filter1d(sampled, share * _STEPS, axis=0, mode="wrap"), np.float64)


def largest_outline(region: Region) -> Points:
    """The outer outline (n, 2) of the region's largest part; empty for an empty region."""
    contours, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.empty((0, 2))
    return np.asarray(max(contours, key=cv2.contourArea)[:, 0], np.float64)


def region_polygons(
    region: Region, tolerance_px: float, smallest_part_px: float, smallest_hole_px: float
) -> tuple[Polygon, ...]:
    """Include polygons for the region's parts and exclude polygons for holes in them, each of
    `MOST_POINTS` at most; parts and holes of a smaller area are left out."""
    contours, tree = cv2.findContours(region, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parts: list[Polygon] = []
    holes: list[Polygon] = []
    for contour, (_, _, _, parent) in zip(contours, tree[0] if len(contours) else (), strict=True):
        is_part = bool(parent < 0)
        smallest_px = smallest_part_px if is_part else smallest_hole_px
        if cv2.contourArea(contour) >= smallest_px:
            polygon = outline_polygon(contour[:, 0], tolerance_px, is_include=is_part)
            (parts if is_part else holes).append(polygon)
    return (*parts, *holes)
