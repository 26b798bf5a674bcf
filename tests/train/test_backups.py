"""Backups: copies of saves that outlive the saves."""

from __future__ import annotations

import errno
import os
import shutil
from concurrent.futures import wait

import pytest

from engine.protocol.commands import Backup, Save, SetOptions
from engine.protocol.errors import InputError
from engine.protocol.history import HISTORY_NAME, read_marks
from engine.protocol.model_files import About, list_saves
from engine.train import backups as backups_module
from engine.train.backups import KEPT_AUTOMATIC, Backups
from engine.train.generations import read_generation
from engine.train.save_folders import copy_save
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.train.light_model import light_loop, whole_iteration
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 2)


def train(workspace, *, queue=(), hours_a_save=0.0, **options):
    """Train with backups; every save comes `hours_a_save` hours after the one before, and every
    tenth iteration is saved. Returns the model's folder and the context."""
    context = context_for(workspace, "train", **options)
    companion = Backups()
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[companion]) as loop:
        step, saved = loop.model.train_step, companion.saved

        def saving_step(batches, loss_limit=float("inf")):
            if loop.saving.saver.busy:
                wait([loop.saving.saver._running[1]])  # a real step takes as long as a save
            if loop.model.iteration % 10 == 5:
                context.queue.append(Save())
            if loop.model.iteration == 2:
                context.queue.extend(queue)
            return step(batches, loss_limit)

        def later(training, iteration, path):
            companion._clock -= hours_a_save * 3600
            saved(training, iteration, path)

        loop.model.train_step, companion.saved = saving_step, later
        loop.run()
    return folder, context


def backups_in(folder):
    return [save for save in list_saves(folder) if save.kind == "backup"]


def test_a_backup_is_made_at_the_first_save_after_so_many_hours(workspace):
    folder, context = train(workspace, target_iter=60, hours_a_save=1.1, autobackup_hour=2)
    made = sorted(save.iteration for save in backups_in(folder))
    assert len(context.saves) == 8
    assert made == context.saves[1::2], "every second save is at least two hours after the last"
    assert all(save.name.startswith("AUTO-") for save in backups_in(folder))
    marks = [mark for mark in read_marks(folder / HISTORY_NAME) if mark.kind == "backup"]
    assert len(marks) == len(made)
    assert any("backup" in note for note in context.notes)


def test_no_backup_is_made_with_zero_hours(workspace):
    folder, _ = train(workspace, target_iter=30, hours_a_save=100)
    assert backups_in(folder) == []


def test_the_hours_can_be_changed_while_training(workspace):
    change = SetOptions(values={"autobackup_hour": 1})
    folder, _ = train(workspace, target_iter=30, hours_a_save=2, queue=[change])
    assert backups_in(folder)


def test_a_backup_outlives_its_save_and_can_be_read(workspace):
    folder, _ = train(workspace, target_iter=90, queue=[Backup()], keep=1)
    (backup,) = backups_in(folder)
    assert backup.name.startswith("BACKUP-")
    assert backup.iteration >= 3, "asked for after the third iteration"
    assert not (folder / "generations" / f"{backup.iteration:08d}").exists()
    assert whole_iteration(read_generation(backup.path)) == backup.iteration


def test_a_backup_of_what_is_saved_already_is_made_at_once(workspace):
    context = context_for(workspace, "train", target_iter=3)
    folder = workspace / "model" / "new_light"
    companion = Backups()
    with light_loop(context, folder, companions=[companion]) as loop:
        loop.run()
    again = context_for(workspace, "train", target_iter=3)
    with light_loop(again, folder, companions=[companion := Backups()]) as loop, companion:
        companion.asked(loop, Backup())
    assert [save.iteration for save in backups_in(folder)] == [3]


