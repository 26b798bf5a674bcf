"""Starting by goal, from home and from a form."""

from __future__ import annotations

import json
from pathlib import Path

from engine import catalog
from engine.protocol.goals import goal
from engine.protocol.workspace import Workspace
from tests.tuiapp.seen import opened, screen_text, sees, until
from tuiapp.forms.goal_fill import filled_values, remember_goal
from tuiapp.forms.memory import remembered_values
from tuiapp.forms.stage_form import StageForm
from tuiapp.screens.goals import GoalScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.stage import StageScreen

TRAIN = catalog.stage("train")
GOOD = goal("good-1080p")


def made_model(workspace: Workspace, name: str, options: dict[str, object]) -> None:
    save = workspace.model(name, "saehd") / "generations" / "00000007"
    save.mkdir(parents=True)
    (save / "manifest.json").write_text(json.dumps({"iteration": 7, "options": options}))


async def test_a_goal_chosen_in_the_form_fills_it_and_says_why(workspace: Workspace) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("train", {"model": "anna", "save_minutes": 7, "device": "cpu"})
        await sees(pilot, "f4 Goal")
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        await pilot.press("j")
        await sees(pilot, "on the CPU", "--archi liae-ud", "For two similar faces: --archi df-ud")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        await until(pilot, lambda: app.screen.query("#row-archi"))
        state = app.screen.query_one(StageForm).state
        expected = GOOD.values_for("train", 0)
        assert {name: state.values[name] for name in expected} == expected
        assert (state.values["model"], state.values["save_minutes"]) == ("anna", 7)
        app.screen.query_one("#row-archi TextField").focus()
        await sees(pilot, "By goal: copes with faces of different shape")


async def test_a_reason_goes_with_the_value_that_it_is_of(workspace: Workspace) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("train", {"device": "cpu"})
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.screen.query("#row-archi"))
        app.screen.query_one("#row-batch_size NumberField").focus()
        await sees(pilot, "By goal: 8 is steady")
        await pilot.press("9")
        app.screen.query_one("#row-archi TextField").focus()
        await sees(pilot, "By goal: copes")
        app.screen.query_one("#row-batch_size NumberField").focus()
        await until(pilot, lambda: "By goal" not in screen_text(pilot))


async def test_home_sets_the_forms_of_all_stages_and_opens_the_training(
    workspace: Workspace,
) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        await sees(pilot, "b Goal")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: app.screen.query("#row-archi"))
        assert app.screen.query_one(StageForm).state.values["face_type"] == "head"
        app.open_form("faces-extract")
        await until(pilot, lambda: app.screen.query("#row-face_type"))
        assert app.screen.query_one(StageForm).state.values["face_type"] == "head"
        app.open_form("merge")
        await until(pilot, lambda: app.screen.query("#row-mask_mode"))
        merge = app.screen.query_one(StageForm).state.values
        assert merge["mask_mode"] == "learned-prd+learned-dst"
        assert (merge["model"], merge["model_class"]) == ("new", "saehd")


async def test_without_faces_home_stays_with_the_next_step(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (tmp_path / "data_src.mp4").write_bytes(b"x")
    async with opened(workspace) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        await pilot.press("enter")
        await sees(pilot, "set in the forms of")
        assert isinstance(app.screen, HomeScreen)
        assert remembered_values(workspace, "faces-extract")["face_type"] == "wf"


async def test_leaving_the_goals_changes_nothing(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, GoalScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert remembered_values(workspace, "train") == {}


async def test_a_stage_that_no_goal_knows_has_no_such_key(workspace: Workspace) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("video-cut")
        await sees(pilot, "f5 Start")
        assert "f4" not in screen_text(pilot)
        await pilot.press("f4")
        assert isinstance(app.screen, StageScreen)


def test_a_model_that_the_goal_would_make_otherwise_gets_one_beside_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_model(workspace, "anna", {"resolution": 64})
    made_model(workspace, "anna 2", {"resolution": 64})
    values = filled_values(workspace, TRAIN, GOOD, 0, {"model": "anna", "gan_power": "0.5"})
    assert values == {**GOOD.values_for("train", 0), "model": "anna 3"}


def test_a_model_made_as_the_goal_would_goes_on_with_its_own_options(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_model(workspace, "anna", {**GOOD.values_for("train", 0), "batch_size": 2})
    values = filled_values(workspace, TRAIN, GOOD, 0, {"model": "anna"})
    assert values == {"model": "anna", "model_class": "saehd"}


def test_the_merge_takes_the_model_that_the_goal_trains(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    remember_goal(workspace, GOOD, 24, {"train": {"model": "bea"}})
    merge = remembered_values(workspace, "merge")
    assert (merge["model"], merge["model_class"]) == ("bea", "saehd")
    assert remembered_values(workspace, "train")["resolution"] == 320
