"""Keys that arrive in one piece, faster than the app takes them up."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot

from engine.protocol.workspace import Workspace
from tests.tuiapp.seen import opened, sees, until
from tuiapp.forms.widgets import NumberField
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen


def type_in_one_piece(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_values_and_tabs_typed_in_one_piece_reach_their_fields(workspace: Workspace) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("train")
        await sees(pilot, "f5 Start")
        app.screen.query_one("#row-target_iter NumberField").focus()
        await pilot.pause()
        keys = [*"300", "tab", *"12", "tab", *"7", "tab", *"5"]
        type_in_one_piece(pilot, *keys)
        await sees(pilot, "--max-minutes 12.0", "--save-minutes 7.0", "--keep 5")
        assert app.screen.query_one("#row-target_iter NumberField", NumberField).value == "300"


async def test_a_choice_opened_taken_and_left_in_one_piece_is_taken(workspace: Workspace) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("train")
        await sees(pilot, "f5 Start")
        app.screen.query_one("#row-model_class ChoiceField").focus()
        await pilot.pause()
        type_in_one_piece(pilot, "enter", "down", "enter", "tab", *"90")
        await sees(pilot, "--model-class saehd", "--target-iter 90")


async def test_keys_behind_one_that_closed_its_screen_are_the_next_screens(
    workspace: Workspace,
) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        app.open_form("train")
        await sees(pilot, "f5 Start")
        type_in_one_piece(pilot, "escape", "f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert [type(screen) for screen in app.screen_stack] == [HomeScreen, HelpScreen]
