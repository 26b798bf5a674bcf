"""What merging asks of a trained model: faces in, swapped faces and masks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_type import FaceType


@dataclass(frozen=True)
class Prediction:
    """The swapped faces of n crops of R x R pixels.

    face_bgr: (n, R, R, 3) float32, 0..1. mask_src, mask_dst: (n, R, R) float32, 0..1, the masks that
    the src decoder ("learned-prd") and the dst decoder ("learned-dst") see in the dst crops.
    """

    face_bgr: NDArray[np.float32]
    mask_src: NDArray[np.float32]
    mask_dst: NDArray[np.float32]


class FacePredictor(Protocol):
    """A model ready to merge with. Not for several threads at once."""

    @property
    def resolution(self) -> int:
        """R: side of the crops in pixels."""
        ...

    @property
    def face_type(self) -> FaceType:
        """How much of the head the crops show."""
        ...

    @property
    def iteration(self) -> int:
        """How far the model was trained; with the name it identifies the weights."""
        ...

    def predict(self, crops_bgr: NDArray[np.float32]) -> Prediction:
        """Swap the faces in dst crops: (n, R, R, 3) float32, 0..1, n >= 1. n may vary."""
        ...
