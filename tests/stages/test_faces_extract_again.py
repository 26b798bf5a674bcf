from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.frame_marks import (
    BY_HAND,
    KEEP,
    NO_FACE,
    SUSPICIOUS,
    FrameMark,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
    set_reason,
)
from engine.protocol.workspace import Workspace
from tests.stages.extracting import contents, data_of, extract, faces, workspace

pytestmark = pytest.mark.slow  # dlib's model, and frames of video

HOG: dict[str, Any] = {"detector": "dlib-hog", "rotations": "none"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two frames with a face, and between them one without."""
    made = workspace(tmp_path, "pairA_dst.mp4", [0, 100])
    frames = Workspace(made).dst.frames
    (frames / "00002.png").rename(frames / "00003.png")
    cv2.imwrite(str(frames / "00002.png"), np.full((480, 480, 3), 90, np.uint8))
    return made


def marks(root: Path, reason: str) -> list[str]:
    return frames_with(read_marks(marks_path(Workspace(root), "dst")), reason)


def mark(root: Path, reason: str, *names: str) -> None:
    path = marks_path(Workspace(root), "dst")
    change_marks(path, lambda marks: set_reason(marks, reason, dict.fromkeys(names, ""), names))


def show_a_face(root: Path) -> None:
    """What another detector would do: the frame gets a face."""
    frames = Workspace(root).dst.frames
    (frames / "00002.png").write_bytes((frames / "00001.png").read_bytes())


def test_frames_without_a_face_are_counted_and_marked(root: Path) -> None:
    context = extract(root, **HOG)
    assert context.facts["frames_without_face"] == 1
    assert marks(root, NO_FACE) == ["00002.png"]
    assert any("1 of 3 frames show no face" in note for note in context.notes)


def test_frames_without_faces_are_extracted_again_and_nothing_else_is(root: Path) -> None:
    extract(root, **HOG)
    before = contents(root)
    show_a_face(root)
    context = extract(root, frames="without-faces", **HOG)
    assert context.facts["frames"] == 1
    new = {"aligned/00002_0.jpg", "aligned_debug/00002.jpg"}
    assert {name for name, data in contents(root).items() if before.get(name) != data} == new
    assert marks(root, NO_FACE) == []
    with pytest.raises(InputError, match="no frame"):
        extract(root, frames="without-faces", **HOG)


def test_faces_deleted_by_hand_are_not_looked_for_again(root: Path) -> None:
    extract(root, **HOG)
    faces(root)[0].unlink()
    assert extract(root, frames="without-faces", **HOG).facts["frames"] == 1


def test_frames_whose_debug_picture_was_deleted_are_extracted_again(root: Path) -> None:
    extract(root, **HOG)
    before = contents(root)
    (Workspace(root).dst.aligned_debug / "00003.jpg").unlink()
    with pytest.raises(ConfirmationNeeded, match="1 frames are to be extracted again"):
        extract(root, frames="deleted-debug", **HOG)
    assert extract(root, frames="deleted-debug", confirmed=True, **HOG).facts["frames"] == 1
    assert contents(root) == before


def test_marked_frames_are_extracted_again_and_their_old_faces_go_to_the_trash(root: Path) -> None:
    extract(root, **HOG)
    sorted_name = faces(root)[1].with_name("00000.jpg")  # as after faceset-sort
    faces(root)[1].rename(sorted_name)
    old = sorted_name.read_bytes()
    mark(root, BY_HAND, "00003.png")
    mark(root, SUSPICIOUS, "00001.png")
    mark(root, KEEP, "00001.png")
    context = extract(root, frames="marked", confirmed=True, image_size="256", **HOG)
    assert context.facts["frames"] == 2  # that without a face is marked, too
    assert [path.name for path in faces(root)] == ["00001_0.jpg", "00003_0.jpg"]
    assert data_of(faces(root)[1]).landmarks.max() < 256
    kept = list(Workspace(root).trash.rglob("00000.jpg"))
    assert [path.read_bytes() for path in kept] == [old]
    assert marks(root, BY_HAND) == []
    assert marks(root, SUSPICIOUS) == ["00001.png"]


def test_a_face_that_is_not_found_again_stays(root: Path) -> None:
    extract(root, **HOG)
    before = contents(root)["aligned/00003_0.jpg"]
    mark(root, BY_HAND, "00003.png")
    extract(root, frames="marked", confirmed=True, min_face_size=2000, **HOG)
    assert contents(root)["aligned/00003_0.jpg"] == before
    assert marks(root, BY_HAND) == ["00003.png"]


def test_all_frames_go_on_after_some_were_extracted_again_with_other_options(root: Path) -> None:
    extract(root, **HOG)
    show_a_face(root)
    extract(root, frames="without-faces", detector="dlib-hog", rotations="none", hog_upsample=0)
    frames = Workspace(root).dst.frames
    cv2.imwrite(str(frames / "00002.png"), np.full((480, 480, 3), 90, np.uint8))
    assert extract(root, **HOG).facts["kept_frames"] == 3
    assert len(faces(root)) == 3
    assert marks(root, NO_FACE) == []


def test_marks_that_cannot_be_used_are_told_before_anything_is_done(root: Path) -> None:
    path = marks_path(Workspace(root), "dst")
    change_marks(path, lambda _: {"00001.png": FrameMark(frozenset({KEEP}))})
    path.write_bytes(b"{")
    with pytest.raises(InputError, match="marks of frames"):
        extract(root, **HOG)
    assert faces(root) == []
