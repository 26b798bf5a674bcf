"""Starting stages from the app, with real engines."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from engine.protocol.workspace import Workspace
from engine.runtime.client import list_runs
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import opened, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.forms.memory import remembered_values
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.home import HomeScreen
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
