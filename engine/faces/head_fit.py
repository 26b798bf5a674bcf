"""Head angles and the landmarks' plausibility for many faces at once, by an affine fit.

A face crop holds so little perspective that the camera fit of `engine.faces.pose` (DeepFaceLab's)
puts more than half of real heads behind the camera, which moves their angles by up to 10 degrees.
Without perspective there is one answer, it changes smoothly, and what the landmarks differ from it
by tells of wrong ones. The index holds these angles; sorting in DeepFaceLab's order takes the
others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.faces.pose import HEAD_MM, POSE_POINTS

Floats = NDArray[np.float64]

_LEAST_SCALE = 1e-9  # of the head's millimetres; what rounding leaves of a single point is less


@dataclass(frozen=True, eq=False)
class HeadFits:
    """(n,) each; signs as in `engine.faces.pose.Pose`. misfit: root mean square distance of the
    landmarks from the fitted head's, in lengths of its jaw's width; infinite where the landmarks
    have no extent, and the angles then mean nothing."""

    pitch_rad: Floats
    yaw_rad: Floats
    roll_rad: Floats
    misfit: Floats


def fit_heads(landmarks_xy: Floats) -> HeadFits:
    """Fit the head to landmarks (n, 68, 2), of any scale, finite."""
    points = landmarks_xy[:, list(POSE_POINTS)]
    points = points - points.mean(axis=1, keepdims=True)
    head = HEAD_MM - HEAD_MM.mean(axis=0)
    affine = np.einsum("pk,npx->nxk", np.linalg.pinv(head).T, points)  # (n, 2, 3)
    rows, scales = _orthonormal(affine)
    fitted = scales[:, None, None] * np.einsum("nxk,pk->npx", rows, head)
    jaw_mm = float(np.ptp(HEAD_MM[:17, 0]))
    distance = np.sqrt(((points - fitted) ** 2).sum(axis=2).mean(axis=1))
    has_extent = scales > _LEAST_SCALE
    third = np.cross(rows[:, 0], rows[:, 1])
    yaw_cosine = np.hypot(rows[:, 0, 0], rows[:, 1, 0])
    return HeadFits(
        pitch_rad=-np.arctan2(third[:, 1], third[:, 2]),
        yaw_rad=np.arctan2(-third[:, 0], yaw_cosine),
        roll_rad=np.arctan2(rows[:, 1, 0], rows[:, 0, 0]),
        misfit=np.where(has_extent, distance / np.where(has_extent, scales * jaw_mm, 1.0), np.inf),
    )


def _orthonormal(affine: Floats) -> tuple[Floats, Floats]:
    """The nearest pair of orthonormal rows to each (2, 3) matrix, and their scale."""
    left, singular, right = np.linalg.svd(affine, full_matrices=False)
    return left @ right, singular.mean(axis=1)
