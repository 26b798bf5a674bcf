"""Training by a plan: options change by themselves when a phase begins."""

from __future__ import annotations

import os
from collections import deque

import numpy as np
import pytest

from engine.models.quick96.spec import QUICK96
from engine.protocol.commands import SetOptions
from engine.protocol.history import HISTORY_NAME, read_history, read_marks
from engine.protocol.training_plan import Flat, Phase, Plan, Reset, plan_path, write_plan
from engine.train import phases as phases_module
from engine.train.generations import Generations
from engine.train.phases import Phases, falls
from engine.train.trainable import StepResult
from tests.support.context import context_for
from tests.train import light_model
from tests.train.light_model import LightModel, light_loop
from tests.train.made_faces import write_workspace
from tests.train.tiny_model import tiny_loop

pytestmark = pytest.mark.slow


class ChangingLight(LightModel):
    """Takes any option; remembers which nets got fresh weights, and may be ruined."""

    def __init__(self, saved=None, *, floats=1000):
        super().__init__(saved, floats=floats)
        self.resets = []
        self.ruined = False
        if saved:
            self.options = dict(saved.manifest.options)

    def change_options(self, changes):
        self.options = {**self.options, **changes}

    def reset_nets(self, names):
        self.resets.append((self.iteration, tuple(names)))

    def train_step(self, batches, loss_limit=float("inf")):
        if not self.ruined:
            return super().train_step(batches, loss_limit)
        batches.next()
        return StepResult((float("nan"),) * 2, applied=False)

    def restore(self, saved):
        super().restore(saved)
        self.ruined = False


@pytest.fixture(autouse=True)
def changing(monkeypatch):
    monkeypatch.setattr(light_model, "LightModel", ChangingLight)


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path, 3)


@pytest.fixture
def folder(workspace):
    made = workspace / "model" / "new_light"
    made.mkdir(parents=True)
    return made


SRC, DST = ({"random_src_flip": True}, {"random_dst_flip": True})


def plan_of(*phases, **details):
    return Plan(title="made", phases=phases, **details)


TWO = plan_of(Phase(name="one", changes=SRC, at_most=4), Phase(name="two", changes=DST))


def phases_for(folder):
    saved = Generations(folder).newest(lambda text, remedy: None)
    carried = saved.manifest.carried.get(Phases.carried_as, {}) if saved else {}
    return Phases(folder, QUICK96, carried)


def train(workspace, folder, *, plan=None, loop_of=light_loop, act=None, **options):
    """Train on; `act` is called with loop and point after every step. Returns loop and context."""
    if plan:
        write_plan(plan_path(folder), plan)
    context = context_for(workspace, "train", **options)
    companions = [phases_for(folder)]
    with loop_of(context, folder, companions=companions) as loop:
        if act:
            stepped = companions[0].stepped

            def acting(training, point):
                act(loop, point)
                stepped(training, point)

            companions[0].stepped = acting
        loop.run()
    return loop, context


def phase_marks(folder):
    marks = [mark for mark in read_marks(folder / HISTORY_NAME) if mark.kind == "phase"]
    return [(mark.iteration, mark.text.partition(";")[0]) for mark in marks]


def test_each_phase_begins_with_its_changes_which_are_told_recorded_and_saved(workspace, folder):
    seen = {}
    loop, context = train(
        workspace,
        folder,
        plan=TWO,
        target_iter=8,
        act=lambda loop, point: seen.update({point.iteration: dict(loop.model.options)}),
    )
    assert [seen[n]["random_src_flip"] for n in (1, 4, 8)] == [True, True, True]
    assert [seen[n]["random_dst_flip"] for n in (1, 4, 5, 8)] == [False, False, True, True]
    assert phase_marks(folder) == [(0, "phase 1 of 2, one"), (4, "phase 2 of 2, two")]
    assert context.changed_options == {**SRC, **DST}
    assert loop.companions[0].status() == "phase 2 of 2: two"
    manifest = Generations(folder).newest(context.warn).manifest
    assert manifest.options["random_dst_flip"] is True
    assert manifest.carried["plan"] == {
        "phase": "two",
        "number": 1,
        "begun": 4,
        "ended": False,
    }


