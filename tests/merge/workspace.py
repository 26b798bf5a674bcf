"""A small workspace to merge in: made frames, faces where wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.faces.alignment import MEAN_FACE_51
from engine.faces.face_data import FaceData
from engine.faces.face_file import write_face
from engine.faces.face_type import FaceType
from engine.protocol.workspace import Workspace

FRAME_HW = (80, 120)


def made_landmarks(left: float = 30, top: float = 25, side: float = 30) -> np.ndarray:
    """An upright face: the mean face with a round jaw (test vectors of the specification, 12)."""
    angle = (np.arange(17) - 8) / 8 * np.pi / 2
    jaw = np.stack([0.490127 + 0.55 * np.sin(angle), 0.25 + 0.95 * np.cos(angle)], axis=1)
    return np.concatenate([jaw, MEAN_FACE_51]) * side + (left, top)


def write_frame(workspace: Workspace, name: str, seed: int, hw: tuple[int, int] = FRAME_HW) -> Path:
    """A frame of soft noise, different for every seed."""
    path = workspace.dst.frames / name
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*hw, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 2))
    return path


def write_face_of(
    workspace: Workspace, frame_name: str, number: int = 0, landmarks: np.ndarray | None = None
) -> Path:
    """An aligned face that says it is from that frame."""
    found = made_landmarks() if landmarks is None else landmarks
    path = workspace.dst.aligned / f"{Path(frame_name).stem}_{number}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = FaceData(FaceType.FULL, found, source_filename=frame_name, source_landmarks=found)
    write_face(path, np.zeros((32, 32, 3), np.uint8), 90, replace(data))
    return path


def merge_workspace(root: Path, *, frames: int, without_face: Sequence[int] = ()) -> Workspace:
    """Frames 00001.png and on, each with one face unless its number is in `without_face`."""
    workspace = Workspace(root)
    for number in range(1, frames + 1):
        name = f"{number:05d}.png"
        write_frame(workspace, name, seed=number)
        if number not in without_face:
            write_face_of(workspace, name)
    return workspace
