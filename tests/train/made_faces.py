"""Tiny made facesets: drawn faces with landmarks that fit them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.faces.alignment import MEAN_FACE_51, face_from_frame, transform_points
from engine.faces.face_data import FaceData
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType

# Chin line around the mean face's unit square, left to right: half an ellipse.
_ANGLES = np.linspace(0, np.pi, 17)
_JAW = np.stack([0.49 - 0.62 * np.cos(_ANGLES), 0.25 + 0.95 * np.sin(_ANGLES)], axis=1)
MEAN_FACE_68 = np.concatenate([_JAW, MEAN_FACE_51])


def made_face(
    number: int, side_px: int = 128, face_type: FaceType = FaceType.FULL, hue: int = 10
) -> tuple[np.ndarray, FaceData]:
    """A drawn face (side, side, 3) BGR and its metadata; `number` changes its details."""
    rng = np.random.default_rng([number, hue])
    in_frame = MEAN_FACE_68 * 100 + rng.uniform(-1, 1, (68, 2))
    face_from_unit = face_from_frame(in_frame, side_px, face_type)
    landmarks = transform_points(in_frame, face_from_unit)
    image = np.full((side_px, side_px, 3), rng.integers(20, 90, 3), np.uint8)
    skin = cv2.cvtColor(np.uint8([[[hue, 130, 200]]]), cv2.COLOR_HSV2BGR)[0, 0].tolist()
    cv2.fillConvexPoly(image, cv2.convexHull(np.int32(landmarks)), skin)
    for part in (range(36, 42), range(42, 48), range(48, 60)):
        colour = rng.integers(0, 120, 3).tolist()
        cv2.fillConvexPoly(image, cv2.convexHull(np.int32(landmarks[list(part)])), colour)
    return image, FaceData(face_type, landmarks, source_filename=f"{number:05d}.png")


def face_file(number: int, **details) -> bytes:
    image, data = made_face(number, **details)
    return encode_face_jpeg(image, 95, data)


def write_faceset(folder: Path, count: int, **details) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:05d}_0.jpg").write_bytes(face_file(number, **details))
    return folder


def write_workspace(root: Path, count: int = 6) -> Path:
    """A workspace with both facesets."""
    write_faceset(root / "data_src" / "aligned", count, hue=10)
    write_faceset(root / "data_dst" / "aligned", count, hue=100)
    return root
