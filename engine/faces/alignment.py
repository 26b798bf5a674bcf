"""From 68 landmarks to the matrix that cuts the face out of its frame, and back.

Landmarks are iBUG-68 points (x, y), 0-based pixels, float. Matrices are 2x3 affine and carry their
direction in the name: `face_from_frame @ (x, y, 1)` is the point in the face. The rules are those
of DeepFaceLab's aligned faces; agreement with its numbers is tested to 1e-3 px.
"""

from __future__ import annotations

from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError

Points = NDArray[np.float64]  # (n, 2): x, y
Matrix = NDArray[np.float64]  # (2, 3)

# The mean face that dlib's get_face_chip_details aligns to (Boost licence): points 17..67 of the
# 68, in a unit square from the brows to below the lower lip.
MEAN_FACE_51: Points = np.array(
    [
        *[(0.000213256, 0.106454), (0.0752622, 0.038915), (0.18113, 0.0187482)],
        *[(0.29077, 0.0344891), (0.393397, 0.0773906), (0.586856, 0.0773906)],
        *[(0.689483, 0.0344891), (0.799124, 0.0187482), (0.904991, 0.038915)],
        *[(0.98004, 0.106454), (0.490127, 0.203352), (0.490127, 0.307009)],
        *[(0.490127, 0.409805), (0.490127, 0.515625), (0.36688, 0.587326)],
        *[(0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345)],
        *[(0.613373, 0.587326), (0.121737, 0.216423), (0.187122, 0.178758)],
        *[(0.265825, 0.179852), (0.334606, 0.231733), (0.260918, 0.245099)],
        *[(0.182743, 0.244077), (0.645647, 0.231733), (0.714428, 0.179852)],
        *[(0.793132, 0.178758), (0.858516, 0.216423), (0.79751, 0.244077)],
        *[(0.719335, 0.245099), (0.254149, 0.780233), (0.340985, 0.745405)],
        *[(0.428858, 0.727388), (0.490127, 0.742578), (0.551395, 0.727388)],
        *[(0.639268, 0.745405), (0.726104, 0.780233), (0.642159, 0.864805)],
        *[(0.556721, 0.902192), (0.490127, 0.909281), (0.423532, 0.902192)],
        *[(0.338094, 0.864805), (0.290379, 0.784792), (0.428096, 0.778746)],
        *[(0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792)],
        *[(0.553364, 0.824182), (0.490127, 0.831803), (0.42689, 0.824182)],
    ]
)

# The fit uses brows, nose, eyes and the two mouth corners: the moving mouth and the jaw are out.
FITTED_POINTS = (*range(17, 49), 54)
_FITTED_MEAN: Points = MEAN_FACE_51[[index - 17 for index in FITTED_POINTS]]

# Pairs of points that change places when a face is mirrored.
_MIRROR_PAIRS = (
    *((0, 16), (1, 15), (2, 14), (3, 13), (4, 12), (5, 11), (6, 10), (7, 9)),  # jaw
    *((17, 26), (18, 25), (19, 24), (20, 23), (21, 22)),  # brows
    *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),  # eyes
    *((31, 35), (32, 34)),  # nose
    *((50, 52), (49, 53), (48, 54), (59, 55), (58, 56), (67, 65), (60, 64), (61, 63)),  # mouth
)

WHOLE_FACE_LIFT = 0.07  # the whole-face crop sits this share of the unit square higher
HEAD_LIFT = 0.5  # and the head crop this, so that it shows the hair


def face_from_frame(
    landmarks_xy: Points, size_px: int, face_type: FaceType, scale: float = 1.0
) -> Matrix:
    """The crop matrix: frame pixels to pixels of a `size_px` square face of `face_type`.

    landmarks_xy: (68, 2) in the frame (or in any aligned face that is to be cut anew).
    scale: above 1 the crop shows less of the frame, below 1 more.
    Returns (2, 3) float64, to be given to `cv2.warpAffine` as it is.
    Raises `InputError` for landmarks that are not 68 finite, distinct points and for `MARK_ONLY`.
    """
    corners = _crop_square(landmarks_xy, face_type, scale)[:3]
    target = np.array([(0, 0), (size_px, 0), (size_px, size_px)], np.float32)
    # float32 as in DeepFaceLab (and OpenCV takes nothing else)
    matrix: Matrix = cv2.getAffineTransform(corners.astype(np.float32), target)
    return matrix


