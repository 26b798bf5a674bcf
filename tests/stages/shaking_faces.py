"""A workspace with a face that moves evenly over made frames, and landmarks that shake."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.face_cut import Crop, cut_face
from tests.faces.landmarks import front_face

BOX_LTRB = (150, 100, 400, 380)


def make_shaking_faces(root: Path, frames: int) -> None:
    """`00001.png` and so on of dst, each with one face of 256 px and quality 87."""
    side = Workspace(root).dst
    side.aligned.mkdir(parents=True)
    random = np.random.default_rng(1)
    pattern = cv2.resize(random.integers(0, 255, (24, 32, 3), np.uint8), (640, 480))
    for number in range(1, frames + 1):
        frame = np.roll(pattern, 2 * number, axis=1)
        name = f"{number:05d}.png"
        cv2.imwrite(str(side.frames / name), frame)
        truth = front_face(160.0, (200.0 + 2 * number, 120.0))
        points = truth + random.normal(0, 0.4, truth.shape)
        write_face_of(side.aligned / f"{number:05d}_0.jpg", frame, name, points)


def write_face_of(path: Path, frame_bgr_u8: np.ndarray, name: str, points: np.ndarray) -> None:
    """The face with those landmarks in the frame of that name."""
    picture, data = cut_face(frame_bgr_u8, name, points, BOX_LTRB, Crop(FaceType.WHOLE_FACE, 256))
    path.write_bytes(encode_face_jpeg(picture, 87, data))
