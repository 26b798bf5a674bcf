"""Polygons that a mask could begin with, so that a label is corrected instead of drawn.

All points are pixels of the aligned face; every polygon has at most 60 of them. Suggestions are
never written anywhere by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Points, checked_landmarks
from engine.faces.hair_line import forehead_outline
from engine.faces.mask_outlines import (
    Region,
    largest_outline,
    outline_polygon,
    region_polygons,
    smooth_outline,
)
from engine.faces.masks import Polygon, hull_mask, polygons_mask
from engine.media.images import ImageU8

_HULL_PX = 512  # side of the face's box while its hull is drawn, so that whole pixels are fine
_HULL_MARGIN = 0.35  # the raised brows leave the landmarks' box by this share at most
_SMOOTHED_SHARE = 0.012  # of an outline's length: rounds corners, keeps the chin
_TOLERANCE = 0.006  # of the face's size: about 1.5 px where a face fills 256 px

_CUT_PX = 192  # GrabCut takes 0.3 s at this side, and time grows with the area
_CUT_ROUNDS = 3
_EVENED_PX = 7
_SURE_SHARE = 0.3  # of the drawn area: less, and GrabCut may take a hand for the face
_STRANGE, _STRANGE_TIMES = 40.0**2, 6.0  # such a colour in the face may be something before it
_LEAST_PX = 64  # inside and outside: GrabCut divides each into five kinds of colour
_LEAST_KEPT = 0.4  # of the drawn area: with less the colours told nothing
_BAND = 0.05  # of the region's size: as far outside the drawn line the face may be found
_AROUND = 0.25  # of the region's size: from there GrabCut learns what is no face
_SMALLEST_PART = 0.04  # of the drawn area: anything less is noise
_SMALLEST_HOLE = 0.08  # eyes take 1 to 2 % of a face each, an open mouth 6 %: they stay in


def suggest_from_landmarks(landmarks_xy: Points) -> tuple[Polygon, ...]:
    """The outline of the hull with raised brows, smoothed, with few points.

    landmarks_xy: (68, 2) in pixels of the aligned face. Points may lie outside the picture. Raises
    `InputError` unless they are 68 finite, distinct points.
    """
    landmarks = checked_landmarks(landmarks_xy)
    corner, size = landmarks.min(axis=0), float(np.ptp(landmarks, axis=0).max())
    scale = _HULL_PX / max(size, 1e-6)
    margin = _HULL_MARGIN * _HULL_PX
    side = int(_HULL_PX + 2 * margin)
    hull = hull_mask((side, side), (landmarks - corner) * scale + margin)
    outline = largest_outline((hull > 0).astype(np.uint8))
    return _as_suggestion((outline - margin) / scale + corner)


def suggest_to_hairline(image_bgr_u8: ImageU8, landmarks_xy: Points) -> tuple[Polygon, ...]:
    """As `suggest_from_landmarks`, but up to the hair line, found by colour and edges.

    image_bgr_u8: (h, w, 3), the picture that the landmarks (68, 2) belong to.
    """
    return _as_suggestion(forehead_outline(image_bgr_u8, checked_landmarks(landmarks_xy)))


def refine_by_grabcut(image_bgr_u8: ImageU8, polygons: Sequence[Polygon]) -> tuple[Polygon, ...]:
    """The polygons drawn to the edges that the picture's colours show, in and around them.

    What differs in colour and reaches in from outside is cut away; a large island of it becomes an
    exclude polygon. Polygons that exclude stay as drawn. Where colours do not tell (or too little
    is drawn, or the whole picture) all come back as given.
    Source: Rother, Kolmogorov, Blake, "GrabCut", SIGGRAPH 2004, as in OpenCV.
    """
    shape_hw = (image_bgr_u8.shape[0], image_bgr_u8.shape[1])
    includes = [polygon for polygon in polygons if polygon.is_include]
    included = polygons_mask(shape_hw, includes).astype(np.uint8)
    drawn = polygons_mask(shape_hw, polygons).astype(np.uint8)
    if not drawn.any():
        return tuple(polygons)
    window = _window_around(included)
    region = window.shrunk(drawn, cv2.INTER_NEAREST)
    cut = _cut(window.shrunk(image_bgr_u8, cv2.INTER_AREA), region)
    area_px = float(region.sum())
    if cut is None or cut.sum() < _LEAST_KEPT * area_px:
        return tuple(polygons)
    cut |= window.shrunk(included - drawn, cv2.INTER_NEAREST)  # what excludes says so itself
    found = region_polygons(
        cut, _TOLERANCE * area_px**0.5, _SMALLEST_PART * area_px, _SMALLEST_HOLE * area_px
    )
    excludes = [polygon for polygon in polygons if not polygon.is_include]
    return (*map(window.in_picture, found), *excludes)


def _as_suggestion(outline_xy: Points) -> tuple[Polygon, ...]:
    size = float(np.ptp(outline_xy, axis=0).max())
    return (outline_polygon(smooth_outline(outline_xy, _SMOOTHED_SHARE), _TOLERANCE * size),)


@dataclass(frozen=True)
class _Window:
    """A part of the picture (rows, columns), made smaller to `size_wh`."""

    part: tuple[slice, slice]
    size_wh: tuple[int, int]

    def shrunk(self, picture: NDArray[np.uint8], interpolation: int) -> NDArray[np.uint8]:
        return np.asarray(
            cv2.resize(picture[self.part], self.size_wh, interpolation=interpolation), np.uint8
        )

    def in_picture(self, polygon: Polygon) -> Polygon:
        rows, columns = self.part
        whole_wh = np.array([columns.stop - columns.start, rows.stop - rows.start])
        # Points are pixels' centres.
        points = (polygon.points_xy + 0.5) * (whole_wh / self.size_wh) - 0.5
        points += (columns.start, rows.start)
        return Polygon(polygon.is_include, points.astype(np.float32))


def _window_around(region: Region) -> _Window:
    """The region with what surrounds it."""
    left, top, width, height = cv2.boundingRect(region)
    margin = int(_AROUND * max(width, height)) + 2
    rows = slice(max(0, top - margin), min(region.shape[0], top + height + margin))
    columns = slice(max(0, left - margin), min(region.shape[1], left + width + margin))
    size_wh = columns.stop - columns.start, rows.stop - rows.start
    scale = min(1.0, _CUT_PX / max(size_wh))
    return _Window(
        (rows, columns), (max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale)))
    )


def _cut(image_bgr_u8: ImageU8, region: Region) -> Region | None:
    """The region by the picture's colours; None where there are too few pixels to learn from."""
    inside = region > 0
    if min(inside.sum(), (~inside).sum()) < _LEAST_PX:
        return None
    marks = _marks(image_bgr_u8, region)
    if np.isin(marks, (cv2.GC_BGD, cv2.GC_PR_BGD)).sum() < _LEAST_PX:
        return None
    cv2.setRNGSeed(0)  # the same picture gives the same polygons
    scratch = (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.grabCut(image_bgr_u8, marks, None, *scratch, _CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    # A majority vote around each pixel: ragged edges are made even, strands of hair left out.
    return np.asarray(cv2.medianBlur(cut, _EVENED_PX), np.uint8)


def _marks(image_bgr_u8: ImageU8, region: Region) -> Region:
    """What GrabCut begins with: sure, likely and unlikely face, and what surely is none."""
    inside = region > 0
    band_px = max(1, int(_BAND * float(region.sum()) ** 0.5))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band_px + 1,) * 2)
    marks: Region = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[cv2.dilate(region, kernel) == 0] = cv2.GC_BGD
    distance = _distance_from_typical(image_bgr_u8, region)
    surely, usual = np.quantile(distance[inside], (_SURE_SHARE, 0.5))
    marks[inside & (distance <= surely)] = cv2.GC_FGD
    marks[inside & (distance > max(_STRANGE, _STRANGE_TIMES * usual))] = cv2.GC_PR_BGD
    return marks


def _distance_from_typical(image_bgr_u8: ImageU8, region: Region) -> NDArray[np.float32]:
    """How far each pixel is from the colour that most of the region has: squared, in Lab."""
    lab = cv2.cvtColor(image_bgr_u8, cv2.COLOR_BGR2LAB).astype(np.float32)
    typical = np.median(lab[region > 0], axis=0)
    return np.asarray(np.square(lab - typical).sum(axis=-1), np.float32)
