"""Clearing moves a workspace's work to the trash and nothing else anywhere."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.workspace import Workspace
from tests.stages.packing import run_stage
from tests.support.tree import tree

FILES = (
    "data_src.mp4",
    "data_dst.mov",
    "notes.txt",
    "result.mp4",
    "result_mask.mp4",
    "holiday/photo.jpg",
    "data_src/00001.png",
    "data_src/aligned/00001_0.jpg",
    "data_dst/00001.png",
    "data_dst/merged/00001.png",
    "model/face_SAEHD_data.dat",
    ".facewright/stages/state.json",
)


def filled(root: Path) -> Path:
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def left(root: Path) -> set[str]:
    """The files that lie neither in the trash nor in a run's folder."""
    names = (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    return {name for name in names if not name.startswith((".facewright/trash", ".facewright/ru"))}


def test_videos_results_and_other_files_stay_and_all_else_can_be_moved_back(
    tmp_path: Path,
) -> None:
    filled(tmp_path)
    run_stage(tmp_path, "workspace-clear", confirmed=True)
    moved = {name for name in FILES if name.startswith(("data_src/", "data_dst/", "model/"))}
    assert left(tmp_path) == set(FILES) - moved
    (trash,) = Workspace(tmp_path).trash.iterdir()
    assert {str(p.relative_to(trash)) for p in trash.rglob("*") if p.is_file()} == moved
    for folder in ("data_src", "data_dst"):
        assert (tmp_path / folder / "aligned").is_dir()
        assert (tmp_path / folder / "aligned_debug").is_dir()
    assert (tmp_path / "model").is_dir()


def test_what_was_told_of_the_frames_goes_with_them(tmp_path: Path) -> None:
    filled(tmp_path)
    told = [
        "marks/dst.json",
        "manual/dst.jsonl",
        "manual/dst.draft.json",
        "labels/src.desk.json",
        "reports/src.json",
        "stages/faces-extract-src.done.jsonl",
        "stages/faceset-resize-dst.json",
        "merge/anna_saehd.timeline.toml",
    ]
    for name in (*told, "marks/dst.lock", "consent.json"):
        (tmp_path / ".facewright" / name).parent.mkdir(exist_ok=True)
        (tmp_path / ".facewright" / name).write_text(name)
    context = run_stage(tmp_path, "workspace-clear", confirmed=True)
    kept = {name for name in left(tmp_path) if name.startswith(".facewright/")}
    names = ("stages/state.json", "marks/dst.lock", "consent.json")
    assert kept == {f".facewright/{name}" for name in names}
    (trash,) = Workspace(tmp_path).trash.iterdir()
    assert all((trash / ".facewright" / name).read_text() == name for name in told)
    assert context.facts["files"] == 5


def test_without_a_confirmation_nothing_is_moved(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / ".facewright/runs/test").mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(ConfirmationNeeded, match=r"data_src, data_dst, model in .*: 5 files"):
        run_stage(tmp_path, "workspace-clear")
    assert tree(tmp_path) == before


def test_models_may_stay_and_results_may_go(tmp_path: Path) -> None:
    filled(tmp_path)
    run_stage(tmp_path, "workspace-clear", confirmed=True, models=False, results=True)
    assert "model/face_SAEHD_data.dat" in left(tmp_path)
    assert not any(name.startswith("result") for name in left(tmp_path))


def test_a_clear_workspace_needs_no_confirmation_and_makes_no_trash(tmp_path: Path) -> None:
    (tmp_path / "data_dst.mp4").write_text("video")
    run_stage(tmp_path, "workspace-clear")
    run_stage(tmp_path, "workspace-clear")
    assert (tmp_path / "data_dst" / "aligned").is_dir()
    assert not Workspace(tmp_path).trash.exists()


def test_models_that_are_being_trained_are_not_moved_away(tmp_path: Path) -> None:
    filled(tmp_path)
    lock = tmp_path / ".facewright" / "locks" / "model-face_saehd.lock"
    lock.parent.mkdir()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = left(tmp_path)
        with pytest.raises(InputError) as refusal:
            run_stage(tmp_path, "workspace-clear", confirmed=True)
        assert refusal.value.code == "busy"
        assert left(tmp_path) == before
    run_stage(tmp_path, "workspace-clear", confirmed=True)
