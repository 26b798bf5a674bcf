"""Pictures of bytes as pictures of floats and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def unit_floats(picture: NDArray[np.generic]) -> Floats:
    """A uint8 picture as float32 0..1; a float32 one as it is."""
    if picture.dtype == np.uint8:
        return picture.astype(np.float32) / np.float32(255)
    return picture.astype(np.float32, copy=False)


def eight_bit(picture: Floats) -> NDArray[np.uint8]:
    """0..1 as uint8, truncated as DeepFaceLab does; what came from 8 bits comes back unchanged."""
    return (np.clip(picture, 0, 1) * np.float32(255)).astype(np.uint8)