def crop_corners(landmarks_xy: Points, face_type: FaceType, scale: float = 1.0) -> Points:
    """The crop's corners in the frame, (4, 2): top left, top right, bottom right, bottom left."""
    return _crop_square(landmarks_xy, face_type, scale)


def transform_points(points: Points, matrix: Matrix) -> Points:
    """The points (n, 2) mapped by a 2x3 matrix; always (n, 2) float64."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert_affine(matrix: Matrix) -> Matrix:
    """The 2x3 matrix of the opposite direction. Raises `InputError` if there is none."""
    linear = np.asarray(matrix[:, :2], np.float64)
    if not np.isfinite(matrix).all() or linear[0, 0] * linear[1, 1] == linear[0, 1] * linear[1, 0]:
        raise InputError("the crop matrix cannot be inverted", "extract this face again")
    inverse = np.linalg.inv(linear)
    return np.hstack([inverse, -inverse @ matrix[:, 2:]])


def mirror_landmarks(points: Points, width_px: int) -> Points:
    """The 68 landmarks of the picture flipped left to right, renumbered to stay iBUG order."""
    order = np.arange(68)
    for left, right in _MIRROR_PAIRS:
        order[[left, right]] = right, left
    mirrored = np.asarray(points, np.float64)[order]
    mirrored[:, 0] = width_px - mirrored[:, 0] - 1
    return mirrored


def averaged_yaw(landmarks_xy: Points) -> float:
    """Left minus right cheek width, in the landmarks' unit: 0 for a face seen from the front."""
    x = np.asarray(landmarks_xy, np.float64)[:, 0]
    left = np.mean([x[27] - x[0], x[28] - x[1], x[29] - x[2]])
    right = np.mean([x[16] - x[27], x[15] - x[28], x[14] - x[29]])
    return float(right - left)


def checked_landmarks(landmarks_xy: object) -> Points:
    """The landmarks as (68, 2) float64. Raises `InputError` unless they are 68 finite points."""
    points = np.asarray(landmarks_xy, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise InputError(
            f"expected 68 finite landmarks, got an array of shape {points.shape}",
            "extract this face again",
            code="landmarks",
        )
    return points


def _crop_square(landmarks_xy: Points, face_type: FaceType, scale: float) -> Points:
    if face_type is FaceType.MARK_ONLY:
        raise InputError("the face type mark_only has no crop", "choose h, mf, f, wf or head")
    landmarks = checked_landmarks(landmarks_xy)
    unit_from_frame = fit_similarity(landmarks[list(FITTED_POINTS)], _FITTED_MEAN)
    frame_from_unit = invert_affine(unit_from_frame)
    unit_square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0.5)], np.float64)
    top_left, top_right, _, bottom_left, centre = transform_points(unit_square, frame_from_unit)
    right, up = top_right - top_left, top_left - bottom_left  # as long as the unit square's side
    if face_type is FaceType.WHOLE_FACE:
        centre = centre + WHOLE_FACE_LIFT * up
    elif face_type is FaceType.HEAD:
        yaw = averaged_yaw(transform_points(landmarks, unit_from_frame))
        # towards the back of the head, the more the further the face is turned
        centre = centre + yaw * abs(np.tanh(2 * yaw)) / 2 * right + HEAD_LIFT * up
    half_side = face_type.crop_side / scale / 2
    if face_type.is_upright:
        side_px = sqrt(float(right @ right))
        right, up = np.array([side_px, 0.0]), np.array([0.0, -side_px])
    r, u = half_side * right, half_side * up
    return np.array([centre - r + u, centre + r + u, centre + r - u, centre - r - u])


def fit_similarity(source: Points, target: Points) -> Matrix:
    """The least-squares rotation, uniform scale and shift from source to target points (n, 2).

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE PAMI 13(4), 1991, equations 40-43: the rotation never becomes a reflection.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = float((source_centred**2).sum()) / len(source)
    covariance = target_centred.T @ source_centred / len(source)
    left, singular, right = np.linalg.svd(covariance)
    if variance == 0.0 or singular[0] == 0.0:
        raise InputError("the landmarks all lie on one point", "extract this face again")
    sign = np.array([1.0, 1.0 if np.linalg.det(left) * np.linalg.det(right) > 0 else -1.0])
    linear = float(singular @ sign) / variance * (left * sign) @ right
    return np.hstack([linear, (target_mean - linear @ source_mean)[:, None]])
