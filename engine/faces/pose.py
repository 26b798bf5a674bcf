"""How a head is turned, from its landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, hypot, pi

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Points, checked_landmarks
from engine.protocol.errors import InputError

# A head in millimetres, x right, y down, z away from the viewer: the 68-point model of the OpenFace
# project. Points 0..26 (jaw, brows) and 30..35 (nose): those that move little with the expression.
POSE_POINTS = (*range(27), *range(30, 36))
HEAD_MM: NDArray[np.float64] = np.array(
    [
        *[(-73.393523, -29.801432, 47.667532), (-72.775014, -10.949766, 45.909403)],
        *[(-70.533638, 7.929818, 44.84258), (-66.850058, 26.07428, 43.141114)],
        *[(-59.790187, 42.564390, 38.635298), (-48.368973, 56.48108, 30.750622)],
        *[(-34.121101, 67.246992, 18.456453), (-17.875411, 75.056892, 3.609035)],
        *[(0.098749, 77.061286, -0.881698), (17.477031, 74.758448, 5.181201)],
        *[(32.648966, 66.929021, 19.176563), (46.372358, 56.311389, 30.77057)],
        *[(57.34348, 42.419126, 37.628629), (64.388482, 25.45588, 40.886309)],
        *[(68.212038, 6.990805, 42.281449), (70.486405, -11.666193, 44.142567)],
        *[(71.375822, -30.365191, 47.140426), (-61.119406, -49.361602, 14.254422)],
        *[(-51.287588, -58.769795, 7.268147), (-37.8048, -61.996155, 0.442051)],
        *[(-24.022754, -61.033399, -6.606501), (-11.635713, -56.686759, -11.967398)],
        *[(12.056636, -57.391033, -12.051204), (25.106256, -61.902186, -7.315098)],
        *[(38.338588, -62.777713, -1.022953), (51.191007, -59.302347, 5.349435)],
        *[(60.053851, -50.190255, 11.615746), (1.226783, -8.414541, -36.94806)],
        *[(-14.772472, 2.598255, -20.132003), (-7.180239, 4.751589, -23.536684)],
        *[(0.55592, 6.5629, -25.944448), (8.272499, 4.661005, -23.695741)],
        *[(15.214351, 2.643046, -20.858157)],
    ]
)
Vector = NDArray[np.float64]  # (3, 1)
_GIMBAL_LIMIT = 1e-6  # below this cosine of the yaw, pitch and roll turn about the same axis
# OpenCV 5 ends its search up to 3e-4 rad before the best fit, where OpenCV 4 (DeepFaceLab's) went
# on. Begun again from where it ended it goes on, too: up to 11 times for the reference faces.
_SETTLED_RAD = 1e-6
_MOST_SEARCHES = 20


@dataclass(frozen=True)
class Pose:
    """Angles of a head, each within -pi/2..pi/2.

    pitch_rad: positive looking up. yaw_rad: positive with the nose towards the picture's left.
    roll_rad: positive turned clockwise.
    behind_camera: the fit put the head behind the camera. That happens with many real faces, since
    an aligned crop holds little perspective. Pitch and yaw remain usable and are what sorting in
    DeepFaceLab's order needs; the roll is then meaningless (cut at +-pi/2). What is shown to users
    comes from `engine.faces.head_fit`, which has no such case.
    """

    pitch_rad: float
    yaw_rad: float
    roll_rad: float
    behind_camera: bool = False


def estimate_pose(landmarks_xy: Points, image_size_px: int) -> Pose:
    """The pose of the face with these landmarks (68, 2) in an aligned square face picture.

    Assumes a camera whose focal length is the picture's width, as DeepFaceLab does; angles agree
    with its own to 1e-5 rad. Raises `InputError` where no head fits the landmarks at all.
    """
    points_px = checked_landmarks(landmarks_xy)[list(POSE_POINTS)]
    centre_px = image_size_px / 2
    camera = np.array(
        [(image_size_px, 0, centre_px), (0, image_size_px, centre_px), (0, 0, 1)], np.float64
    )
    rotation, distance_mm = _solve_head(points_px, camera)
    pitch, yaw, roll = (max(-pi / 2, min(pi / 2, angle)) for angle in _angles(rotation))
    return Pose(pitch, yaw, roll, behind_camera=distance_mm < 0)


def _solve_head(
    points_px: Points, camera: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    try:
        found, turn, shift_mm = cv2.solvePnP(HEAD_MM, points_px, camera, np.zeros(4))
        if found:
            turn, shift_mm = _settled(points_px, camera, turn, shift_mm)
    except cv2.error as error:
        raise _no_pose() from error
    if not found or not np.isfinite(turn).all() or not np.isfinite(shift_mm).all():
        raise _no_pose()
    return cv2.Rodrigues(turn)[0], float(shift_mm[2, 0])


def _settled(
    points_px: Points, camera: NDArray[np.float64], turn: Vector, shift_mm: Vector
) -> tuple[Vector, Vector]:
    """The turn and the shift to which the search leads that ended at these."""
    for _ in range(_MOST_SEARCHES):
        start = turn.copy()  # OpenCV writes into what it is given
        turn, shift_mm = cv2.solvePnPRefineLM(
            HEAD_MM, points_px, camera, np.zeros(4), turn, shift_mm
        )
        if not np.abs(turn - start).max() > _SETTLED_RAD:
            break
    return turn, shift_mm


def _angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    yaw_cosine = hypot(rotation[0, 0], rotation[1, 0])
    yaw = atan2(-rotation[2, 0], yaw_cosine)
    if yaw_cosine < _GIMBAL_LIMIT:
        return -atan2(-rotation[1, 2], rotation[1, 1]), yaw, 0.0
    pitch = atan2(rotation[2, 1], rotation[2, 2])
    return -pitch, yaw, atan2(rotation[1, 0], rotation[0, 0])


def _no_pose() -> InputError:
    return InputError("no head has these landmarks", "extract this face again", code="pose")
