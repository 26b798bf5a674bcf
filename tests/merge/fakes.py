"""A predictor that knows nothing: the reference material's fake callbacks, or plain made ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.faces.face_type import FaceType
from engine.models.predictor import Prediction
from tests.support.shared import shared_path


@dataclass
class FakePredictor:
    """Answers every crop with the same face and masks, and remembers what it was given."""

    face_bgr: np.ndarray
    mask_src: np.ndarray
    mask_dst: np.ndarray
    face_type: FaceType = FaceType.FULL
    iteration: int = 1
    fingerprint: str = "first"
    given: np.ndarray | None = None

    @property
    def resolution(self) -> int:
        return self.face_bgr.shape[0]

    def predict(self, crops_bgr: np.ndarray, morph_factors: np.ndarray | None = None) -> Prediction:
        self.given = crops_bgr
        count = len(crops_bgr)
        return Prediction(
            np.repeat(self.face_bgr[None], count, axis=0),
            np.repeat(self.mask_src[None], count, axis=0),
            np.repeat(self.mask_dst[None], count, axis=0),
        )


def golden_predictor(face_type_name: str) -> FakePredictor:
    """The predictor that the reference frames were merged with."""
    fakes = np.load(shared_path("golden", "merge", "fakes.npz"))
    return FakePredictor(
        fakes[f"face_{face_type_name}"],
        fakes["mask_prd"],
        fakes["mask_dst"],
        FaceType.from_dfl(face_type_name),
    )


def round_predictor(resolution: int = 32, face_type: FaceType = FaceType.FULL) -> FakePredictor:
    """A green face in a round mask."""
    y, x = np.mgrid[:resolution, :resolution] - (resolution - 1) / 2
    disc = (np.hypot(x, y) < resolution * 0.4).astype(np.float32)
    face = np.zeros((resolution, resolution, 3), np.float32)
    face[..., 1] = 0.8
    return FakePredictor(face, disc, disc.copy(), face_type)
