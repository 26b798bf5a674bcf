"""A model that is being ruined goes back to a good save and goes on, without a hand (trap T28)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.protocol.commands import Save
from engine.protocol.errors import InputError, StageError, Stopped
from engine.protocol.history import HISTORY_NAME, read_history, read_marks
from engine.train.companions import Companion
from engine.train.generations import Generations
from engine.train.guard import BAD_IN_A_ROW
from engine.train.recovery import MOST_ROLLBACKS
from engine.train.trainable import StepResult
from tests.support.context import context_for
from tests.train import light_model
from tests.train.light_model import LightModel, light_loop
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import tiny_loop

pytestmark = pytest.mark.slow


class Ruinable(LightModel):
    """Once ruined, no step succeeds; its saves hold the ruin."""

    ruined = False

    def train_step(self, batches, loss_limit=math.inf):
        result = super().train_step(batches, loss_limit)
        if not self.ruined:
            return result
        self.iteration -= 1
        return StepResult((math.nan, math.nan), applied=False)

    def state(self):
        return {**super().state(), "ruin": {"ruined": np.float32([self.ruined])}}

    def restore(self, saved):
        self.iteration = saved.manifest.iteration
        self.ruined = bool(saved.state["ruin"]["ruined"][0])

    def change_options(self, changes):
        self.options = {**self.options, **changes}


class Ruin(Companion):
    """Ruins the model after some iterations, `times` times; asks for saves after others."""

    def __init__(self, at=(), *, save_at=(), times=1):
        self.at, self.save_at, self.times = set(at), set(save_at), times
        self.seen = []
        self.restored_from = []

    def stepped(self, training, point):
        self.seen.append(point.iteration)
        if point.iteration in self.at and self.times:
            self.times -= 1
            self.ruin(training.model)
        if point.iteration in self.save_at:
            training.saving.hear(wait=True)  # light models outrun their saves
            training.save()
            training.saving.hear(wait=True)

    def ruin(self, model):
        model.ruined = True

    def restored(self, training, carried):
        self.restored_from.append(training.iteration)


class Poison(Ruin):
    """Makes real weights no numbers."""

    def ruin(self, model):
        for _, variable in model.autoencoder.nets["encoder"].named_weights():
            variable.assign(variable.numpy() * np.float32(np.nan))


@pytest.fixture(autouse=True)
def ruinable(monkeypatch):
    monkeypatch.setattr(light_model, "LightModel", Ruinable)


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 3)


def folder_of(workspace):
    return workspace / "model" / "new"


def marks_of(workspace, kind):
    return [mark for mark in read_marks(folder_of(workspace) / HISTORY_NAME) if mark.kind == kind]


def poison_batches(loop, numbers, factor):
    """Multiply the src targets of the batches whose first sample is one of `numbers`."""
    make = loop.batches.make

    def poisoned(first, count):
        batch = make(first, count)
        if first in numbers and count == loop.batches.batch_size:
            batch.src.target_bgr[...] *= np.float32(factor)
        return batch

    loop.batches.make = poisoned


def all_finite(loop):
    return all(
        np.isfinite(tensor).all()
        for tensors in loop.model.state().values()
        for tensor in tensors.values()
    )


@pytest.mark.slow
def test_weights_that_are_no_numbers_go_back_to_the_last_save_and_training_goes_on(
    workspace, without_tracing
):
    context = context_for(workspace, "train", target_iter=12)
    poison = Poison(at={8}, save_at={5})
    with tiny_loop(context, folder_of(workspace), companions=[poison]) as loop:
        loop.run()
        assert all_finite(loop)
    assert loop.bad_steps.count == BAD_IN_A_ROW
    assert poison.seen == [*range(1, 9), *range(6, 13)]
    assert poison.restored_from == [5]
    assert Generations(folder_of(workspace)).iterations()[-1] == 12
    rows = read_history(folder_of(workspace) / HISTORY_NAME)
    assert [row.iteration for row in rows] == list(range(1, 13))
    (mark,) = marks_of(workspace, "rollback")
    assert mark.iteration == 5
    assert "iteration 8" in mark.text
    assert "no numbers" in mark.text
    assert len(marks_of(workspace, "skipped")) == BAD_IN_A_ROW
    assert any("went back to iteration 5" in warning for warning in context.warnings)


@pytest.mark.slow
def test_faces_that_make_losses_explode_are_not_learned_and_the_model_goes_back(
    workspace, without_tracing, monkeypatch
):
    monkeypatch.setattr("engine.train.guard.WINDOW", 4)
    context = context_for(workspace, "train", target_iter=9)
    watched = Ruin(save_at={5})
    with tiny_loop(context, folder_of(workspace), companions=[watched]) as loop:
        poison_batches(loop, range(10, 10 + 2 * BAD_IN_A_ROW), 1000.0)
        loop.run()
        assert all_finite(loop)
    assert watched.restored_from == [5]
    assert max(sum(losses) for _, losses in context.loss_rows) < 50
    (mark,) = marks_of(workspace, "rollback")
    assert "beyond" in mark.text
    assert loop.model.iteration == 9


@pytest.mark.slow
def test_one_poisoned_batch_is_skipped_and_nothing_goes_back(workspace, without_tracing):
    context = context_for(workspace, "train", target_iter=8)
    watched = Ruin()
    with tiny_loop(context, folder_of(workspace), companions=[watched]) as loop:
        poison_batches(loop, {6}, np.nan)
        loop.run()
    assert loop.bad_steps.count == 1
    assert watched.restored_from == []
    assert watched.seen == list(range(1, 9))
    (mark,) = marks_of(workspace, "skipped")
    assert "not applied" in mark.text


def test_faces_after_a_rollback_are_others_than_those_before(workspace):
    context = context_for(workspace, "train", target_iter=8)
    with light_loop(context, folder_of(workspace), companions=[Ruin(at={6})]) as loop:
        drawn = []
        step = loop.model.train_step

        def noting(batches, limit):
            result = step(batches, limit)
            drawn.append(batches.previous().first)
            return result

        loop.model.train_step = noting
        loop.run()
    assert len(drawn) == 6 + BAD_IN_A_ROW + 7
    assert drawn == sorted(set(drawn))


def test_a_save_that_was_ruined_when_it_was_made_is_passed_over(workspace):
    context = context_for(workspace, "train", target_iter=9)
    ruin = Ruin(at={6}, save_at={3, 6})
    with light_loop(context, folder_of(workspace), companions=[ruin]) as loop:
        loop.run()
        assert not loop.model.ruined
    assert ruin.restored_from == [6, 3]
    assert Generations(folder_of(workspace)).iterations()[-1] == 9
    assert any("put aside" in warning for warning in context.warnings)


def test_a_model_that_collapses_again_and_again_ends_with_its_good_saves_kept(workspace):
    context = context_for(workspace, "train", target_iter=99)
    ruin = Ruin(at={5}, save_at={3}, times=99)
    with (
        light_loop(context, folder_of(workspace), companions=[ruin]) as loop,
        pytest.raises(StageError, match="has not helped") as refused,
    ):
        loop.run()
    assert refused.value.code == "collapsed"
    assert len(ruin.restored_from) == MOST_ROLLBACKS
    saves = Generations(folder_of(workspace))
    assert saves.iterations()[0] == 1
    saved = saves.newest(context.warn)
    assert not saved.state["ruin"]["ruined"][0]


def test_a_model_that_collapses_before_its_first_save_says_so(workspace):
    context = context_for(workspace, "train", target_iter=9)
    with light_loop(context, folder_of(workspace)) as loop:
        loop.model.ruined = True
        with pytest.raises(StageError, match="no good save"):
            loop.run()
    assert Generations(folder_of(workspace)).iterations() == []


def test_a_stop_right_after_a_bad_step_does_not_save_what_turns_out_ruined(workspace):
    context = context_for(workspace, "train")
    ruin = Ruin(at={5}, save_at={3})
    with light_loop(context, folder_of(workspace), companions=[ruin]) as loop:
        step = loop.model.train_step

        def stopping(batches, limit):
            result = step(batches, limit)
            context.stop_requested = context.stop_requested or not result.applied
            return result

        loop.model.train_step = stopping
        with pytest.raises(Stopped):
            loop.run()
    assert ruin.restored_from == [3]
    assert Generations(folder_of(workspace)).iterations()[-1] == 3


def test_with_the_guard_off_bad_steps_are_not_applied_and_nothing_goes_back(workspace):
    context = context_for(workspace, "train", max_minutes=0.005, collapse_guard=False)
    ruin = Ruin(at={3})
    with light_loop(context, folder_of(workspace), companions=[ruin]) as loop:
        loop.run()
    assert loop.bad_steps.count > BAD_IN_A_ROW
    assert ruin.restored_from == []
    assert Generations(folder_of(workspace)).iterations()[-1] == 3


def test_losses_that_creep_up_go_back_to_the_last_save_from_before(workspace, monkeypatch):
    monkeypatch.setattr("engine.train.guard.WINDOW", 5)
    context = context_for(workspace, "train", target_iter=40)
    ruin = Ruin(save_at={10, 14, 18})
    with light_loop(context, folder_of(workspace), companions=[ruin]) as loop:
        step = loop.model.train_step

        def creeping(batches, limit):
            result = step(batches, limit)
            number = loop.model.iteration
            rises = number > 12 and not ruin.restored_from
            loss = 0.1 * 1.25 ** (number - 12) if rises else 0.1 + number / 1e6
            return StepResult((loss, loss), result.applied)

        loop.model.train_step = creeping
        loop.run()
    assert ruin.restored_from == [14]
    assert loop.model.iteration == 40
    (mark,) = marks_of(workspace, "rollback")
    assert "risen" in mark.text


def test_a_collapse_that_cannot_be_gone_back_from_is_not_saved_at_the_end(workspace, monkeypatch):
    monkeypatch.setattr("engine.train.guard.WINDOW", 5)
    context = context_for(workspace, "train", target_iter=40)
    with light_loop(context, folder_of(workspace), companions=[Ruin(save_at={10, 18})]) as loop:
        step = loop.model.train_step

        def creeping(batches, limit):
            result = step(batches, limit)
            loss = 0.1 * 1.25 ** max(0, loop.model.iteration - 12)
            return StepResult((loss, loss), result.applied)

        def refuse(iteration, why):
            raise PermissionError(13, "not allowed")

        loop.model.train_step = creeping
        loop.rollbacks._generations.put_aside_after = refuse
        with pytest.raises(InputError, match="not allowed"):
            loop.run()
    assert Generations(folder_of(workspace)).iterations()[-1] == 18


def test_with_the_guard_off_losses_that_stay_larger_are_learned_after_a_few_steps(
    workspace, monkeypatch
):
    monkeypatch.setattr("engine.train.guard.WINDOW", 4)
    context = context_for(workspace, "train", target_iter=20, collapse_guard=False)
    with light_loop(context, folder_of(workspace)) as loop:
        step = loop.model.train_step

        def growing(batches, limit):
            step(batches, limit)
            loss = 1000.0 if loop.model.iteration > 10 else 1.0 + loop.model.iteration / 100
            if loss > limit:
                loop.model.iteration -= 1
            return StepResult((loss,), loss <= limit)

        loop.model.train_step = growing
        loop.run()
    assert loop.model.iteration == 20
    assert loop.bad_steps.count == BAD_IN_A_ROW


def test_a_save_asked_for_after_a_bad_step_is_refused_with_a_word(workspace):
    context = context_for(workspace, "train", target_iter=9)
    ruin = Ruin(at={5}, save_at={3})
    with light_loop(context, folder_of(workspace), companions=[ruin]) as loop:
        step = loop.model.train_step

        def asking(batches, limit):
            result = step(batches, limit)
            if not result.applied and loop.bad_steps.count == 0:
                context.queue.append(Save())
            return result

        loop.model.train_step = asking
        loop.run()
    assert any("not saved as it is now" in warning for warning in context.warnings)
    assert 5 not in context.saves[:2]
