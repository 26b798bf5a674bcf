"""Every operation of a manual extraction, verified from the files that it wrote."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.protocol.events import ManualFace
from engine.protocol.manual_commands import (
    ManualGo,
    ManualKeep,
)
from engine.protocol.workspace import Workspace
from tests.stages.extracting import workspace
from tests.stages.faces_manual.serving import Viewer, face_file, serving, square

FRAMES = 6


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six frames of a nearly still face, without faces."""
    return workspace(tmp_path, "pairA_dst.mp4", range(FRAMES))


def told_points(face: ManualFace) -> np.ndarray:
    return np.array(face.points)


def keep(viewer: Viewer, frame: int) -> ManualFace:
    """Place the square in that frame and keep what is seen there."""
    viewer.send(ManualGo(frame=frame), square(frame, seq=100 + frame), ManualKeep(frame=frame))
    return viewer.first(ManualFace, 0, lambda face: face.kept and face.frame == frame)


def test_a_kept_face_is_in_its_file_with_landmarks_box_and_matrix(root: Path) -> None:
    with serving(root) as viewer:
        face = viewer.look(square(0))
        viewer.face_where(lambda face: face.kept, ManualKeep(frame=0))
    data = face_file(root, 0)
    assert data is not None and data.source_landmarks is not None
    points = np.array(data.source_landmarks)
    assert np.abs(points - told_points(face)).max() < 0.01
    assert data.face_type is FaceType.WHOLE_FACE and data.source_filename == "00001.png"
    assert data.source_rect is not None and data.image_to_face_mat is not None
    box = [*points.min(axis=0), *points.max(axis=0)]
    assert np.abs(np.array(data.source_rect) - box).max() <= 0.5
    matrix = face_from_frame(points, 512, FaceType.WHOLE_FACE)
    assert np.abs(data.image_to_face_mat - matrix).max() < 1e-6
    assert np.abs(data.landmarks - transform_points(points, matrix)).max() < 1e-6
    picture = cv2.imread(str(Workspace(root).dst.aligned / "00001_0.jpg"))
    assert picture is not None and picture.shape == (512, 512, 3)
    assert (Workspace(root).dst.aligned_debug / "00001.jpg").is_file()
