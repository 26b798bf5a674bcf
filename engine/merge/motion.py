"""How fast and where to a face moves, for motion blur."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.face_type import FaceType

# A face's place is that of this point in its 256 px full-face crop, in whole pixels of the frame.
CROP_PX = 256
CROP_MIDDLE_PX = (127.0, 127.0)


@dataclass(frozen=True)
class Motion:
    """The way from the frame before to the frame after, in pixels, and its direction in degrees,
    counter-clockwise from the right."""

    power_px: float
    angle_deg: float


STILL = Motion(0.0, 0.0)


def motions(frames: Sequence[Sequence[NDArray[np.float64]]]) -> list[Motion]:
    """The motion in every frame, from the landmarks of each frame's faces, in order.

    A face stands still where a neighbour has none; all do where any frame has several, because
    nobody knows then which face is which.
    """
    if any(len(faces) > 1 for faces in frames):
        return [STILL] * len(frames)
    places = [_place(faces[0]) if faces else None for faces in frames]
    last = len(places) - 1
    return [
        _between(places[max(0, index - 1)], place, places[min(last, index + 1)])
        for index, place in enumerate(places)
    ]


Place = tuple[int, int]


def _place(landmarks_xy: NDArray[np.float64]) -> Place:
    frame_from_face = invert_affine(face_from_frame(landmarks_xy, CROP_PX, FaceType.FULL))
    x, y = transform_points(np.array([CROP_MIDDLE_PX]), frame_from_face)[0]
    return round(x), round(y)


def _between(before: Place | None, here: Place | None, after: Place | None) -> Motion:
    if before is None or here is None or after is None:
        return STILL
    x, y = after[0] - before[0], after[1] - before[1]
    return Motion(math.hypot(x, y), -math.degrees(math.atan2(y, x)))
