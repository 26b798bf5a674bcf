from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.protocol.errors import InputError
from engine.protocol.frame_marks import (
    KEEP,
    SUSPICIOUS,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
    set_reason,
)
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.records import (
    CutFace,
    CutSettings,
    DoneFrame,
    FindSettings,
    done_file,
)
from engine.stages.landmarks_check.run import run
from tests.faces.landmarks import front_face
from tests.stages.shaking_faces import make_shaking_faces, write_face_of
from tests.support.context import RecordingContext, context_for

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_shaking_faces(tmp_path, 12)
    return tmp_path


def check(root: Path) -> RecordingContext:
    context: RecordingContext = context_for(root, "landmarks-check")
    run(context)
    return context


def suspicious(root: Path) -> dict[str, str]:
    marks = read_marks(marks_path(Workspace(root), "dst"))
    return {name: marks[name].note for name in frames_with(marks, SUSPICIOUS)}


def replace_face(root: Path, stem: str, points: np.ndarray) -> None:
    side = Workspace(root).dst
    frame = cv2.imread(str(side.frames / f"{stem}.png"))
    assert frame is not None
    write_face_of(side.aligned / f"{stem}_0.jpg", frame, f"{stem}.png", points)


def test_sound_landmarks_are_not_suspicious(root: Path) -> None:
    assert check(root).facts["suspicious_frames"] == 0
    assert suspicious(root) == {}


def test_a_jump_of_one_frame_is_marked_with_its_size(root: Path) -> None:
    replace_face(root, "00006", front_face(160.0, (212.0 + 12, 120.0)))
    assert check(root).facts["jumping"] == 1
    assert list(suspicious(root)) == ["00006.png"]
    assert "jump by" in suspicious(root)["00006.png"]


def test_neighbours_that_jump_alike_are_all_marked(tmp_path: Path) -> None:
    make_shaking_faces(tmp_path, 30)
    stems = ["00006", "00007", "00020", "00021", "00022"]
    for stem in stems:
        replace_face(tmp_path, stem, front_face(160.0, (212.0 + 12, 120.0)))
    assert check(tmp_path).facts["jumping"] == len(stems)
    assert list(suspicious(tmp_path)) == [f"{stem}.png" for stem in stems]


def test_a_quick_nod_is_no_jump(root: Path) -> None:
    for stem, part in (
        ("00005", 0.3),
        ("00006", 0.8),
        ("00007", 1),
        ("00008", 0.8),
        ("00009", 0.3),
    ):
        replace_face(root, stem, front_face(160.0, (212.0, 120.0 + 24 * part)))
    assert check(root).facts["jumping"] == 0


def test_landmarks_that_no_head_has_are_marked(root: Path) -> None:
    points = front_face(160.0, (212.0, 120.0))
    points[:17] = points[:17][::-1] - np.array((0, 80))
    replace_face(root, "00012", points)
    assert check(root).facts["no_head"] == 1
    assert list(suspicious(root)) == ["00012.png"]


def test_what_the_extraction_was_unsure_of_is_marked(root: Path) -> None:
    find = FindSettings("mtcnn", "all", 640, 20, 0.8, 1)
    settings = CutSettings(find, "wf", 0, 256, 90, True, "lanczos")
    with done_file(Workspace(root), "dst", settings) as file:
        file.add(DoneFrame("00003.png", 1, (CutFace("00003_0.jpg", 0.84, 0, 0.01),)))
        file.add(DoneFrame("00004.png", 1, (CutFace("00004_0.jpg", 0.999, 0, 0.06),)))
        file.add(DoneFrame("00005.png", 1, (CutFace("00005_0.jpg", 0.999, 0, 0.01),)))
    check(root)
    assert list(suspicious(root)) == ["00003.png", "00004.png"]
    assert "0.84" in suspicious(root)["00003.png"]


def test_what_is_right_again_loses_its_mark_and_what_is_kept_gets_none(root: Path) -> None:
    path = marks_path(Workspace(root), "dst")
    change_marks(path, lambda m: set_reason(m, SUSPICIOUS, {"00002.png": "x"}, ["00002.png"]))
    change_marks(path, lambda m: set_reason(m, KEEP, {"00006.png": ""}, ["00006.png"]))
    replace_face(root, "00006", front_face(160.0, (212.0 + 12, 120.0)))
    check(root)
    assert suspicious(root) == {}


def test_marks_that_cannot_be_used_are_refused(root: Path) -> None:
    path = marks_path(Workspace(root), "dst")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"[]")
    with pytest.raises(InputError, match="marks of frames"):
        check(root)
    assert path.read_bytes() == b"[]"
