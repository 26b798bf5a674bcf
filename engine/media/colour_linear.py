"""Colour transfer by one linear map of all pixels. Pictures (h, w, 3) float32, BGR, 0..1.

Pixels go through OpenCV alone: it lets other threads run, and is several times as fast as NumPy on
rows of three numbers.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Spread below which a Lab channel counts as flat: scaling it would only amplify rounding.
FLAT_SPREAD = 1e-6
# Added to the covariance, so that flat pictures have an inverse too; DeepFaceLab's number.
LCT_SOFTENING = 1e-5
_LEAST_LAB, _LARGEST_LAB = (0.0, -127.0, -127.0, 0.0), (100.0, 127.0, 127.0, 0.0)


def reinhard(
    source_bgr: Floats,
    target_bgr: Floats,
    area: Floats | None = None,
    target_area: Floats | None = None,
) -> Floats:
    """Reinhard et al. 2001 in CIE Lab: each channel takes over the target's mean and spread.

    As in DeepFaceLab, pixels outside of the area (< 0.5) count as zero instead of not at all; None
    is the whole picture. It differs from DeepFaceLab where a channel of the source is flat: that
    keeps its flatness there, while DeepFaceLab divides by zero.
    """
    source_lab = _lab(source_bgr)
    mean, spread = _lab_statistics(source_lab, area)
    wanted_mean, wanted_spread = _lab_statistics(
        _lab(target_bgr), area if target_area is None else target_area
    )
    gain = np.where(spread > FLAT_SPREAD, wanted_spread / np.maximum(spread, FLAT_SPREAD), 1.0)
    moved_lab = _moved(source_lab, mean, np.diag(gain), wanted_mean)
    moved_lab = cv2.min(cv2.max(moved_lab, _LEAST_LAB), _LARGEST_LAB)
    bgr: Floats = cv2.cvtColor(moved_lab, cv2.COLOR_LAB2BGR)
    return np.clip(bgr, 0, 1)


def principal_axes(source_bgr: Floats, target_bgr: Floats) -> Floats:
    """Mean and covariance take over the target's (the "PCA" map of Gatys et al. 2016)."""
    mean, covariance = _statistics(source_bgr, per_sample=False)
    wanted_mean, wanted = _statistics(target_bgr, per_sample=False)
    softening = LCT_SOFTENING * np.eye(3)
    matrix = _power(wanted + softening, 0.5) @ _power(covariance + softening, -0.5)
    return np.clip(_moved(source_bgr, mean, matrix, wanted_mean), 0, 1)


def monge_kantorovich(source_bgr: Floats, target_bgr: Floats) -> Floats:
    """The linear map that moves colours least (Pitie and Kokaram 2007, closed form)."""
    mean, covariance = _statistics(source_bgr, per_sample=True)
    wanted_mean, wanted = _statistics(target_bgr, per_sample=True)
    softening = np.finfo(np.float64).eps * np.eye(3)
    root = _power(covariance + softening, 0.5)
    inverse = _power(covariance + softening, -0.5)
    matrix = inverse @ _power(root @ wanted @ root, 0.5) @ inverse
    return np.clip(_moved(source_bgr, mean, matrix, wanted_mean), 0, 1)


def _lab(image_bgr: Floats) -> Floats:
    lab: Floats = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2LAB)
    return lab


def _lab_statistics(image_lab: Floats, area: Floats | None) -> tuple[Doubles, Doubles]:
    """Mean and standard deviation (3,) with everything outside of the area at zero."""
    counted = image_lab if area is None else image_lab * (area >= 0.5)[..., None]
    mean, spread = cv2.meanStdDev(counted)
    return np.asarray(mean[:, 0], np.float64), np.asarray(spread[:, 0], np.float64)


def _statistics(image_bgr: Floats, *, per_sample: bool) -> tuple[Doubles, Doubles]:
    """Mean (3,) and covariance (3, 3); `per_sample` divides by n - 1 instead of n."""
    pixels = image_bgr.reshape(-1, 3)
    rows = cv2.COVAR_NORMAL | cv2.COVAR_ROWS
    sums, mean = cv2.calcCovarMatrix(pixels, None, rows, ctype=cv2.CV_64F)
    return mean[0], sums / max(1, len(pixels) - per_sample)


def _power(symmetric: Doubles, exponent: float) -> Doubles:
    """A power of a positive matrix. Eigenvalues that rounding made negative count as tiny."""
    values, vectors = np.linalg.eigh(symmetric)
    raised: Doubles = vectors * np.maximum(values, np.finfo(np.float64).tiny) ** exponent
    return np.asarray(raised @ vectors.T, np.float64)


def _moved(image: Floats, mean: Doubles, matrix: Doubles, wanted_mean: Doubles) -> Floats:
    """Each pixel p as matrix (p - mean) + wanted_mean."""
    offset = wanted_mean - matrix @ mean
    moved: Floats = cv2.transform(image, np.column_stack([matrix, offset]))
    return moved
