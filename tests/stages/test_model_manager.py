"""Models renamed, duplicated, deleted: whole, kept apart, and with the way back open."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from engine import catalog
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import link_or_copy
from engine.protocol.history import HISTORY_NAME, open_history, read_history, read_marks
from engine.protocol.model_files import list_saves
from engine.protocol.needs import check_needs
from engine.protocol.timeline_file import timeline_path
from engine.protocol.workspace import Workspace
from engine.runtime.host.locks import resources_held
from engine.stages.model_duplicate import run as duplicating
from engine.train.generations import Generations
from engine.train.save_folders import copy_save, forget_save
from tests.stages.killing import Death, live
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.tree import tree
from tests.train.light_model import light_loop, whole_iteration
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


def train(root: Path, target: int, name: str = "new") -> Path:
    """Train the model of that name until `target`. Returns its folder."""
    folder = root / "model" / f"{name}_quick96"
    context = context_for(root, "train", model=name, target_iter=target)
    with light_loop(context, folder) as loop:
        loop.run()
    return folder


def timeline(root: Path, name: str) -> Path:
    return timeline_path(Workspace(root), name, "quick96")


def write_timeline(root: Path, name: str, text: str) -> Path:
    path = timeline(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def newest(folder: Path) -> int:
    return max(Generations(folder).iterations())


def add_dfl_files(root: Path) -> dict[str, str]:
    """A model of DeepFaceLab's of the same name, and its backups' folder."""
    backups = root / "model" / "new_Quick96_autobackups" / "01"
    backups.mkdir(parents=True)
    for path in (root / "model" / "new_Quick96_data.dat", backups / "new_Quick96_data.dat"):
        path.write_bytes(b"never read")
    return dfl_files(root)


def dfl_files(root: Path) -> dict[str, str]:
    return {name: hash for name, hash in tree(root / "model").items() if "Quick96" in name}


def test_a_renamed_model_has_all_it_had_under_its_new_name(workspace):
    folder = train(workspace, 5)
    write_timeline(workspace, "new", "looks of new")
    dfl = add_dfl_files(workspace)
    before = tree(folder)
    run_stage(workspace, "model-rename", to="hero")
    assert not folder.exists()
    assert tree(workspace / "model" / "hero_quick96") == before
    assert timeline(workspace, "hero").read_text() == "looks of new"
    assert not timeline(workspace, "new").exists()
    assert dfl_files(workspace) == dfl
    assert newest(train(workspace, 8, "hero")) == 8


@pytest.mark.parametrize("stage_id", ["model-rename", "model-duplicate"])
def test_a_name_that_is_taken_or_missing_is_refused_and_nothing_changes(workspace, stage_id):
    train(workspace, 2)
    train(workspace, 3, "hero")
    write_timeline(workspace, "hero", "looks of hero")
    before = tree(workspace)
    for name in ("hero", "new"):
        with pytest.raises(InputError, match="already"):
            run_stage(workspace, stage_id, to=name)
        options = {"model": "new", "model_class": "quick96", "to": name}
        with pytest.raises(InputError, match="already"):
            check_needs(catalog.stage(stage_id).needs, Workspace(workspace), options)
    with pytest.raises(InputError, match="no new name"):
        run_stage(workspace, stage_id)
    (workspace / "model" / "own_quick96").mkdir()
    with pytest.raises(InputError, match="is no model"):
        run_stage(workspace, stage_id, model="own", to="other")
    (workspace / "model" / "own_quick96").rmdir()
    assert tree(workspace) == before


def test_looks_that_an_earlier_model_of_the_name_left_go_to_the_trash(workspace):
    train(workspace, 2)
    left = write_timeline(workspace, "hero", "of an earlier hero")
    run_stage(workspace, "model-rename", to="hero")
    assert not left.exists()
    (kept,) = (workspace / ".facewright" / "trash").rglob(left.name)
    assert kept.read_text() == "of an earlier hero"


@pytest.mark.parametrize(
    ("stage_id", "others"),
    [
        ("model-rename", ("train", "merge-session")),
        ("model-duplicate", ("model-import", "model-restore", "model-delete")),
        ("model-delete", ("train", "merge-session")),
        ("model-undelete", ("train", "merge-session")),
        ("model-reset", ("train", "model-restore")),
    ],
)
def test_a_model_in_training_or_merged_with_is_left_alone(workspace, stage_id, others):
    root, spec = Workspace(workspace), catalog.stage(stage_id)
    options = {"model": "new", "model_class": "quick96", "to": "hero"}
    for other in others:
        with (
            resources_held(root, catalog.stage(other), options, "run-1"),
            pytest.raises(InputError, match="run-1 is working on"),
            resources_held(root, spec, options, "run-2"),
        ):
            raise AssertionError("it was let in")


def test_a_duplicate_takes_no_room_for_saves_and_goes_its_own_way(workspace):
    folder = train(workspace, 5)
    write_timeline(workspace, "new", "looks of new")
    run_stage(workspace, "model-snapshot", name="five")
    events = folder / "tensorboard" / "events"
    events.parent.mkdir()
    events.write_bytes(b"grows")
    before = tree(folder)
    context = run_stage(workspace, "model-duplicate", to="other")
    copy = workspace / "model" / "other_quick96"
    name = "generations/00000005/encoder.safetensors"
    assert (copy / name).samefile(folder / name)
    assert not (copy / "tensorboard" / "events").samefile(events)
    assert context.facts["copied_bytes"] == (copy / HISTORY_NAME).stat().st_size + len(b"grows")
    assert [mark.text for mark in read_marks(copy / HISTORY_NAME)] == ["a duplicate of new_quick96"]
    assert timeline(workspace, "other").read_text() == "looks of new"
    train(workspace, 9, "other")
    assert tree(folder) == before
    assert [p.iteration for p in read_history(copy / HISTORY_NAME)] == list(range(1, 10))
    assert whole_iteration(Generations(copy).newest(print)) == 9


def test_of_a_model_in_training_the_duplicate_is_as_its_last_save(workspace, monkeypatch):
    folder = train(workspace, 5)
    run_stage(workspace, "model-snapshot", name="kept")
    first, second = (folder / "generations" / f"{number:08d}" for number in (3, 5))
    copy_save(second, first)  # an older save, which training forgets in the middle of the copy
    with closing(open_history(folder / HISTORY_NAME)) as history, history:
        history.execute("INSERT INTO steps SELECT 6, at, step_ms, losses FROM steps LIMIT 1")
    take, taken = link_or_copy, []

    def taking(path, target):
        if first in path.parents and target.parent.name == first.name:
            taken.append(path)
            if len(taken) == 2:
                forget_save(first)
        take(path, target)

    monkeypatch.setattr(duplicating, "link_or_copy", taking)
    options = {"model": "new", "model_class": "quick96", "to": "other"}
    root, spec = Workspace(workspace), catalog.stage("model-duplicate")
    with (
        resources_held(root, catalog.stage("train"), options, "run-1"),
        resources_held(root, spec, options, "run-2"),
    ):
        run_stage(workspace, "model-duplicate", to="other")
    copy = workspace / "model" / "other_quick96"
    assert len(taken) == 2
    assert Generations(copy).iterations() == Generations(folder).iterations()
    assert whole_iteration(Generations(copy).newest(print)) == 5
    assert [p.iteration for p in read_history(copy / HISTORY_NAME)] == list(range(1, 6))
    assert [p.iteration for p in read_history(folder / HISTORY_NAME)] == list(range(1, 7))


@pytest.mark.parametrize("stage_id", ["model-rename", "model-duplicate"])
def test_a_name_that_cannot_be_taken_leaves_the_looks_as_they_were(
    workspace, stage_id, monkeypatch
):
    train(workspace, 2)
    write_timeline(workspace, "new", "looks of new")
    left = write_timeline(workspace, "hero", "of an earlier hero")
    rename = Path.rename

    def full(path, target):
        if Path(target).name == "hero_quick96":
            raise OSError(errno.ENOSPC, "no room")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError):
        run_stage(workspace, stage_id, to="hero")
    assert left.read_text() == "of an earlier hero"
    assert timeline(workspace, "new").read_text() == "looks of new"
    assert not (workspace / "model" / "hero_quick96").exists()


def test_a_duplicate_is_copied_where_the_disk_has_no_links(workspace, monkeypatch):
    def no_links(self, target):
        raise PermissionError(1, "no links here")

    folder = train(workspace, 5)
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    context = run_stage(workspace, "model-duplicate", to="other")
    copy = workspace / "model" / "other_quick96"
    name = "generations/00000005/encoder.safetensors"
    assert not (copy / name).samefile(folder / name)
    assert context.facts["copied_bytes"] > (folder / name).stat().st_size
    assert [save.iteration for save in list_saves(copy)] == [
        save.iteration for save in list_saves(folder)
    ]


def test_a_duplicate_that_the_disk_has_no_room_for_is_refused_and_leaves_nothing(tmp_path):
    with small_disk(tmp_path / "disk", "400k") as disk:
        workspace = write_workspace(disk, 2)
        train(workspace, 5)
        run_dir = context_for(workspace, "model-duplicate").run_dir
        before = tree(workspace)
        free_bytes = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
        (disk / "filler").write_bytes(bytes(free_bytes - 16_384))
        with pytest.raises(InputError, match=r"GB are free|disk is full"):
            run_stage(workspace, "model-duplicate", to="other")
        (disk / "filler").unlink()
        assert tree(workspace) == before
        assert run_dir.exists()


def test_a_model_with_a_part_on_another_disk_is_not_duplicated_in_part(workspace):
    folder = train(workspace, 2)
    elsewhere = workspace / "elsewhere"
    (folder / "generations").rename(elsewhere)
    (folder / "generations").symlink_to(elsewhere)
    before = tree(workspace / "model")
    with pytest.raises(InputError, match="generations is a link"):
        run_stage(workspace, "model-duplicate", model="new", to="copy")
    assert tree(workspace / "model") == before


def test_a_deleted_model_is_in_the_trash_and_comes_back_as_it_is_told(workspace):
    folder = train(workspace, 5)
    looks = write_timeline(workspace, "new", "looks of new")
    dfl = add_dfl_files(workspace)
    before = tree(folder)
    with pytest.raises(ConfirmationNeeded, match="2 saves"):
        run_stage(workspace, "model-delete")
    assert tree(folder) == before
    context = run_stage(workspace, "model-delete", confirmed=True)
    assert not folder.exists()
    assert not looks.exists()
    assert dfl_files(workspace) == dfl
    (note,) = [note for note in context.notes if note.startswith("to bring it back: ")]
    assert f"model-undelete -w {workspace} --model new --model-class quick96" in note
    run_stage(workspace, "model-undelete")
    assert tree(folder) == before
    assert looks.read_text() == "looks of new"
    assert not Path(context.facts["trash"]).exists()


def test_of_two_deleted_models_the_last_one_comes_back_and_none_over_another(workspace):
    with pytest.raises(InputError) as refused:
        run_stage(workspace, "model-undelete")
    assert refused.value.remedy == "no deleted model is there to bring back"
    for target in (2, 4):
        train(workspace, target)
        run_stage(workspace, "model-delete", confirmed=True)
    with pytest.raises(InputError, match="in the trash") as refused:
        run_stage(workspace, "model-undelete", model="hero")
    assert refused.value.remedy == "choose one of these: new (quick96)"
    run_stage(workspace, "model-undelete")
    folder = workspace / "model" / "new_quick96"
    assert newest(folder) == 4
    with pytest.raises(InputError, match="again"):
        run_stage(workspace, "model-undelete")
    run_stage(workspace, "model-rename", to="hero")
    run_stage(workspace, "model-undelete")
    assert newest(folder) == 2


@pytest.mark.parametrize("stage_id", ["model-rename", "model-duplicate"])
def test_killed_before_any_change_there_is_a_whole_model_and_it_can_be_done_again(
    tmp_path, stage_id
):
    made = write_workspace(tmp_path / "made", 2)
    train(made, 2)
    write_timeline(made, "new", "looks of new")
    root = shutil.copytree(made, tmp_path / "first")
    whole = live(root, stage_id, {"to": "hero"})
    assert not whole.was_killed
    for change in range(1, whole.changes + 1):
        root = shutil.copytree(made, tmp_path / f"at-{change}")
        assert live(root, stage_id, {"to": "hero"}, Death(change=change)).was_killed
        there = [path for path in (root / "model").iterdir() if not path.name.startswith(".")]
        for folder in there:
            assert newest(folder) == 2
            assert timeline(root, folder.name.removesuffix("_quick96")).is_file()
        if root / "model" / "hero_quick96" not in there:
            run_stage(root, stage_id, to="hero")
        assert newest(root / "model" / "hero_quick96") == 2
        assert timeline(root, "hero").read_text() == "looks of new"
        assert not list((root / "model").glob(".*"))