def test_training_that_goes_on_in_a_phase_keeps_what_somebody_changed_in_it(workspace, folder):
    def undo(loop, point):
        if point.iteration == 2:
            loop.context.queue.append(SetOptions(values={"random_src_flip": False}))

    train(workspace, folder, plan=TWO, target_iter=3, act=undo)
    loop, _ = train(workspace, folder, target_iter=4)
    assert loop.model.options["random_src_flip"] is False
    assert phase_marks(folder)[1:] == [(4, "phase 2 of 2, two")]


FLAT = plan_of(
    Phase(name="falls", changes=SRC, at_most=400, flat=Flat(window=20, percent=8)),
    Phase(name="flat", changes=DST),
)


def test_a_phase_ends_when_the_loss_no_longer_falls(workspace, folder):
    train(workspace, folder, plan=FLAT, target_iter=400)
    ended = phase_marks(folder)[1][0]
    assert 200 <= ended <= 260, "losses fall by 3/n: by 8 % over 20 iterations at about 250"


def test_a_loss_that_is_flat_ends_no_phase_before_its_least_iterations(workspace, folder):
    first = FLAT.phases[0]
    lasting = Phase(name="falls", at_least=300, flat=first.flat)
    train(workspace, folder, plan=plan_of(lasting, FLAT.phases[1]), target_iter=310)
    assert phase_marks(folder)[1][0] == 300


def test_a_run_in_parts_ends_its_phase_at_the_same_iteration(workspace, folder, tmp_path):
    train(workspace, folder, plan=FLAT, target_iter=300)
    parts = tmp_path / "parts"
    parts.mkdir()
    write_plan(plan_path(parts), FLAT)
    for target in (7, 120, 233, 300):
        train(workspace, parts, target_iter=target)
    assert phase_marks(parts) == phase_marks(folder)


def test_nets_get_fresh_weights_every_so_many_iterations_of_their_phase(workspace, folder):
    plan = plan_of(
        Phase(name="before", at_most=3),
        Phase(name="rtm", at_most=12, reset=Reset(nets=("inter_AB",), every=5)),
        Phase(name="after"),
    )
    loop, _ = train(workspace, folder, plan=plan, target_iter=30)
    assert loop.model.resets == [(8, ("inter_AB",)), (13, ("inter_AB",))]
    resets = [mark for mark in read_marks(folder / HISTORY_NAME) if mark.kind == "reset"]
    assert [mark.iteration for mark in resets] == [8, 13]


def test_the_end_of_a_plan_that_stops_ends_the_run_and_later_ones_at_once(workspace, folder):
    plan = plan_of(Phase(name="only", at_most=5), stop=True)
    loop, context = train(workspace, folder, plan=plan, target_iter=99)
    assert loop.model.iteration == 5
    assert Generations(folder).iterations()[-1] == 5
    assert any("has ended" in note for note in context.notes)
    again, _ = train(workspace, folder, target_iter=99)
    assert again.model.iteration == 5


def test_the_end_of_other_plans_lets_training_go_on(workspace, folder):
    loop, _ = train(workspace, folder, plan=plan_of(Phase(name="only", at_most=5)), target_iter=9)
    assert loop.model.iteration == 9
    assert loop.companions[0].status() == "plan ended"
    again, _ = train(workspace, folder, target_iter=12)
    assert again.model.iteration == 12
    assert [iteration for iteration, _ in phase_marks(folder)] == [0, 5]


def test_a_model_that_goes_back_before_a_phase_goes_back_in_its_plan_and_options(workspace, folder):
    first_time = []

    def ruin(loop, point):
        loop.saving.hear(wait=True)  # light models outrun their saves
        if point.iteration == 3:
            loop.save()
        if point.iteration == 6 and not first_time:
            first_time.append(dict(loop.model.options))
            loop.model.ruined = True

    loop, context = train(workspace, folder, plan=TWO, target_iter=8, act=ruin)
    assert first_time[0]["random_dst_flip"] is True
    assert [i for i, text in phase_marks(folder) if "two" in text] == [4, 4]
    assert loop.model.options["random_dst_flip"] is True
    assert [row.iteration for row in read_history(folder / HISTORY_NAME)] == list(range(1, 9))
    assert any("went back to iteration 4" in warning for warning in context.warnings)


