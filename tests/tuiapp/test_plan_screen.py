"""The training plan of a model, seen and edited."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot

from engine import catalog
from engine.protocol import events
from engine.protocol.plan_presets import PRESETS
from engine.protocol.training_plan import (
    Flat,
    Phase,
    Plan,
    Reset,
    phase_text,
    plan_path,
    read_plan,
    write_plan,
)
from engine.protocol.workspace import Workspace
from engine.runtime.client import RunFolder
from tests.tuiapp.made import RUN_IDS, made_run
from tests.tuiapp.seen import opened, screen_text, sees, until
from tests.tuiapp.test_training_screen import happens
from tuiapp.app import FacewrightApp
from tuiapp.bridge.plan_edit import (
    fields_of,
    moved,
    phase_of,
    values_before,
    with_new_phase,
    without,
)
from tuiapp.forms.widgets import FlagField, NumberField
from tuiapp.screens.training.plan import PhaseScreen, PlanScreen
from tuiapp.screens.training.screen import TrainingScreen

TRAINING = RUN_IDS["train-running"]
PLAN = Plan(
    title="Mine",
    phases=(
        Phase(name="warp", changes={"random_warp": True}, at_most=1000),
        Phase(name="sharp", changes={"random_warp": False, "lr_dropout": "y"}),
    ),
)


def saehd_run(workspace: Workspace) -> tuple[RunFolder, Path]:
    """A training of a SAEHD model, and where its plan lies."""
    run = made_run(workspace, "train-running", alive=True)
    for path in (run.journal_path, run.job_path):
        path.write_text(path.read_text().replace("quick96", "saehd"))
    folder = workspace.model("new", "saehd")
    folder.mkdir(parents=True)
    return run, plan_path(folder)


async def plan_opened(app: FacewrightApp, pilot: Pilot[None]) -> PlanScreen:
    await sees(pilot, "t Plan")
    await pilot.press("t")
    await until(pilot, lambda: any(isinstance(s, PlanScreen) for s in app.screen_stack))
    return next(screen for screen in app.screen_stack if isinstance(screen, PlanScreen))


async def test_a_ready_plan_is_taken_and_saved_where_the_run_finds_it(workspace: Workspace) -> None:
    _, path = saehd_run(workspace)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await plan_opened(app, pilot)
        await sees(pilot, "No plan yet")
        await pilot.press("f")
        await sees(pilot, "Take which plan?", "Standard", "RTM", "7 phases")
        await pilot.press("enter")
        await sees(pilot, "changed, not saved yet", "2 eyes and mouth", "Bend faces at random: yes")
        await sees(pilot, "s Save", "esc Back")
        assert not path.exists()
        await pilot.press("s")
        await until(pilot, path.exists)
        assert read_plan(path) == PRESETS["standard"]


async def test_the_phase_that_the_run_is_in_is_marked(workspace: Workspace) -> None:
    run, path = saehd_run(workspace)
    write_plan(path, PLAN)
    note = f"{phase_text(PLAN, 1)}, and more"
    happens(run, events.Progress(done=201, total=None, unit="iterations", note=note))
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await sees(pilot, "phase 2 of 2: sharp")
        await plan_opened(app, pilot)
        await sees(pilot, "  1 warp", "> 2 sharp", "ends after 1000 iterations")
        await pilot.press("j")
        await sees(pilot, "Learning rate dropout: y", "ends never")


async def test_phases_are_added_moved_and_taken_out(workspace: Workspace) -> None:
    _, path = saehd_run(workspace)
    write_plan(path, PLAN)
    async with opened(workspace, (120, 40), attach=TRAINING) as (app, pilot):
        screen = await plan_opened(app, pilot)
        await sees(pilot, "1 warp")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, PhaseScreen))
        await pilot.press("escape")
        await sees(pilot, "2 phase 1", "3 sharp")
        await pilot.press("K")
        await sees(pilot, "1 phase 1", "2 warp")
        await pilot.press("J", "d")
        await sees(pilot, "1 warp", "2 sharp")
        assert screen.plan == PLAN


async def test_a_phase_is_edited_in_place_and_wrong_values_are_refused(
    workspace: Workspace,
) -> None:
    _, path = saehd_run(workspace)
    write_plan(path, PLAN)
    async with opened(workspace, (120, 40), attach=TRAINING) as (app, pilot):
        screen = await plan_opened(app, pilot)
        await sees(pilot, "1 warp")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PhaseScreen))
        at_most = app.screen.query_one("#row-phase_at_most NumberField", NumberField)
        at_most.value = "-5"
        await sees(pilot, "! must be 0 to")
        await pilot.press("enter")
        assert isinstance(app.screen, PhaseScreen)
        at_most.value = "2500"
        app.screen.query_one("#row-uniform_yaw FlagField", FlagField).action_set(True)
        await sees(pilot, "Even yaw: no -> yes")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert screen.plan is not None
        assert screen.plan.phases[0] == Phase(
            name="warp", changes={"random_warp": True, "uniform_yaw": True}, at_most=2500
        )


async def test_a_plan_that_cannot_be_followed_says_why_and_is_not_saved(
    workspace: Workspace,
) -> None:
    _, path = saehd_run(workspace)
    write_plan(path, PLAN)
    async with opened(workspace, (120, 40), attach=TRAINING) as (app, pilot):
        await plan_opened(app, pilot)
        await sees(pilot, "1 warp")
        await pilot.press("J")
        await sees(pilot, "phase 'sharp' never ends")
        await pilot.press("s")
        await sees(pilot, "Not saved")
        assert read_plan(path) == PLAN


async def test_changes_are_lost_only_after_asking(workspace: Workspace) -> None:
    _, path = saehd_run(workspace)
    write_plan(path, PLAN)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await plan_opened(app, pilot)
        await sees(pilot, "1 warp")
        await pilot.press("d", "escape")
        await sees(pilot, "Leave the plan?")
        await pilot.press("n", "escape", "y")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        assert read_plan(path) == PLAN


async def test_a_plan_is_taken_away_into_the_trash_once_that_is_saved(
    workspace: Workspace,
) -> None:
    _, path = saehd_run(workspace)
    write_plan(path, PLAN)
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await plan_opened(app, pilot)
        await sees(pilot, "1 warp")
        await pilot.press("D")
        await sees(pilot, "No plan yet", "changed, not saved yet")
        assert path.exists()
        await pilot.press("s")
        await until(pilot, lambda: not path.exists())
        await sees(pilot, "the plan is taken away")
        (trashed,) = workspace.trash.rglob(path.name)
        assert read_plan(trashed) == PLAN
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_a_damaged_plan_says_what_to_do(workspace: Workspace) -> None:
    _, path = saehd_run(workspace)
    path.write_text("{")
    async with opened(workspace, attach=TRAINING) as (app, pilot):
        await plan_opened(app, pilot)
        await sees(pilot, "is no training plan", "What to do:")
        await pilot.press("escape")
        assert "No plan yet" in screen_text(pilot)


def test_moving_beyond_the_ends_and_removing_the_last_phase_change_nothing() -> None:
    assert moved(PLAN, 0, -1) == PLAN
    assert moved(PLAN, 1, 1) == PLAN
    assert [phase.name for phase in moved(PLAN, 0, 1).phases] == ["sharp", "warp"]
    alone = without(PLAN, 0)
    assert without(alone, 0) == alone


def test_a_new_phase_has_a_name_of_its_own() -> None:
    grown = with_new_phase(with_new_phase(PLAN, 0), 0)
    names = [phase.name for phase in grown.phases]
    assert len(set(names)) == 4
    assert names[0] == "warp"


def test_a_phase_keeps_all_that_its_fields_say() -> None:
    model = catalog.model("saehd")
    for phase in (phase for plan in PRESETS.values() for phase in plan.phases):
        before = {option.name: option.default for option in model.options}
        assert phase_of(fields_of(phase), dict(phase.changes), before, phase) == phase
    reset = Phase(name="a", reset=Reset(nets=("inter_AB", "inter_B"), every=7), flat=Flat())
    assert phase_of(fields_of(reset), {}, {}, reset) == reset


def test_a_phase_begins_with_what_those_before_it_changed() -> None:
    model = catalog.model("saehd")
    begins = values_before(PLAN, 1, model, {"random_warp": False, "batch_size": 6})
    assert (begins["random_warp"], begins["batch_size"]) == (True, 6)
    assert set(begins) == {option.name for option in model.options}
