"""Options that change in the middle of training: by a viewer, for want of memory, after
pretraining."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.models.quick96.spec import QUICK96
from engine.protocol.commands import SetOptions
from engine.protocol.errors import InputError, StageError, Stopped, UsageError
from engine.protocol.history import HISTORY_NAME, read_history, read_marks
from engine.protocol.model_files import list_saves, saved_options
from engine.protocol.options import FilePath, Flag, Life, Option
from engine.train.companions import Companion
from engine.train.generations import Generations
from engine.train.trainable import StepResult
from tests.support.context import context_for
from tests.train import light_model
from tests.train.light_model import LightModel, light_loop
from tests.train.made_faces import write_workspace

pytestmark = pytest.mark.slow

PRETRAIN = Option("pretrain", "Pretraining", Flag(), False, "", life=Life.RUNNING)
PRETRAIN_FACES = Option("pretrain_faces", "Faces", FilePath(), "", "", life=Life.RUNNING)


class Willing(LightModel):
    """Takes options as real models do: refuses odd pairs, begins at 0 after pretraining; has memory
    for batches up to `room`."""

    room = 256
    starts_pretraining = False

    def __init__(self, saved=None, *, floats=1000):
        super().__init__(saved, floats=floats)
        self.options |= {"pretrain": self.starts_pretraining, "pretrain_faces": "x"}
        if saved:
            self.options = dict(saved.manifest.options)

    def change_options(self, changes):
        wanted = {**self.options, **changes}
        if wanted["random_src_flip"] and wanted["batch_size"] > 4:
            raise UsageError("not with such batches", "take a smaller one")
        if self.options["pretrain"] and not wanted["pretrain"]:
            self.iteration = 0
        self.options = wanted

    def train_step(self, batches, loss_limit=float("inf")):
        if batches.batch_size > self.room:
            raise StageError("too little memory", "?", code="out-of-memory")
        return super().train_step(batches, loss_limit)


class Watcher(Companion):
    """Notes what it is told, and acts after certain iterations."""

    def __init__(self, **acts):
        self.acts = {int(name.removeprefix("at")): act for name, act in acts.items()}
        self.batch_sizes, self.iterations = [], []
        self.restarts = 0

    def stepped(self, training, point):
        self.iterations.append(point.iteration)
        self.batch_sizes.append(training.batches.batch_size)
        act = self.acts.pop(point.iteration, None)
        if act:
            act(training)

    def restarted(self, training):
        self.restarts += 1


@pytest.fixture(autouse=True)
def willing(monkeypatch):
    monkeypatch.setattr(light_model, "LightModel", Willing)
    rows = (*QUICK96.options, PRETRAIN, PRETRAIN_FACES)
    monkeypatch.setattr(light_model, "QUICK96", replace(QUICK96, options=rows))


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 3)


@pytest.fixture
def folder(workspace):
    return workspace / "model" / "new_light"


def ask(**changes):
    """An act that sends the changes as a viewer does."""
    return lambda training: training.context.queue.append(SetOptions(values=changes))


def train(workspace, folder, watcher, **options):
    context = context_for(workspace, "train", **options)
    with light_loop(context, folder, companions=[watcher]) as loop:
        loop.run()
    return loop, context


def marks(folder, kind):
    return [mark for mark in read_marks(folder / HISTORY_NAME) if mark.kind == kind]


def test_another_batch_size_is_drawn_from_the_next_step_on_told_recorded_and_saved(
    workspace, folder
):
    watcher = Watcher(at3=ask(batch_size="4"))
    loop, context = train(workspace, folder, watcher, target_iter=6)
    assert watcher.batch_sizes == [2, 2, 2, 4, 4, 4]
    assert loop.batches.drawn == 3 * 2 + 3 * 4, "the stream goes on where the first stopped"
    assert context.changed_options == {"batch_size": 4}
    (mark,) = marks(folder, "option")
    assert (mark.iteration, mark.text) == (3, "on request: batch_size 4")
    assert Generations(folder).newest(context.warn).manifest.options["batch_size"] == 4


def test_asking_twice_for_a_value_changes_it_once(workspace, folder):
    watcher = Watcher(at3=ask(batch_size=4), at4=ask(batch_size=4))
    train(workspace, folder, watcher, target_iter=6)
    assert len(marks(folder, "option")) == 1


def test_values_that_do_not_go_together_leave_everything_as_it_was(workspace, folder):
    watcher = Watcher(at2=ask(batch_size=8), at4=ask(random_src_flip=True))
    loop, context = train(workspace, folder, watcher, target_iter=6)
    assert context.changed_options == {"batch_size": 8}
    assert loop.options["random_src_flip"] is False
    assert loop.model.options["random_src_flip"] is False
    assert context.warnings == ["not with such batches"]


def test_several_changes_are_taken_together_or_not_at_all(workspace, folder):
    def both(training):
        with pytest.raises(UsageError):
            training.change_options({"save_minutes": 5, "batch_size": 999}, "a test")

    loop, context = train(workspace, folder, Watcher(at2=both), target_iter=3)
    assert context.changed_options == {}
    assert loop.options["save_minutes"] == context.options["save_minutes"]


def test_several_options_are_changed_by_one_command_with_one_compilation_and_one_mark(
    workspace, folder
):
    watcher = Watcher(at3=ask(batch_size=4, random_dst_flip=True, save_minutes=9))
    loop, context = train(workspace, folder, watcher, target_iter=6)
    (mark,) = marks(folder, "option")
    assert mark.text == "on request: batch_size 4, random_dst_flip True, save_minutes 9.0"
    assert loop.model.traced == 1
    assert context.rates_anew == [1, 4], "steps that compile say nothing of the rate"
    assert context.figures["samples_wanted_per_s"] > 0
    assert context.figures["samples_deliverable_per_s"] > 0


def test_one_bad_value_of_a_command_leaves_the_others_as_they_were(workspace, folder):
    watcher = Watcher(at3=ask(random_dst_flip=True, batch_size=0))
    _, context = train(workspace, folder, watcher, target_iter=4)
    assert context.changed_options == {}
    assert "--batch-size 0" in context.warnings[0]


def test_the_model_is_saved_before_its_options_are_changed(workspace, folder):
    train(workspace, folder, Watcher(at3=ask(batch_size=4)), target_iter=6)
    assert 3 in Generations(folder).iterations()


def test_options_for_which_there_is_no_memory_end_the_run_with_the_model_saved_before(
    workspace, folder, monkeypatch
):
    class Small(Willing):
        def change_options(self, changes):
            self.options = {**self.options, **changes}
            raise StageError("too little memory for the GAN", "?", code="out-of-memory")

    monkeypatch.setattr(light_model, "LightModel", Small)
    with pytest.raises(StageError, match="for the GAN") as refused:
        train(workspace, folder, Watcher(at3=ask(batch_size=8)), target_iter=6)
    assert "--batch-size" in refused.value.remedy
    newest = Generations(folder).newest(lambda text, remedy: None).manifest
    assert (newest.iteration, newest.options["batch_size"]) == (3, 2)
    assert saved_options(folder)["batch_size"] == 2


def test_too_little_memory_ends_the_run_saved_and_names_what_helps(workspace, folder):
    watcher = Watcher(at3=lambda training: setattr(training.model, "room", 1))
    with pytest.raises(StageError, match="too little memory") as refused:
        train(workspace, folder, watcher, target_iter=9)
    assert refused.value.code == "out-of-memory"
    assert "--batch-size" in refused.value.remedy
    assert "--retry-smaller-batch" in refused.value.remedy
    assert Generations(folder).iterations()[-1] == 3


def test_too_little_memory_halves_the_batch_if_that_is_wanted(workspace, folder):
    watcher = Watcher(
        at2=ask(batch_size=8), at4=lambda training: setattr(training.model, "room", 2)
    )
    _, context = train(workspace, folder, watcher, target_iter=6, retry_smaller_batch=True)
    assert watcher.batch_sizes == [2, 2, 8, 8, 2, 2]
    assert watcher.iterations == [1, 2, 3, 4, 5, 6]
    assert [mark.text for mark in marks(folder, "option")][1:] == [
        "too little memory: batch_size 4",
        "too little memory: batch_size 2",
    ]
    assert len(context.warnings) == 2


def test_too_little_memory_for_a_single_face_is_the_end(workspace, folder, monkeypatch):
    monkeypatch.setattr(Willing, "room", 0)
    with pytest.raises(StageError, match="too little memory"):
        train(workspace, folder, Watcher(), target_iter=6, retry_smaller_batch=True)


def test_leaving_pretraining_begins_anew_and_keeps_its_last_save_as_a_snapshot(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(Willing, "starts_pretraining", True)
    watcher = Watcher(at5=lambda training: training.change_options({"pretrain": False}, "a test"))
    train(workspace, folder, watcher, target_iter=4)
    _, context = train(workspace, folder, watcher, target_iter=8)
    assert watcher.iterations == [1, 2, 3, 4, 5, *range(1, 9)]
    assert watcher.restarts == 1
    assert [row.iteration for row in read_history(folder / HISTORY_NAME)] == list(range(1, 9))
    saves = {(save.kind, save.iteration) for save in list_saves(folder)}
    assert ("snapshot", 5) in saves, "what was learned since the last save is kept, too"
    assert {iteration for kind, iteration in saves if kind == "generation"} <= {0, 1, 8}
    assert marks(folder, "restart")[0].iteration == 0
    assert [mark.iteration for mark in read_marks(folder / HISTORY_NAME)] == [0, 0]
    assert marks(folder, "option")[0].text.startswith("before the model began anew, at iteration ")
    assert context.warnings == []


def test_a_model_whose_pretraining_was_switched_off_at_the_start_begins_anew(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(Willing, "starts_pretraining", True)
    watcher = Watcher()
    train(workspace, folder, watcher, target_iter=4)

    class Off(Willing):
        def __init__(self, saved=None, *, floats=1000):
            super().__init__(saved, floats=floats)
            self.change_options({"pretrain": False})

    monkeypatch.setattr(light_model, "LightModel", Off)
    monkeypatch.setattr(light_model, "Saver", saver_that_knows_the_newest(folder))
    train(workspace, folder, watcher, target_iter=3)
    assert watcher.iterations == [1, 2, 3, 4, 1, 2, 3]
    assert [save.iteration for save in list_saves(folder) if save.kind == "snapshot"] == [4]
    assert Generations(folder).iterations()[-1] == 3


def saver_that_knows_the_newest(folder):
    """As the stage makes it: with the newest save's iteration, not the model's."""
    made = light_model.Saver
    return lambda generations, _, warn: made(generations, generations.iterations()[-1], warn)


def test_pretraining_whose_new_beginning_cannot_be_saved_loses_nothing(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(Willing, "starts_pretraining", True)

    def leave(training):
        training.saving.saver.generations.write = refuse
        training.change_options({"pretrain": False}, "a test")

    def refuse(manifest, state):
        raise InputError("the disk is full", "make room")

    watcher = Watcher(at5=leave)
    train(workspace, folder, watcher, target_iter=4)
    with pytest.raises(InputError, match="the disk is full"):
        train(workspace, folder, watcher, target_iter=8)
    assert watcher.iterations[-1] == 5, "no step is made that could not be saved"
    assert Generations(folder).iterations()[-1] == 4


class Ruinable(Willing):
    """Once ruined, no step succeeds."""

    ruined = False

    def train_step(self, batches, loss_limit=float("inf")):
        if not self.ruined:
            return super().train_step(batches, loss_limit)
        batches.next()
        return StepResult((float("nan"),) * 2, applied=False)

    def restore(self, saved):
        super().restore(saved)
        self.ruined = False


def test_going_back_to_before_a_pretraining_is_no_end_of_pretraining(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(light_model, "LightModel", Ruinable)

    def save(training):
        training.saving.hear(wait=True)
        training.save()
        training.saving.hear(wait=True)

    watcher = Watcher(
        at3=save,
        at4=lambda training: training.change_options({"pretrain": True}, "a test"),
        at6=lambda training: setattr(training.model, "ruined", True),
    )
    loop, _ = train(workspace, folder, watcher, target_iter=9)
    assert loop.options["pretrain"] is False
    assert watcher.iterations == [1, 2, 3, 4, 5, 6, 5, 6, 7, 8, 9], "as it was before the change"
    assert watcher.restarts == 0
    assert 0 not in Generations(folder).iterations()
    assert [save for save in list_saves(folder) if save.kind == "snapshot"] == []


def test_a_stop_while_other_faces_are_looked_for_saves_all_steps(workspace, folder):
    def stop(training):
        training.context.stop_requested = True
        training.feed.check = lambda options: training.context.check_stop()
        training.change_options({"pretrain": True}, "a test")

    with pytest.raises(Stopped):
        train(workspace, folder, Watcher(at4=stop), target_iter=9)
    assert Generations(folder).iterations()[-1] == 4


def test_a_smaller_batch_that_is_refused_ends_the_run_saved_as_too_little_memory(
    workspace, folder, monkeypatch
):
    class Shared(Willing):
        """As over two devices."""

        def change_options(self, changes):
            if changes.get("batch_size") == 1:
                raise UsageError("2 devices cannot share 1 face", "take 2")
            super().change_options(changes)

    monkeypatch.setattr(light_model, "LightModel", Shared)
    watcher = Watcher(at3=lambda training: setattr(training.model, "room", 1))
    with pytest.raises(StageError, match="too little memory") as refused:
        train(workspace, folder, watcher, target_iter=9, retry_smaller_batch=True)
    assert refused.value.code == "out-of-memory"
    assert Generations(folder).iterations()[-1] == 3


def test_a_second_end_of_pretraining_begins_from_its_own_state(workspace, folder, monkeypatch):
    monkeypatch.setattr(Willing, "starts_pretraining", True)

    def switch(on):
        return lambda training: training.change_options({"pretrain": on}, "a test")

    train(workspace, folder, Watcher(at2=switch(False)), target_iter=3, keep=99)
    first = Generations(folder).path(0) / "manifest.json"
    assert json.loads(first.read_bytes())["drawn"] == 0
    before = first.stat().st_mtime_ns
    train(workspace, folder, Watcher(at5=switch(True)), target_iter=6, keep=99)
    train(workspace, folder, Watcher(at8=switch(False)), target_iter=9, keep=99)
    assert first.stat().st_mtime_ns > before


def test_a_save_is_rated_by_the_losses_since_the_last_change_of_options(workspace, folder):
    train(workspace, folder, Watcher(at60=ask(random_src_flip=True)), target_iter=70)

    def rated(target_iter):
        train(workspace, folder, Watcher(), target_iter=target_iter)
        return Generations(folder).newest(lambda text, remedy: None).manifest.smoothed_loss

    assert rated(100) is None, "too few to tell"
    assert rated(130) == pytest.approx(np.mean([3 / n for n in range(61, 131)]))
    assert rated(330) == pytest.approx(np.mean([3 / n for n in range(131, 331)]))
