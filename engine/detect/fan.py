"""68 landmarks by FAN with the user's weights, as DeepFaceLab 2.0 places them.

The face's box alone tells where to look, so a poor box makes poor landmarks. Hence the second pass:
the face is cut out by the first pass's landmarks, its box is found again in that upright crop, and
the mean over five shifted looks counts.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import (
    BoxLtrb,
    Detection,
    FaceDetector,
    ImageBgrU8,
    Landmarks68,
    PointsXY,
)
from engine.detect.fan_net import HEAT_PX, INPUT_PX, FanNet
from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError

# A box of 195 px (its mean side counts twice) is looked at with 200 px around its middle, twice.
BOX_UNIT_PX, LOOK_UNIT_PX = 195.0, 200.0
NEIGHBOUR_SHARE = 0.25
SECOND_CROP_PX, LEAST_FACE_PX = 256, 40
SHIFTS_PX = ((0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1))
# A look's pixels are averaged where so many or more of them make one of the net's.
OVERSAMPLING_FROM, MOST_OVERSAMPLING = 2, 8
LEAST_EXTENT_PX = 1.0
_INNER = slice(17, 68)


class FanLandmarker:
    """A `Landmarker`. A face found in a turned picture is looked at in that turn.

    second_look: finds the face again for the second pass; None to do without. The pass is left
    out, too, where it finds no face or several (of 40 px or more, as in DFL).
    """

    def __init__(self, net: FanNet, second_look: FaceDetector | None) -> None:
        self._net = net
        self._second_look = second_look

    def landmarks(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None:
        """The face's landmarks in the picture; None where no face has points so placed. Their
        spread is None where the second pass was left out."""
        [points] = self._looks(image_bgr_u8, [_Look(face.box_ltrb, (0, 0), face.turned_deg)])
        second = self._second_pass(image_bgr_u8, points) if self._second_look else None
        found = second or Landmarks68(points, None)
        return found if _can_be_cut(found.points) else None

    def _second_pass(self, image_bgr_u8: ImageBgrU8, points: PointsXY) -> Landmarks68 | None:
        if self._second_look is None or not _can_be_cut(points):
            return None
        crop_from_image = face_from_frame(points, SECOND_CROP_PX, FaceType.FULL)
        crop = cv2.warpAffine(
            image_bgr_u8, crop_from_image, (SECOND_CROP_PX, SECOND_CROP_PX), flags=cv2.INTER_LINEAR
        )
        [found] = self._second_look.detect([crop])
        faces = [face for face in found if min(face.width_px, face.height_px) >= LEAST_FACE_PX]
        if len(faces) != 1:
            return None
        samples = self._looks(crop, [_Look(faces[0].box_ltrb, shift) for shift in SHIFTS_PX])
        mean = samples.mean(axis=0)
        spread_px = float(np.sqrt(((samples - mean)[:, _INNER] ** 2).sum(axis=2).mean()))
        eyes_px = max(float(np.hypot(*(mean[45] - mean[36]))), 1e-6)
        return Landmarks68(
            transform_points(mean, invert_affine(crop_from_image)), spread_px / eyes_px
        )

    def _looks(self, image_bgr_u8: ImageBgrU8, looks: list[_Look]) -> NDArray[np.float64]:
        """(n, 68, 2): what each look sees, in pixels of the picture."""
        crops = np.stack([look.crop(image_bgr_u8) for look in looks])
        heat = self._net(np.asarray(crops[..., ::-1], np.float32) / 255.0)
        peaks = peaks_of(heat)
        return np.stack([look.in_image(own) for look, own in zip(looks, peaks, strict=True)])


class _Look:
    """A square around a box, turned upright, as the net sees it."""

    def __init__(self, box_ltrb: BoxLtrb, shift_px: tuple[int, int], turned_deg: int = 0) -> None:
        left, top, right, bottom = box_ltrb
        self._middle = np.array([left + right, top + bottom]) / 2 + shift_px
        self._side = max(LOOK_UNIT_PX * (right - left + bottom - top) / BOX_UNIT_PX, 1.0)
        self._upright = cv2.getRotationMatrix2D(tuple(self._middle.tolist()), turned_deg, 1.0)

    def crop(self, image_bgr_u8: ImageBgrU8) -> ImageBgrU8:
        """(256, 256, 3); black outside the picture."""
        # Whole pixels from one after the corner on, as DFL cuts them.
        low = np.trunc(self._middle + self._side * (1 / INPUT_PX - 0.5))
        scale = INPUT_PX / np.maximum(np.trunc(self._middle + self._side / 2) - low, 1.0)
        finer = int(np.clip(1 / scale.max(), 1, MOST_OVERSAMPLING))
        finer = finer if finer >= OVERSAMPLING_FROM else 1
        scale = scale * finer
        # Pixels are areas: the middle of the first of them is half a pixel from the corner.
        move = -(low - 0.5) * scale - 0.5
        to_crop = np.diag(scale) @ self._upright + np.array([[0.0, 0.0, move[0]], [0, 0, move[1]]])
        size = (INPUT_PX * finer, INPUT_PX * finer)
        crop = cv2.warpAffine(image_bgr_u8, to_crop, size, flags=cv2.INTER_LINEAR)
        if finer > 1:
            crop = cv2.resize(crop, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA)
        return np.asarray(crop)

    def in_image(self, heat_xy: PointsXY) -> PointsXY:
        """Points of the heat map in pixels of the picture."""
        upright = (heat_xy / HEAT_PX - 0.5) * self._side + self._middle
        return transform_points(upright, invert_affine(self._upright))


def peaks_of(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 68, 2): where each of the heat maps (n, 64, 64, 68) is highest, a quarter of a cell
    towards its higher neighbour; 0.5 is the middle of the first cell."""
    count, _, _, landmarks = heat.shape
    best = heat.reshape(count, -1, landmarks).argmax(axis=1)
    y, x = np.divmod(best, HEAT_PX)
    peaks = np.stack([x, y], axis=2) + 0.5
    inside = (x > 0) & (x < HEAT_PX - 1) & (y > 0) & (y < HEAT_PX - 1)
    n, point = np.nonzero(inside)
    at_x, at_y = x[n, point], y[n, point]
    slope_x = heat[n, at_y, at_x + 1, point] - heat[n, at_y, at_x - 1, point]
    slope_y = heat[n, at_y + 1, at_x, point] - heat[n, at_y - 1, at_x, point]
    peaks[n, point] += NEIGHBOUR_SHARE * np.sign(np.stack([slope_x, slope_y], axis=1))
    return peaks


def _can_be_cut(points: PointsXY) -> bool:
    """Whether a crop can be laid around the points: not if they lie in one place or on a line."""
    if np.ptp(points[_INNER], axis=0).min() < LEAST_EXTENT_PX:
        return False
    try:
        invert_affine(face_from_frame(points, SECOND_CROP_PX, FaceType.FULL))
    except InputError:
        return False
    return True
