"""Starting stages from the app, with real engines."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from engine.protocol.workspace import Workspace
from engine.runtime.client import list_runs
from tests.support.consent import agree_by
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import opened, screen_text, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.forms.memory import remembered_values
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.pick import PickScreen
from tuiapp.screens.run import RunScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.screens.watching import WatchingScreen

pytestmark = pytest.mark.slow  # starts processes or nets

ENGINE_LIMIT_S = 90.0  # a start takes a second; machines that run several test suites need more


async def until_ended(app: FacewrightApp, pilot: Pilot[None]) -> WatchingScreen:
    """Wait until the run on the screen is over."""
    await until(pilot, lambda: isinstance(app.screen, WatchingScreen), ENGINE_LIMIT_S)
    screen = app.screen
    assert isinstance(screen, WatchingScreen)
    await until(pilot, lambda: not screen.view.state.live, ENGINE_LIMIT_S)
    return screen


async def test_f5_in_a_form_starts_an_engine_and_shows_how_its_run_goes(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("video-cut", {"side": "src"})
        await sees(pilot, "f5 Start")
        await pilot.press("f5")
        screen = await until_ended(app, pilot)
        assert screen.view.error is not None  # 1500 times x is no video
        await sees(pilot, "cannot read the video", "What to do:")
        assert remembered_values(workspace, "video-cut")["side"] == "src"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await sees(pilot, "video-cut")


async def test_what_is_missing_is_told_in_the_form_before_anything_is_written(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("video-render")
        await sees(pilot, "f5 Start")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, TellScreen))
        await sees(pilot, "no merged frames", "run merge first")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert not workspace.state.exists()


async def test_a_render_without_consents_offers_their_forms_and_a_draft(
    workspace: Workspace,
) -> None:
    agree_by(workspace.root, "src", "Anna")
    workspace.dst.merged.mkdir(parents=True)
    (workspace.dst.merged / "00001.png").write_bytes(b"a picture")
    async with opened(workspace) as (app, pilot):
        app.open_form("video-render", {"kind": "ffv1"})
        await sees(pilot, "f5 Start")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await sees(pilot, "Record a consent for dst", "Render a draft", "needs a consent record")
        assert "Record a consent for src" not in screen_text(pilot)
        await pilot.press("enter")
        await sees(pilot, "Record consent", "Whose consent it is.")
        assert isinstance(app.screen, StageScreen)
        assert app.screen.form.state.values["side"] == "dst"
        app.open_form("video-render")
        await sees(pilot, "ffv1")  # what was chosen before is not to be chosen again


async def test_agreeing_to_replace_starts_the_stage_with_that_confirmation(
    workspace: Workspace,
) -> None:
    refused = made_run(workspace, "merge-refused")
    async with opened(workspace, attach=refused.id) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await pilot.press("y")
        screen = await until_ended(app, pilot)
        assert screen.folder.job().confirmed
        assert [info.id for info in list_runs(workspace)] == [screen.folder.id]


async def test_f9_in_the_form_of_training_tries_what_it_would_need_and_the_form_keeps_its_values(
    workspace: Workspace,
) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("train", {"batch_size": 3})
        await sees(pilot, "f9 Check first")
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), ENGINE_LIMIT_S)
        await until(pilot, lambda: "1 trials" in screen_text(pilot), ENGINE_LIMIT_S)
        await pilot.press("x")
        screen = await until_ended(app, pilot)
        assert screen.folder.job().stage == "train-preflight"
        assert screen.folder.job().options["batch_size"] == 3
        assert remembered_values(workspace, "train")["batch_size"] == 3


async def test_only_a_stage_that_can_be_tried_offers_to_check_first(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        app.open_form("faces-extract")
        await sees(pilot, "f5 Start")
        assert "Check first" not in screen_text(pilot)
