"""Masks made smaller or larger by a disc, also by hundreds of pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def eroded(mask: Floats, diameter_px: int) -> Floats:
    """The mask shrunk by an ellipse of that diameter, or grown when negative."""
    if diameter_px == 0:
        return mask
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(diameter_px), abs(diameter_px)))
    result: Floats = (cv2.erode if diameter_px > 0 else cv2.dilate)(mask, ellipse)
    return result