def rewrite(folder, plan):
    write_plan(plan_path(folder), plan)
    os.utime(plan_path(folder))


def test_a_plan_that_is_edited_while_it_trains_is_followed_from_there(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(phases_module, "LOOK_SECONDS", 0.0)
    longer = plan_of(Phase(name="one", changes=SRC, at_most=6), Phase(name="other", changes=DST))

    def edit(loop, point):
        if point.iteration == 2:
            rewrite(folder, longer)

    train(workspace, folder, plan=TWO, target_iter=8, act=edit)
    assert phase_marks(folder) == [
        (0, "phase 1 of 2, one"),
        (2, "the plan made was changed"),
        (6, "phase 2 of 2, other"),
    ]


def test_a_plan_written_while_it_trains_begins_there(workspace, folder, monkeypatch):
    monkeypatch.setattr(phases_module, "LOOK_SECONDS", 0.0)

    def write(loop, point):
        if point.iteration == 2:
            rewrite(folder, TWO)

    train(workspace, folder, target_iter=8, act=write)
    assert phase_marks(folder) == [(2, "phase 1 of 2, one"), (6, "phase 2 of 2, two")]


def test_a_plan_that_is_taken_away_while_it_trains_leaves_the_options_as_they_are(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(phases_module, "LOOK_SECONDS", 0.0)

    def take_away(loop, point):
        if point.iteration == 2:
            plan_path(folder).unlink()

    loop, context = train(workspace, folder, plan=TWO, target_iter=8, act=take_away)
    assert loop.companions[0].status() == ""
    assert context.changed_options == SRC
    assert phase_marks(folder)[-1] == (2, "the plan made was taken away")
    assert Generations(folder).newest(context.warn).manifest.carried["plan"] == {}


def test_a_plan_that_was_damaged_while_it_trains_is_told_and_the_old_one_holds(
    workspace, folder, monkeypatch
):
    monkeypatch.setattr(phases_module, "LOOK_SECONDS", 0.0)

    def damage(loop, point):
        if point.iteration == 2:
            plan_path(folder).write_text("{")

    _, context = train(workspace, folder, plan=TWO, target_iter=8, act=damage)
    assert phase_marks(folder)[1] == (4, "phase 2 of 2, two")
    assert [text for text in context.warnings if "the old one holds" in text] == context.warnings
    assert len(context.warnings) == 1


@pytest.mark.parametrize(
    ("values", "percent", "is_falling"),
    [
        (np.linspace(1.0, 0.98, 100), 1, True),
        (np.linspace(1.0, 0.995, 100), 1, False),
        (np.linspace(1.0, 1.5, 100), 0, False),
        (1 + 0.5 * np.sin(np.arange(1000) * 2.1), 1, False),
    ],
)
def test_losses_fall_if_a_line_through_them_sinks_by_so_much(values, percent, is_falling):
    assert falls(deque(values), percent) is is_falling


@pytest.mark.slow
@pytest.mark.usefixtures("without_tracing")
def test_real_weights_are_the_same_bit_for_bit_in_parts_across_a_phase(workspace, folder, tmp_path):
    plan = plan_of(Phase(name="one", at_most=4), Phase(name="two", changes={"batch_size": 3}))
    parts = tmp_path / "parts"
    parts.mkdir()
    whole, _ = train(workspace, folder, plan=plan, loop_of=tiny_loop, target_iter=8)
    for target in (3, 5, 8):
        write_plan(plan_path(parts), plan)
        part, _ = train(workspace, parts, loop_of=tiny_loop, target_iter=target)
    found = part.model.state()
    for stem, tensors in whole.model.state().items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(found[stem][name], tensor, err_msg=f"{stem}/{name}")
