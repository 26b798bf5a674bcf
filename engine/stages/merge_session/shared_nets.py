"""Nets for several threads, one at a time: frames are predicted while others are shown."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.merge.face_nets import FaceEnlarger, FaceNets, FaceSegmenter
from engine.models.predictor import FacePredictor, Prediction

Floats = NDArray[np.float32]


def shared_nets(nets: FaceNets) -> FaceNets:
    """The same nets, of which one is asked or loaded at a time, by any thread."""
    turn = threading.Lock()

    def load_enlarger() -> FaceEnlarger:
        with turn:
            return _SharedEnlarger(nets.enlarger, turn)

    def load_segmenter() -> FaceSegmenter:
        with turn:
            return _SharedSegmenter(nets.segmenter, turn)

    predictor = _SharedPredictor(nets.predictor, turn)
    return FaceNets(
        predictor, load_enlarger, load_segmenter, nets.has_morph_factor, nets.model_class
    )


@dataclass(frozen=True)
class _SharedPredictor:
    predictor: FacePredictor
    turn: threading.Lock

    @property
    def resolution(self) -> int:
        return self.predictor.resolution

    @property
    def face_type(self) -> FaceType:
        return self.predictor.face_type

    @property
    def iteration(self) -> int:
        return self.predictor.iteration

    @property
    def fingerprint(self) -> str:
        return self.predictor.fingerprint

    def predict(self, crops_bgr: Floats, morph_factors: Floats | None = None) -> Prediction:
        with self.turn:
            return self.predictor.predict(crops_bgr, morph_factors)


@dataclass(frozen=True)
class _SharedEnlarger:
    enlarger: FaceEnlarger
    turn: threading.Lock

    @property
    def fingerprint(self) -> str:
        return self.enlarger.fingerprint

    def enlarge(self, face_bgr: Floats) -> Floats:
        with self.turn:
            return self.enlarger.enlarge(face_bgr)


@dataclass(frozen=True)
class _SharedSegmenter:
    segmenter: FaceSegmenter
    turn: threading.Lock

    @property
    def fingerprint(self) -> str:
        return self.segmenter.fingerprint

    def masks(self, faces_bgr: Floats) -> Floats:
        with self.turn:
            return self.segmenter.masks(faces_bgr)
