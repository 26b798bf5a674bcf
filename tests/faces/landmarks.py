"""Made landmarks: a symmetric front face whose crops are known (the reference shape, enlarged)."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from engine.faces.alignment import MEAN_FACE_51, Points


def front_face(unit_px: float = 100.0, at: tuple[float, float] = (200.0, 150.0)) -> Points:
    """68 points: the mean face, `unit_px` per unit at `at`, with a jaw on an ellipse."""
    turns = [(i - 8) / 8 * pi / 2 for i in range(17)]
    jaw = [(0.490127 + 0.55 * sin(a), 0.25 + 0.95 * cos(a)) for a in turns]
    return np.concatenate([np.array(jaw), MEAN_FACE_51]) * unit_px + np.array(at)
