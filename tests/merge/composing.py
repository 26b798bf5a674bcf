"""A frame composed in one call, and fakes of the nets beside the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.merge.compose import ComposedFrame, FrameLooks, compose_frame, raw_square_px
from engine.merge.face_nets import FaceNets
from engine.merge.faces import MergeFace, crop_faces, predict_faces, with_wanted
from engine.merge.motion import STILL, Motion
from engine.models.predictor import FacePredictor
from engine.protocol.look import Look
from tests.support.shared import shared_path


@dataclass
class NearestEnlarger:
    """Four times as large, without a thought."""

    fingerprint: str = "nearest"

    def enlarge(self, face_bgr: np.ndarray) -> np.ndarray:
        return face_bgr.repeat(4, axis=0).repeat(4, axis=1)


@dataclass
class FakeSegmenter:
    """The same two masks for every face; remembers what it was given."""

    prd: np.ndarray
    dst: np.ndarray
    fingerprint: str = "fake"
    given: np.ndarray | None = None

    def masks(self, faces_bgr: np.ndarray) -> np.ndarray:
        self.given = faces_bgr
        return np.stack([self.prd, self.dst])


def golden_segmenter() -> FakeSegmenter:
    """The XSeg that the reference frames were merged with."""
    fakes = np.load(Path(shared_path("golden", "merge", "fakes.npz")))
    return FakeSegmenter(fakes["xseg_prd"], fakes["xseg_dst"])


def fake_nets(predictor: FacePredictor, segmenter: FakeSegmenter | None = None) -> FaceNets:
    nets = FaceNets(predictor, NearestEnlarger)
    return nets if segmenter is None else replace(nets, load_segmenter=lambda: segmenter)


def faces_of(
    frame_bgr_u8: np.ndarray, landmarks: Sequence[np.ndarray], look: Look, nets: FaceNets
) -> list[MergeFace]:
    """The faces with all that the look wants."""
    crops = crop_faces(frame_bgr_u8, landmarks, nets.predictor)
    return [
        MergeFace(crop, with_wanted(predicted, frame_bgr_u8, crop, look, nets))
        for crop, predicted in zip(crops, predict_faces(crops, nets.predictor), strict=True)
    ]


def compose(
    frame_bgr_u8: np.ndarray,
    landmarks: Sequence[np.ndarray],
    look: Look,
    predictor: FacePredictor,
    motion: Motion = STILL,
    segmenter: FakeSegmenter | None = None,
) -> ComposedFrame:
    """One frame merged: crop, predict, compose."""
    faces = faces_of(frame_bgr_u8, landmarks, look, fake_nets(predictor, segmenter))
    square_px = raw_square_px([look], predictor.resolution)
    return compose_frame(frame_bgr_u8, faces, FrameLooks.same(look, len(faces)), square_px, motion)