def test_the_last_24_automatic_ones_stay_and_all_that_were_asked_for(workspace):
    folder, _ = train(workspace, target_iter=1)
    source = folder / "generations" / "00000001"
    for number in range(30):
        copy_save(
            source, folder / "backups" / f"AUTO-20200101-0000{number:02d}-1", About(made_at=1)
        )
    copy_save(source, folder / "backups" / "BACKUP-20190101-000000-1", About(made_at=0))
    train(workspace, target_iter=12, hours_a_save=2, autobackup_hour=1)
    names = sorted(save.name for save in backups_in(folder))
    automatic = [name for name in names if name.startswith("AUTO")]
    assert len(automatic) == KEPT_AUTOMATIC
    assert "AUTO-20200101-000000-1" not in automatic
    assert names[-1] == "BACKUP-20190101-000000-1"


def test_a_backup_takes_no_room_while_its_save_is_kept(workspace):
    folder, _ = train(workspace, target_iter=12, queue=[Backup()], keep=50)
    (backup,) = backups_in(folder)
    ours = (backup.path / "encoder.safetensors").stat()
    assert ours.st_nlink == 2


def test_where_there_are_no_hard_links_a_backup_is_a_copy(workspace, monkeypatch):
    def refused(*arguments, **more):
        raise OSError(errno.EPERM, "no such names here")

    monkeypatch.setattr(os, "link", refused)
    folder, _ = train(workspace, target_iter=12, queue=[Backup()], keep=50)
    (backup,) = backups_in(folder)
    assert (backup.path / "encoder.safetensors").stat().st_nlink == 1
    assert whole_iteration(read_generation(backup.path)) == backup.iteration


def test_a_slow_copy_does_not_hold_up_training(workspace, monkeypatch):
    import threading

    free = threading.Event()
    real = backups_module.copy_save

    def slow(*arguments):
        assert free.wait(30)
        real(*arguments)

    monkeypatch.setattr(backups_module, "copy_save", slow)
    monkeypatch.setattr(backups_module, "_WAIT_SECONDS", 0.0)
    context = context_for(workspace, "train", target_iter=40)
    context.queue = [Backup()]
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[Backups()]) as loop:
        step = loop.model.train_step

        def freeing_step(batches, loss_limit=float("inf")):
            if loop.model.iteration == 30:
                free.set()
            return step(batches, loss_limit)

        loop.model.train_step = freeing_step
        loop.run()
    assert len(backups_in(folder)) == 1


def test_a_copy_for_which_there_is_no_room_leaves_nothing_and_says_so(workspace, tmp_path):
    folder, _ = train(workspace, target_iter=1)
    source = folder / "generations" / "00000001"
    with small_disk(tmp_path / "disk", "8k") as disk:
        with pytest.raises(InputError, match="disk is full"):
            copy_save(source, disk / "AUTO-1", About(made_at=0))
        assert list(disk.iterdir()) == []


def test_a_backup_that_cannot_be_made_is_told_and_training_goes_on(workspace):
    (workspace / "model" / "new_light").mkdir(parents=True)
    (workspace / "model" / "new_light" / "backups").write_text("a file in the way")
    folder, context = train(workspace, target_iter=20, queue=[Backup()])
    assert any("backups" in warning for warning in context.warnings)
    assert read_generation(folder / "generations" / "00000020").manifest.iteration == 20
    shutil.rmtree(folder)


def test_a_disk_that_takes_no_save_is_asked_for_a_backup_now_and_then_not_at_every_step(workspace):
    context = context_for(workspace, "train", target_iter=20)
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[Backups()]) as loop:
        tried = []

        def refuse(manifest, state):
            tried.append(manifest.iteration)
            raise InputError("the disk is full", "make room")

        loop.saving.saver.generations.write = refuse
        context.queue.append(Backup())
        with pytest.raises(InputError, match="the disk is full"):
            loop.run()
    assert len(tried) == 2, "once, and once more at the end"
    assert len(context.warnings) == 1


def test_a_backup_asked_for_before_the_model_went_back_is_of_the_model_as_it_then_is(workspace):
    context = context_for(workspace, "train", target_iter=20)
    backups = Backups()
    folder = workspace / "model" / "new_light"
    with light_loop(context, folder, companions=[backups]) as loop:
        loop.model.iteration = 15
        backups.asked(loop, Backup())
        loop.model.iteration = 3
        backups.restored(loop, {})
        loop.run()
    (backup,) = backups_in(folder)
    assert backup.iteration < 15
