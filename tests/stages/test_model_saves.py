"""Snapshots of a model, going back to earlier saves, and videos of how it learned."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import av
import numpy as np
import pytest

from engine import catalog
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.history import HISTORY_NAME, read_history, read_marks
from engine.protocol.model_files import find_save, list_preview_pictures, list_saves
from engine.protocol.workspace import Workspace
from engine.runtime.host.locks import resources_held
from engine.train.backups import Backups
from engine.train.generations import read_generation
from engine.train.preview_history import PreviewHistory
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.tree import tree
from tests.train.light_model import LIGHT_PX, light_loop, whole_iteration
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 2)


def run_stage(root: Path, stage_id: str, *, confirmed=False, **options):
    module, _, function = catalog.stage(stage_id).code.partition(":")
    context = context_for(root, stage_id, confirmed=confirmed, **options)
    getattr(import_module(module), function)(context)
    return context


def train(root: Path, target: int, *, keep=3, **options) -> Path:
    """Train the model `new` until `target`. Returns its folder."""
    folder = root / "model" / "new_quick96"
    context = context_for(root, "train", target_iter=target, keep=keep, **options)
    companions = [Backups(), PreviewHistory(folder, LIGHT_PX)]
    with light_loop(context, folder, companions=companions) as loop:
        loop.run()
    return folder


def saves(folder: Path, kind: str) -> list[str]:
    return sorted(save.name for save in list_saves(folder) if save.kind == kind)


def newest_iteration(folder: Path) -> int:
    return max(save.iteration for save in list_saves(folder) if save.kind == "generation")


def test_a_snapshot_is_the_newest_save_with_a_name_and_a_note_and_outlives_it(workspace):
    folder = train(workspace, 5)
    context = run_stage(workspace, "model-snapshot", name="good eyes", note="before GAN")
    assert context.facts["iteration"] == 5
    for target in (6, 7, 8, 9):
        train(workspace, target, keep=1)
    assert "00000005" not in saves(folder, "generation")
    snapshot = find_save(folder, "good eyes")
    assert (snapshot.kind, snapshot.iteration, snapshot.note) == ("snapshot", 5, "before GAN")
    assert whole_iteration(read_generation(snapshot.path)) == 5


def test_a_snapshot_without_a_name_is_named_after_its_iteration(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot")
    assert saves(folder, "snapshot") == ["iteration-00000005"]


def test_a_name_that_is_taken_is_refused_and_the_snapshot_stays(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="a")
    train(workspace, 8)
    before = tree(folder / "snapshots")
    with pytest.raises(InputError, match="already"):
        run_stage(workspace, "model-snapshot", name="a")
    assert tree(folder / "snapshots") == before


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "x" * 65])
def test_names_that_are_no_plain_names_are_refused(workspace, name):
    train(workspace, 2)
    with pytest.raises(UsageError):
        run_stage(workspace, "model-snapshot", name=name)


def test_a_damaged_save_is_not_made_a_snapshot(workspace):
    folder = train(workspace, 5)
    with (folder / "generations" / "00000005" / "encoder.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(InputError, match="hash"):
        run_stage(workspace, "model-snapshot", name="a")
    assert saves(folder, "snapshot") == []


def test_an_unknown_save_is_answered_with_those_that_exist(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="a")
    before = tree(folder)
    with pytest.raises(InputError) as refused:
        run_stage(workspace, "model-restore", save="nothing")
    assert "snapshot/a" in refused.value.remedy
    assert "generation/00000005" in refused.value.remedy
    assert tree(folder) == before


def test_an_unknown_model_is_answered_with_those_that_exist(workspace):
    train(workspace, 1)
    with pytest.raises(InputError, match="no model other") as refused:
        run_stage(workspace, "model-snapshot", model="other")
    assert "new_quick96" in refused.value.remedy


def test_restoring_goes_back_and_keeps_the_way_forward(workspace):
    folder = train(workspace, 20, write_preview_history=True)
    run_stage(workspace, "model-snapshot", name="twenty")
    train(workspace, 40, write_preview_history=True, keep=1)
    context = run_stage(workspace, "model-restore", save="twenty", confirmed=True)
    assert newest_iteration(folder) == 20
    assert whole_iteration(read_generation(folder / "generations" / "00000020")) == 20
    kept = find_save(folder, context.facts["kept_as"])
    assert whole_iteration(read_generation(kept.path)) == 40
    assert [point.iteration for point in read_history(folder / HISTORY_NAME)][-1] == 20
    assert [mark.kind for mark in read_marks(folder / HISTORY_NAME)][-1] == "restore"
    assert [number for number, _ in list_preview_pictures(folder)["light"]] == [10, 20]
    train(workspace, 25)
    assert newest_iteration(folder) == 25
    run_stage(workspace, "model-restore", save=kept.name, confirmed=True)
    assert newest_iteration(folder) == 40


def test_an_earlier_save_of_training_is_restored_by_its_iteration(workspace):
    folder = train(workspace, 5)
    train(workspace, 9)
    run_stage(workspace, "model-restore", save="5", confirmed=True)
    assert newest_iteration(folder) == 5
    trash = workspace / ".facewright" / "trash"
    assert list(trash.glob("*/model/new_quick96/generations/00000009/manifest.json"))


def test_a_save_of_the_same_iteration_but_another_course_is_restored(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="first")
    manifest = folder / "generations" / "00000005" / "manifest.json"
    text = re.sub(r'"seed": *7', '"seed": 8', manifest.read_text())
    manifest.unlink()  # the snapshot has it under another name
    manifest.write_text(text)
    run_stage(workspace, "model-restore", save="first", confirmed=True)
    assert read_generation(folder / "generations" / "00000005").manifest.seed == 7
    (kept,) = [name for name in saves(folder, "snapshot") if name.startswith("before-restore")]
    assert read_generation(folder / "snapshots" / kept).manifest.seed == 8


def test_restoring_needs_a_confirmation_and_changes_nothing_without(workspace):
    folder = train(workspace, 5)
    train(workspace, 9)
    before = tree(folder)
    with pytest.raises(ConfirmationNeeded):
        run_stage(workspace, "model-restore", save="5")
    assert tree(folder) == before


def test_restoring_the_newest_save_does_nothing(workspace):
    folder = train(workspace, 5)
    before = tree(folder)
    run_stage(workspace, "model-restore", save="00000005")
    assert tree(folder) == before


def test_a_damaged_snapshot_is_not_restored(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="a")
    train(workspace, 9)
    damaged = folder / "snapshots" / "a" / "encoder.safetensors"
    damaged.unlink()
    damaged.write_bytes(b"")
    before = tree(folder)
    with pytest.raises(InputError, match="bytes"):
        run_stage(workspace, "model-restore", save="a", confirmed=True)
    assert tree(folder) == before


def test_a_restore_broken_off_at_any_step_leaves_a_whole_newest_save(workspace, monkeypatch):
    import engine.stages.model_restore.run as stage

    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="five")
    train(workspace, 9, keep=1)
    steps = ("_put_among_generations", "move_later_ones_away", "mark_history")

    class Killed(BaseException):
        pass

    def killed(*arguments, **options):
        raise Killed

    for step in steps:
        with monkeypatch.context() as patched:
            patched.setattr(stage, step, killed)
            with pytest.raises(Killed):
                run_stage(workspace, "model-restore", save="five", confirmed=True)
        newest = newest_iteration(folder)
        read = read_generation(folder / "generations" / f"{newest:08d}")
        assert whole_iteration(read) == newest
        assert any("00000009" in name for name in saves(folder, "snapshot"))
    run_stage(workspace, "model-restore", save="five", confirmed=True)
    assert newest_iteration(folder) == 5


def test_a_deleted_snapshot_is_in_the_trash(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="a")
    with pytest.raises(ConfirmationNeeded):
        run_stage(workspace, "model-save-delete", save="a")
    context = run_stage(workspace, "model-save-delete", save="a", confirmed=True)
    assert saves(folder, "snapshot") == []
    trash = Path(context.facts["trash"])
    assert (trash / "model" / "new_quick96" / "snapshots" / "a" / "manifest.json").is_file()
    with pytest.raises(InputError, match="save of training"):
        run_stage(workspace, "model-save-delete", save="5", confirmed=True)


def test_a_full_disk_leaves_no_half_snapshot(tmp_path):
    with small_disk(tmp_path / "disk", "400k") as disk:
        workspace = write_workspace(disk, 2)
        folder = train(workspace, 5)
        run_stage(workspace, "model-snapshot", name="a")
        before = tree(folder)
        with (disk / "filler").open("wb") as file, pytest.raises(OSError):
            file.write(bytes(1 << 20))
        with pytest.raises(InputError, match="disk is full"):
            run_stage(workspace, "model-snapshot", name="b")
        assert tree(folder) == before


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_a_timelapse_shows_the_pictures_in_order_in_the_wanted_time(workspace):
    folder = train(workspace, 100, write_preview_history=True)
    context = run_stage(workspace, "model-timelapse", seconds=2, fps=10, show_iteration=False)
    video = folder / "timelapse-light.mp4"
    assert context.facts["video"] == str(video)
    frames = frames_of(video)
    assert len(frames) == 20
    brightness = [frame[-4:, -4:].mean() for frame in frames]
    assert brightness == pytest.approx([10 * (1 + i // 2) for i in range(20)], abs=3)
    with av.open(str(video)) as container:
        assert container.streams.video[0].average_rate == 10


def test_a_timelapse_of_one_face_shows_that_face_large_enough_and_the_iteration(workspace):
    folder = train(workspace, 20, write_preview_history=True, history_first=200)
    options = {"page": "Light", "row": 1, "column": 1, "seconds": 1, "fps": 4, "confirmed": True}
    run_stage(workspace, "model-timelapse", **options)
    frame = frames_of(folder / "timelapse-light.mp4")[0]
    assert frame.shape == (256, 256, 3)
    assert frame[10, 128, 0] == pytest.approx(200, abs=8), "the first face of the page"
    run_stage(workspace, "model-timelapse", **options, show_iteration=False)
    without = frames_of(folder / "timelapse-light.mp4")[0]
    changed = np.abs(frame.astype(int) - without).max(axis=2) > 40
    assert changed[200:, :128].any()
    assert not changed[:200].any()


def test_an_earlier_timelapse_goes_to_the_trash_if_that_is_confirmed(workspace):
    folder = train(workspace, 20, write_preview_history=True)
    run_stage(workspace, "model-timelapse", seconds=0.5)
    before = (folder / "timelapse-light.mp4").read_bytes()
    with pytest.raises(ConfirmationNeeded):
        run_stage(workspace, "model-timelapse", seconds=1)
    assert (folder / "timelapse-light.mp4").read_bytes() == before
    run_stage(workspace, "model-timelapse", seconds=1, confirmed=True)
    (old,) = (workspace / ".facewright" / "trash").rglob("timelapse-light.mp4")
    assert old.read_bytes() == before


def test_a_page_row_or_history_that_is_not_there_is_refused_with_what_is(workspace):
    train(workspace, 20)
    with pytest.raises(InputError, match="no preview history"):
        run_stage(workspace, "model-timelapse")
    train(workspace, 40, write_preview_history=True)
    with pytest.raises(InputError) as refused:
        run_stage(workspace, "model-timelapse", page="other")
    assert "light-masked" in refused.value.remedy
    with pytest.raises(InputError, match="2 rows and 3 columns"):
        run_stage(workspace, "model-timelapse", row=3)


def test_a_picture_that_cannot_be_read_is_told_and_left_out(workspace):
    folder = train(workspace, 50, write_preview_history=True)
    (folder / "preview_history" / "light" / "00000030.jpg").write_bytes(b"no picture")
    context = run_stage(workspace, "model-timelapse", seconds=1, fps=10)
    assert any("00000030.jpg" in warning for warning in context.warnings)
    assert len(frames_of(folder / "timelapse-light.mp4")) == 10


def test_a_model_whose_newest_saves_are_all_damaged_is_restored_from_a_snapshot(workspace):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="a")
    train(workspace, 9)
    for path in (folder / "generations").rglob("*.safetensors"):
        path.unlink()
        path.write_bytes(b"damaged")
    with pytest.raises(InputError) as refused:
        train(workspace, 12)
    assert "model-restore" in refused.value.remedy
    run_stage(workspace, "model-restore", save="a", confirmed=True)
    train(workspace, 12)
    assert newest_iteration(folder) == 12


def test_a_model_in_training_can_be_made_a_snapshot_of_but_not_restored(workspace):
    root = Workspace(workspace)
    chosen = {"model": "new", "model_class": "quick96"}
    with resources_held(root, catalog.stage("train"), chosen, "the-training"):
        with resources_held(root, catalog.stage("model-snapshot"), chosen, "a-snapshot"):
            pass
        with (
            pytest.raises(InputError, match="the-training"),
            resources_held(root, catalog.stage("model-restore"), chosen, "a-restore"),
        ):
            pass
