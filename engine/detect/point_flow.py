"""A face's landmarks followed from a frame into the next one by what moves in the picture.

Points are tracked by Lucas and Kanade's method forth and back; those that come back to where they
began say how the face moved as a whole (a similarity), and are then taken where they were seen.
Points that were lost, under a hand for instance, move with the face. All of it is done in an
upright crop of fixed size, so that a far face is followed as a close one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import ImageBgrU8, PointsXY
from engine.detect.grey_crop import grey_crop
from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError

CROP_PX = 256
WINDOW_PX = 21
PYRAMID_LEVELS = 4  # 16 px of the smallest level are the crop: a face may move by half of itself
# In pixels of the crop, where eyes lie some 90 apart.
MOST_BACK_PX = 1.0
MOST_OFF_PX = 6.0  # what a point moves by itself between frames: a blink, an opening mouth
MOST_SHAPE_PX = 24.0  # ... and since the anchor: a mouth opened wide
LEAST_ALIKE = 0.5
LEAST_SEEN_POINTS = 24
LARGEST_CHANGE = 1.25  # of the face's size between two frames; more is another thing
# Points that are seen again or look as they did: a mouth opened wide leaves 44 of 68, a microphone
# before the face 40, a hand before the mouth 58.
LEAST_HELD_POINTS = 30


class PointFollower:
    """Follows the face of one frame, its anchor: what is found is compared with how the face looked
    there, so that errors do not add up, and what moves over the face does not take points along."""

    def __init__(self, anchor_bgr_u8: ImageBgrU8, points: PointsXY) -> None:
        """points: the landmarks (68, 2) there. Raises `InputError` for those that no face can
        have."""
        crop_from_frame = face_from_frame(points, CROP_PX, FaceType.WHOLE_FACE)
        self._anchor = grey_crop(anchor_bgr_u8, crop_from_frame, CROP_PX)
        self._anchor_points = transform_points(points, crop_from_frame)
        self._before_bgr_u8, self._points = anchor_bgr_u8, points

    def follow(self, after_bgr_u8: ImageBgrU8) -> PointsXY | None:
        """The landmarks in the frame after the one of the last call, of the same size; None where
        the face was lost, which is the end."""
        moved = _followed(self._before_bgr_u8, after_bgr_u8, self._points)
        placed = None if moved is None else self._anchored(after_bgr_u8, moved)
        if placed is not None:
            self._before_bgr_u8, self._points = after_bgr_u8, placed
        return placed

    def _anchored(self, after_bgr_u8: ImageBgrU8, points: PointsXY) -> PointsXY | None:
        """The points where the anchor's are seen; None where it is no more the same face."""
        try:
            crop_from_frame = face_from_frame(points, CROP_PX, FaceType.WHOLE_FACE)
        except InputError:
            return None
        after = grey_crop(after_bgr_u8, crop_from_frame, CROP_PX)
        placed = self._placed(after, transform_points(points, crop_from_frame))
        return None if placed is None else transform_points(placed, invert_affine(crop_from_frame))

    def _placed(self, after: ImageBgrU8, guess: PointsXY) -> PointsXY | None:
        """In the crop `after`: each point where the anchor's is seen again, else where it was
        followed to if it still looks like it, else where the face as a whole has it."""
        everywhere = np.ones(len(guess), bool)
        rigid = _moved(self._anchor_points, guess, everywhere)
        if rigid is None:
            return None
        guess = np.where(_is_within(guess, rigid, MOST_SHAPE_PX)[:, None], guess, rigid)
        found, seen = _seen_forth_and_back(self._anchor, after, self._anchor_points, guess)
        seen &= _is_within(found, rigid, MOST_SHAPE_PX)
        rigid = _or_else(_moved(self._anchor_points, found, seen), rigid)
        alike = _patch_likeness(self._anchor, self._anchor_points, after, guess) >= LEAST_ALIKE
        if (seen | alike).sum() < LEAST_HELD_POINTS:
            return None
        placed = np.where(alike[:, None], guess, rigid)
        return np.where(seen[:, None], found, placed)


def _followed(
    before_bgr_u8: ImageBgrU8, after_bgr_u8: ImageBgrU8, points: PointsXY
) -> PointsXY | None:
    """The points by what moved between two frames alone."""
    crop_from_frame = face_from_frame(points, CROP_PX, FaceType.WHOLE_FACE)
    before, after = (
        grey_crop(image, crop_from_frame, CROP_PX) for image in (before_bgr_u8, after_bgr_u8)
    )
    start = transform_points(points, crop_from_frame)
    found, seen = _seen_forth_and_back(before, after, start, start)
    moved = _moved(start, found, seen)
    if moved is None:
        return None
    near = seen & _is_within(found, moved, MOST_OFF_PX)
    placed = np.where(near[:, None], found, moved)
    return transform_points(placed, invert_affine(crop_from_frame))


def _seen_forth_and_back(
    before: ImageBgrU8, after: ImageBgrU8, start: PointsXY, guess: PointsXY
) -> tuple[PointsXY, NDArray[np.bool_]]:
    """Where each point is found, and whether it is found from there where it began."""
    points, guessed = (xy.astype(np.float32)[:, None] for xy in (start, guess))
    forth, forth_ok = _flow(before, after, points, guessed.copy())
    back, back_ok = _flow(after, before, forth, points + forth - guessed)
    apart_px = np.hypot(*(back - points)[:, 0].T)
    return np.asarray(forth[:, 0], np.float64), forth_ok & back_ok & (apart_px <= MOST_BACK_PX)


def _flow(
    before: ImageBgrU8, after: ImageBgrU8, points: NDArray[Any], guess: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    found, ok, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points,
        guess,
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=PYRAMID_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found, ok[:, 0] == 1


def _moved(start: PointsXY, found: PointsXY, seen: NDArray[np.bool_]) -> PointsXY | None:
    """The points moved as the face has as a whole; None where too few agree about that."""
    if seen.sum() < LEAST_SEEN_POINTS:
        return None
    matrix, agreeing = cv2.estimateAffinePartial2D(
        start[seen], found[seen], method=cv2.RANSAC, ransacReprojThreshold=MOST_OFF_PX / 2
    )
    if matrix is None or agreeing.sum() < LEAST_SEEN_POINTS:
        return None
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 1 / LARGEST_CHANGE <= scale <= LARGEST_CHANGE:
        return None
    return transform_points(start, matrix)


def _is_within(points: PointsXY, others: PointsXY, most_px: float) -> NDArray[np.bool_]:
    return np.asarray(np.hypot(*(points - others).T) <= most_px)


def _or_else(points: PointsXY | None, others: PointsXY) -> PointsXY:
    return others if points is None else points


def _patch_likeness(
    one: ImageBgrU8, points: PointsXY, other: ImageBgrU8, others: PointsXY
) -> NDArray[np.float64]:
    """For each point, how much its surroundings look like those of the same point there, -1..1."""
    size = (WINDOW_PX, WINDOW_PX)
    patches = [
        np.array([cv2.getRectSubPix(crop, size, tuple(xy)) for xy in where.tolist()], np.float64)
        for crop, where in ((one, points), (other, others))
    ]
    a, b = (patch - patch.mean(axis=(1, 2), keepdims=True) for patch in patches)
    lengths = np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2)))
    return np.asarray((a * b).sum(axis=(1, 2)) / np.maximum(lengths, 1e-9))
