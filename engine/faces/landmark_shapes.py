"""Landmarks that no landmarker placed: the mean face where somebody points, and the way from one
face to another."""

from __future__ import annotations

import numpy as np

from engine.faces.alignment import (
    MEAN_FACE_51,
    Points,
    checked_landmarks,
    fit_similarity,
    transform_points,
)
from engine.protocol.errors import InputError
from engine.protocol.landmark_groups import GROUPS, NOSE_TIP

_NOSE_TIP_XY = MEAN_FACE_51[NOSE_TIP - 17]
_RIGHT_EDGE_X = MEAN_FACE_51[26 - 17][0]  # the outer end of the right brow
# Where all 17 points of the jaw fall: the chin of the eight annotated reference stills lies at 1.16
# to 1.34, 1.24 in the mean, under the middle of the mean face. There, unlike on the nose, the hull
# of the landmarks still covers the mouth.
_CHIN_XY = (0.490127, 1.24)


def mean_face_at(nose_xy: tuple[float, float], right_xy: tuple[float, float]) -> Points:
    """The mean face as (68, 2) landmarks, its jaw in one point: the tip of its nose at `nose_xy`,
    and `right_xy` away from there (across, down) its right edge.

    Raises `InputError` for an arrow under a tenth of a pixel.
    """
    arrow = np.asarray(right_xy, np.float64)
    length_px = float(np.hypot(*arrow))
    if not length_px >= 0.1:
        raise InputError(f"a face {length_px:.2f} px wide is none", "draw the arrow longer")
    jaw = np.tile(np.array(_CHIN_XY), (len(GROUPS["jaw"]), 1))
    right = arrow / (_RIGHT_EDGE_X - _NOSE_TIP_XY[0])
    down = np.array([-right[1], right[0]])
    shape = np.vstack([jaw, MEAN_FACE_51]) - _NOSE_TIP_XY
    return np.asarray(shape @ np.array([right, down]) + nose_xy)


def between(first: Points, last: Points, share: float) -> Points:
    """The landmarks (68, 2) on the way from `first` (share 0) to `last` (1).

    Place, size and roll go evenly from one to the other; what else differs (the mouth opens, the
    head turns aside) is blended in the face's own coordinates, so that a rolling head keeps its
    size. Raises `InputError` for landmarks of no extent.
    """
    first, last = checked_landmarks(first), checked_landmarks(last)
    moved = fit_similarity(first, last)
    scale = float(np.hypot(moved[0, 0], moved[1, 0]))
    if not scale > 0:
        raise InputError("the landmarks all lie on one point", "place one of the faces again")
    roll_rad = float(np.arctan2(moved[1, 0], moved[0, 0]))
    middle = first.mean(axis=0), last.mean(axis=0)
    # The last shape as it would be with the first one's size and roll.
    unmoved = transform_points(last - middle[1], _turned(-roll_rad, 1 / scale))
    shape = (1 - share) * (first - middle[0]) + share * unmoved
    place = (1 - share) * middle[0] + share * middle[1]
    return np.asarray(transform_points(shape, _turned(share * roll_rad, scale**share)) + place)


def _turned(roll_rad: float, scale: float) -> Points:
    """The matrix (2, 3) that turns clockwise in the picture and scales, about the origin."""
    cos, sin = scale * np.cos(roll_rad), scale * np.sin(roll_rad)
    return np.array([(cos, -sin, 0.0), (sin, cos, 0.0)])
