from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest

from engine.protocol.errors import ConfirmationNeeded, Stopped
from engine.protocol.workspace import Workspace
from engine.runtime.host.workers import map_in_processes
from engine.stages.faces_extract.run import run
from tests.detect.media import clip_frames
from tests.stages.extracting import (
    contents,
    extract,
    faces,
    run_apart,
    workspace,
)
from tests.support.context import context_for

pytestmark = pytest.mark.slow  # starts processes or nets


def test_a_stopped_run_goes_on_and_ends_with_the_same_files(tmp_path: Path) -> None:
    wanted = range(0, 200, 20)
    whole = workspace(tmp_path / "whole", "pairA_dst.mp4", wanted)
    parts = workspace(tmp_path / "parts", "pairA_dst.mp4", wanted)
    extract(whole)
    context = context_for(parts, "faces-extract", workers="1")
    context.stop_after = 3
    with pytest.raises(Stopped):
        run(context)
    assert len(faces(parts)) < 10
    second = extract(parts)
    assert second.facts["kept_frames"] == 3
    assert second.facts["faces"] == 10
    assert contents(parts) == contents(whole)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_files(tmp_path: Path) -> None:
    wanted = range(0, 200, 20)
    whole = workspace(tmp_path / "whole", "pairA_dst.mp4", wanted)
    parts = workspace(tmp_path / "parts", "pairA_dst.mp4", wanted)
    extract(whole)
    assert run_apart(parts, fatal=4).returncode == -9
    assert 4 <= len(faces(parts)) < 10
    # What a kill within a write leaves: a torn line, a file beside, a frame with half of its files.
    for record in Workspace(parts).stage_state.glob("*.jsonl"):
        with record.open("ab") as file:
            file.write(b'{"frame":"000')
    (Workspace(parts).dst.aligned / ".00005_0.ab12.part.jpg").write_bytes(b"half")
    extract(parts)
    assert contents(parts) == contents(whole)


def test_faces_deleted_by_hand_stay_deleted(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 50, 100])
    extract(root)
    faces(root)[1].unlink()
    context = extract(root)
    assert [path.name for path in faces(root)] == ["00001_0.jpg", "00003_0.jpg"]
    assert any("nothing to do" in note for note in context.notes)


def test_new_frames_are_added_to_a_finished_faceset(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 50])
    extract(root)
    before = contents(root)
    (image,) = clip_frames("pairA_dst.mp4", [100])
    cv2.imwrite(str(Workspace(root).dst.frames / "00003.png"), image)
    context = extract(root)
    assert context.facts["kept_frames"] == 2
    assert len(faces(root)) == 3
    assert before.items() <= contents(root).items()


@pytest.mark.parametrize("options", [{"face_type": "f"}, {"fresh": True}])
def test_faces_of_other_options_leave_only_with_the_users_word(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    extract(root)
    before = contents(root)
    with pytest.raises(ConfirmationNeeded):
        extract(root, **options)
    assert contents(root) == before
    extract(root, confirmed=True, **options)
    assert len(faces(root)) == 1
    trashed = {path.name for path in Workspace(root).trash.rglob("*.jpg")}
    assert trashed == {"00001_0.jpg", "00001.jpg"}


def test_faces_of_another_program_are_not_mixed_with_ours(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    aligned = Workspace(root).dst.aligned
    aligned.mkdir()
    (aligned / "00001_0.jpg").write_bytes(b"labelled by hand")
    with pytest.raises(ConfirmationNeeded, match="1 files"):
        extract(root)
    assert (aligned / "00001_0.jpg").read_bytes() == b"labelled by hand"


def test_a_frame_that_changed_is_not_passed_over(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    extract(root)
    (image,) = clip_frames("pairB_dst.mp4", [0])
    cv2.imwrite(str(Workspace(root).dst.frames / "00001.png"), image)
    with pytest.raises(ConfirmationNeeded, match="changed"):
        extract(root)


@pytest.mark.slow
def test_two_worker_processes_write_the_same_files_as_one(tmp_path: Path) -> None:
    one = workspace(tmp_path / "one", "two_faces_large.mp4", range(0, 60, 10))
    two = workspace(tmp_path / "two", "two_faces_large.mp4", range(0, 60, 10))
    extract(one)
    context = context_for(two, "faces-extract", workers="2")
    context.map_in_processes = partial(map_in_processes, check_stop=context.check_stop)
    run(context)
    assert contents(two) == contents(one)
