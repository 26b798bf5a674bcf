"""Colour transfer: give one picture the colours of another. One function and one row per method."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Transfer = Callable[[Floats, Floats, Floats], Floats]

# Spread below which a Lab channel counts as flat: scaling it would only amplify rounding.
FLAT_SPREAD = 1e-6


def transfer_colours(source_bgr: Floats, target_bgr: Floats, method: str, area: Floats) -> Floats:
    """`source_bgr` with the colours of `target_bgr`.

    Pictures are (h, w, 3) float32, BGR, 0..1; `area` is (h, w) float32, the part of both that the
    statistics are taken from. The result is float32, 0..1. Raises `KeyError` for an unknown method.
    """
    return TRANSFERS[method](source_bgr, target_bgr, area)


def reinhard(
    source_bgr: Floats, target_bgr: Floats, area: Floats, target_area: Floats | None = None
) -> Floats:
    """Reinhard et al. 2001 in CIE Lab: each channel takes over the target's mean and spread.

    As in DeepFaceLab, pixels outside of the area (< 0.5) count as zero instead of not at all. It
    differs from DeepFaceLab where a channel of the source is flat: that keeps its flatness there,
    while DeepFaceLab divides by zero.
    """
    source_lab = _lab(source_bgr)
    mean, spread = _lab_statistics(source_lab, area)
    wanted_mean, wanted_spread = _lab_statistics(
        _lab(target_bgr), area if target_area is None else target_area
    )
    gain = np.where(spread > FLAT_SPREAD, wanted_spread / np.maximum(spread, FLAT_SPREAD), 1.0)
    moved_lab = (source_lab - mean) * gain.astype(np.float32) + wanted_mean
    moved_lab[..., 0] = np.clip(moved_lab[..., 0], 0, 100)
    moved_lab[..., 1:] = np.clip(moved_lab[..., 1:], -127, 127)
    bgr: Floats = cv2.cvtColor(moved_lab, cv2.COLOR_LAB2BGR)
    return np.clip(bgr, 0, 1)


def unchanged(source_bgr: Floats, _target_bgr: Floats, _area: Floats) -> Floats:
    """No transfer."""
    return source_bgr


TRANSFERS: dict[str, Transfer] = {
    "none": unchanged,
    "rct": reinhard,
}


def _lab(image_bgr: Floats) -> Floats:
    lab: Floats = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2LAB)
    return lab


def _lab_statistics(image_lab: Floats, area: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each channel with everything outside of the area at zero."""
    counted = image_lab * (area >= 0.5)[..., None]
    mean, spread = cv2.meanStdDev(counted)
    return mean[:, 0].astype(np.float32), spread[:, 0].astype(np.float32)
