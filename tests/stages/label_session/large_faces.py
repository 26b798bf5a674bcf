"""Made faces as large as people work on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.protocol.workspace import Workspace
from tests.faces.face_files import face_data, picture
from tests.faces.landmarks import front_face

FACE_PX = 512


def large_faces(root: Path, count: int = 2, side: str = "dst") -> Path:
    """Write faces of 512 px, 00000_0.jpg and so on; returns their folder."""
    folder = Workspace(root).side(side).aligned
    folder.mkdir(parents=True)
    matrix = face_from_frame(front_face(), FACE_PX, FaceType.WHOLE_FACE)
    data = replace(
        face_data(),
        landmarks=transform_points(front_face(), matrix),
        image_to_face_mat=matrix,
    )
    for number in range(count):
        jpeg = encode_face_jpeg(picture(FACE_PX, seed=number), 95, data)
        (folder / f"{number:05d}_0.jpg").write_bytes(jpeg)
    return folder
