"""Faces that stand in where there are none yet: their pictures mean nothing, but take as much time
and memory as real ones."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import cv2
import numpy as np

from engine.faces.alignment import MEAN_FACE_51, Points
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType

COUNT = 8
SIDE_PX = 512  # what faces-extract makes unless told otherwise


@dataclass(frozen=True, eq=False)
class MadeFace:
    """See `engine.train.side_faces.Face`."""

    name: str
    data: FaceData
    jpeg: bytes

    def read_jpeg(self) -> bytes:
        return self.jpeg


def made_faces(face_type: FaceType) -> list[MadeFace]:
    """A few faces of that type, of the usual size."""
    data = FaceData(face_type, _front_face(SIDE_PX / 2, SIDE_PX / 4))
    return [MadeFace(f"made {number}", data, _jpeg(number)) for number in range(COUNT)]


def _front_face(size_px: float, at_px: float) -> Points:
    """68 points: the mean face in a square of `size_px`, and a jaw on an ellipse around it."""
    turns = [(point - 8) / 8 * pi / 2 for point in range(17)]
    jaw = [(0.49 + 0.55 * sin(turn), 0.25 + 0.95 * cos(turn)) for turn in turns]
    return np.concatenate([np.array(jaw), MEAN_FACE_51]) * size_px + at_px


def _jpeg(seed: int) -> bytes:
    """Soft blotches: a photograph's kind of content, so that decoding takes as long."""
    coarse = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
    picture = cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", picture)[1])
