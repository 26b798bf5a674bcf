"""Facesets and indexes made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.faces.face_file import replace_face_data
from engine.faces.face_index import IndexWriter, ReadFile, chunks, read_files
from engine.protocol.face_index import FileState, index_path, pack_points
from engine.protocol.workspace import Side, Workspace
from tests.faces.face_files import face_data, plain_jpeg
from tests.faces.landmarks import front_face


def face_jpeg(seed: int = 0, **changes: Any) -> bytes:
    """A face file of 64 px; `changes` of its metadata."""
    return replace_face_data(plain_jpeg(seed=seed), face_data(**changes))


def make_faces(side: Side, count: int) -> list[str]:
    """Write faces 00000_0.jpg and so on; returns their names."""
    side.aligned.mkdir(parents=True, exist_ok=True)
    names = [f"{number:05d}_0.jpg" for number in range(count)]
    for number, name in enumerate(names):
        (side.aligned / name).write_bytes(face_jpeg(number, source_filename=f"{number:05d}.png"))
    return names


def bring_up_to_date(root: Path, side_name: str = "dst") -> list[str]:
    """Index a side in this process; returns the files that were read."""
    workspace = Workspace(root)
    with IndexWriter(index_path(workspace, side_name)) as writer:
        files = writer.files_to_read(workspace.side(side_name))
        for chunk in chunks(files):
            writer.add(read_files(chunk))
    return [file.name for file in files]


def generated_index(path: Path, count: int) -> None:
    """An index of `count` faces that never were, with angles and sharpness at random."""
    random = np.random.default_rng(0)
    angles = random.normal(0, 0.4, (count, 3))
    sharpness = random.gamma(2, 20, count)
    landmarks, thumb = pack_points(front_face().tolist()), bytes(24 * 24)
    with IndexWriter(path) as writer:
        for row in range(count):
            name, state = f"{row:06d}_0.jpg", FileState(row, 50_000)
            kind = (f"{row:06d}.png", "whole_face", 512, 512)
            measured = (*angles[row].tolist(), float(sharpness[row]), 0.5, 0.0, 0.1)
            values = (name, "", *state, *kind, *measured, 40_000, 0, 0, row, None)
            writer.add([ReadFile(name, state, values, (landmarks, landmarks, thumb))])
