"""68 landmarks by dlib's shape predictor, on an upright crop, averaged over shifted boxes.

The predictor was trained on upright faces in the boxes of dlib's HOG detector. So the face is
turned upright by its five points first (at 45 degrees of roll the error falls from 21 % of the
interocular distance to 0.6 %), and its box is set as HOG would set it. The predictor's answer
depends on where its box lies; the mean over five boxes and the mirrored picture jitters four times
less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain
from math import radians
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from engine.detect.dark_pictures import brightened
from engine.detect.detection import Detection, ImageBgrU8, Landmarks68, PointsXY
from engine.detect.five_points import yaw_of_five_points
from engine.detect.grey_crop import grey_crop
from engine.detect.weight_files import packaged_file
from engine.faces.alignment import (
    invert_affine,
    mirror_landmarks,
    transform_points,
)

BOX_PX = 300  # dlib answers in whole pixels, so a larger crop is more exact
MARGIN_PX = 75  # landmarks and the predictor's samples lie outside the box, too
CROP_PX = BOX_PX + 2 * MARGIN_PX
# Side of HOG's box = 1.94 eye distances + 0.45 eye-to-mouth distances, fitted on 54 faces.
EYES_SHARE, MOUTH_SHARE = 1.94, 0.45
# Shifts in x and y and growth of the averaged boxes, in parts of BOX_PX.
JITTERS = (
    (0.0, 0.0, 0.0),
    (0.05, 0.03, 0.02),
    (-0.04, 0.05, -0.03),
    (-0.05, -0.04, 0.04),
    (0.04, -0.05, -0.04),
)
# Clear faces have a spread of 0.004 to 0.02, hidden ones up to 0.05 and profiles 0.075; landmarks
# that were wrong had more than 0.05, and noise has 0.11.
CLEAR_SPREAD = 0.02
DOUBTFUL_SPREAD = 0.04
MAX_SPREAD = 0.1
DOUBTED_ROLLS_DEG = (45, -45)
# Faces that lie or stand on their head are rare, and wrong points can agree better than the right
# ones (on a profile 0.024 against 0.07). Right ones of 15 people turned by 90 to 180 degrees had
# 0.004 to 0.026: they must agree twice as well as what is likely, and well.
RARE_ROLLS_DEG = (90, -90, 180)
RARE_SPREAD = 0.5
MAX_RARE_SPREAD = 0.03
# On heads that MTCNN's points show turned further the predictor is a guesser, while the points
# tell the roll: of turned frames they wrongly showed 45 degrees at most, of profiles 52 to 65.
TURNED_HEAD_YAW_RAD = radians(50)
# Who was found in a turned picture alone is clear, or no face: hands had 0.049, people 0.023.
MAX_TURNED_SPREAD = 0.04
# A detector without five points may put its box around the head. In it the face of a head turned to
# the side is off the middle by this part of the side: at 71 degrees of yaw the error falls from
# 66 % of the face's size to 9 %.
DOUBTED_SHIFTS = (0.15, -0.15)

_INNER = slice(17, 68)
_LEFT_EYE, _RIGHT_EYE = slice(36, 42), slice(42, 48)
_NOSE_TIP, _MOUTH_LEFT, _MOUTH_RIGHT = 30, 48, 54


class Landmarker68:
    """A `Landmarker`. Deterministic; about 20 ms for a face on one core, 0.6 s to build."""

    def __init__(self) -> None:
        self._predict = _shape_predictor()

    def landmarks(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None:
        """The face's landmarks in the picture; None where they are no plausible face.

        Where the crops disagree, the five points may be wrong (they are upside down on a face that
        is); then the box is tried at several rolls, and the landmarks that agree best are taken.
        """
        found = next(likely := self._likely(image_bgr_u8, face))
        if _spread(found) > DOUBTFUL_SPREAD:
            found = _clearest(chain([found], likely))
            if not _is_turned_head(face) and _spread(found) > CLEAR_SPREAD:
                rare = _clearest(self._tried(image_bgr_u8, face, RARE_ROLLS_DEG))
                if _spread(rare) < min(RARE_SPREAD * _spread(found), MAX_RARE_SPREAD):
                    found = rare
        is_rare = face.turned_deg and not _is_turned_head(face)
        return found if _spread(found) <= (MAX_TURNED_SPREAD if is_rare else MAX_SPREAD) else None

    def glance(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68:
        """One look into the face's box, without asking whether a face is there: 2 ms, for a box
        that is moved by hand."""
        return Landmarks68(self._points_in_box(image_bgr_u8, face, face.turned_deg), None)

    def _likely(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Iterator[Landmarks68 | None]:
        """What the five points and the box give, the likeliest first."""
        if face.five_points is not None:
            yield self._landmarks_at(image_bgr_u8, face.five_points)
        yield from self._tried(image_bgr_u8, face, (0,))
        if not _is_turned_head(face):
            yield from self._tried(image_bgr_u8, face, DOUBTED_ROLLS_DEG)
        if face.five_points is None:
            yield from self._tried_beside(image_bgr_u8, face)

    def _tried(
        self, image_bgr_u8: ImageBgrU8, face: Detection, rolls_deg: tuple[int, ...]
    ) -> Iterator[Landmarks68 | None]:
        """What the face's box gives, rolled so far beyond how it was found."""
        for roll_deg in rolls_deg:
            five = self._five_points_in_box(image_bgr_u8, face, face.turned_deg + roll_deg)
            yield self._landmarks_at(image_bgr_u8, five)

    def _tried_beside(
        self, image_bgr_u8: ImageBgrU8, face: Detection
    ) -> Iterator[Landmarks68 | None]:
        """What boxes beside the face's give."""
        turned_rad = np.radians(face.turned_deg)  # sideways for the face is not for the picture
        left, top, right, bottom = face.box_ltrb
        for share in DOUBTED_SHIFTS:
            x, y = share * face.width_px * np.array([np.cos(turned_rad), np.sin(turned_rad)])
            beside = replace(face, box_ltrb=(left + x, top + y, right + x, bottom + y))
            yield from self._tried(image_bgr_u8, beside, (0,))

    def _landmarks_at(self, image_bgr_u8: ImageBgrU8, five_points: PointsXY) -> Landmarks68 | None:
        crop_from_image = upright_crop(five_points)
        if crop_from_image is None:
            return None
        samples = self._samples(_crop(image_bgr_u8, crop_from_image))
        mean = samples.mean(axis=0)
        spread_px = float(np.sqrt(((samples - mean)[:, _INNER] ** 2).sum(axis=2).mean()))
        points = transform_points(mean, invert_affine(crop_from_image))
        return Landmarks68(points, spread_px / _eye_span(mean))

    def _five_points_in_box(
        self, image_bgr_u8: ImageBgrU8, face: Detection, roll_deg: float
    ) -> PointsXY:
        """Five points from a first pass in the detector's box, of a face turned by that roll."""
        return five_of_68(self._points_in_box(image_bgr_u8, face, roll_deg))

    def _points_in_box(
        self, image_bgr_u8: ImageBgrU8, face: Detection, roll_deg: float
    ) -> PointsXY:
        left, top, right, bottom = face.box_ltrb
        centre = ((left + right) / 2, (top + bottom) / 2)
        crop_from_image = _square_crop(centre, (right - left + bottom - top) / 2, roll_deg)
        found = self._in_box(_crop(image_bgr_u8, crop_from_image), JITTERS[0])
        return transform_points(found, invert_affine(crop_from_image))

    def _samples(self, crop_grey: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(10, 68, 2) in crop pixels: each jittered box, straight and mirrored."""
        mirrored = np.ascontiguousarray(crop_grey[:, ::-1])
        straight = [self._in_box(crop_grey, jitter) for jitter in JITTERS]
        turned = [mirror_landmarks(self._in_box(mirrored, j), CROP_PX) for j in JITTERS]
        return np.array(straight + turned)

    def _in_box(self, crop_grey: NDArray[np.uint8], jitter: tuple[float, float, float]) -> PointsXY:
        x, y, growth = (round(part * BOX_PX) for part in jitter)
        box = dlib.rectangle(
            MARGIN_PX + x - growth // 2,
            MARGIN_PX + y - growth // 2,
            MARGIN_PX + BOX_PX - 1 + x + growth // 2,
            MARGIN_PX + BOX_PX - 1 + y + growth // 2,
        )
        return _as_array(self._predict(crop_grey, box))


@cache
def _shape_predictor() -> Any:
    """dlib's model, read once per process: 100 MB."""
    inside = "face_recognition_models/models/shape_predictor_68_face_landmarks.dat"
    return dlib.shape_predictor(str(packaged_file("face_recognition_models", inside)))


def _crop(image_bgr_u8: ImageBgrU8, crop_from_image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What the predictor looks at. It compares pixels by differences that it learned in light."""
    return brightened(grey_crop(image_bgr_u8, crop_from_image, CROP_PX))


def upright_crop(five_points: PointsXY) -> NDArray[np.float64] | None:
    """The matrix that turns the face of those five points upright into the middle of the crop, in
    a box like HOG's; None if the points are no face (one place, or mirrored)."""
    eyes = five_points[:2].mean(axis=0)
    mouth = five_points[3:].mean(axis=0)
    across, down = five_points[1] - five_points[0], mouth - eyes
    # Both directions together: in profile the eyes lie close, and their line says little.
    right = across + np.array([down[1], -down[0]])
    if across[0] * down[1] - across[1] * down[0] <= 0 or not right.any():
        return None
    side = EYES_SHARE * float(np.hypot(*across)) + MOUTH_SHARE * float(np.hypot(*down))
    roll_deg = float(np.degrees(np.arctan2(right[1], right[0])))
    return _square_crop(tuple((eyes + mouth) / 2), side, roll_deg)


def five_of_68(points: PointsXY) -> PointsXY:
    """(5, 2): eyes, nose tip and mouth corners of (68, 2) landmarks."""
    return np.array(
        [
            points[_LEFT_EYE].mean(axis=0),
            points[_RIGHT_EYE].mean(axis=0),
            points[_NOSE_TIP],
            points[_MOUTH_LEFT],
            points[_MOUTH_RIGHT],
        ]
    )


def _clearest(tries: Iterable[Landmarks68 | None]) -> Landmarks68 | None:
    """Those that agree best; behind clear ones nothing is tried."""
    best: Landmarks68 | None = None
    for one in tries:
        best = min(best, one, key=_spread)
        if _spread(best) <= CLEAR_SPREAD:
            break
    return best


def _is_turned_head(face: Detection) -> bool:
    five = face.five_points
    return five is not None and abs(yaw_of_five_points(five)) > TURNED_HEAD_YAW_RAD


def _spread(found: Landmarks68 | None) -> float:
    return float("inf") if found is None or found.spread is None else found.spread


def _eye_span(points: PointsXY) -> float:
    return max(float(np.hypot(*(points[45] - points[36]))), 1e-6)


def _square_crop(centre_xy: tuple[float, ...], side: float, roll_deg: float) -> NDArray[np.float64]:
    matrix = cv2.getRotationMatrix2D(centre_xy, roll_deg, BOX_PX / max(side, 1e-6))
    matrix[:, 2] += CROP_PX / 2 - np.array(centre_xy)
    return np.asarray(matrix)


def _as_array(shape: Any) -> PointsXY:
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)
