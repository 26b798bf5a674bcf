"""Gaussian blur, also of hundreds of pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def gaussian_blur(image: Floats, kernel_px: int) -> Floats:
    """The picture blurred by OpenCV's Gaussian of an odd kernel of that side."""
    blurred: Floats = cv2.GaussianBlur(image, (kernel_px, kernel_px), 0)
    return blurred
