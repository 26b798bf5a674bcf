from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.protocol.commands import Command, Stop
from engine.protocol.events import Ack, AnyEvent
from engine.protocol.merge_commands import (
    MergeCopy,
    MergeEdit,
    MergeGo,
    MergeKey,
    MergeNamed,
    MergeProcess,
    MergeRedo,
    MergeShot,
    MergeUndo,
    MergeView,
)
from engine.protocol.workspace import Workspace
from tests.tuiapp.made import RUN_IDS, add_shown, engine_of, made_run
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.graphics.view import PixelView
from tuiapp.keymap import KEYS
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.merge.screen import MergeScreen
from tuiapp.widgets.neighbour_strip import numbers

Opened = tuple[FacewrightApp, Pilot[None], list[Command]]


@asynccontextmanager
async def session(workspace: Workspace, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Opened]:
    """The screen of a session of six frames that stands at the third one, without a look of its
    own; and the commands that it sent since it was complete."""
    run = made_run(workspace, "merge-session", alive=True)
    attach = RUN_IDS["merge-session"]
    async with engine_of(run, add_shown(run)) as taken, opened(workspace, size, attach) as made:
        await sees(made[1], "3/6", "Erode mask")
        await until(made[1], lambda: any(isinstance(command, MergeView) for command in taken))
        taken.clear()
        yield (*made, taken)


def edit(changes: dict[str, Any]) -> MergeEdit:
    return MergeEdit(frame=2, changes=changes)


async def test_picture_settings_and_timeline_have_their_places(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, _):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "ws   Erode mask", "x    Mask", "`-6  Mode", "overlay", "00003.png")
            await sees(pilot, "rendered", "╱", "▲", "┊", "esc Leave")
            picture = app.screen.query_one("#picture", PixelView)
            assert picture.size.width >= 50 and picture.size.height >= 15


async def test_the_picture_is_drawn(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, _):
        picture = app.screen.query_one("#picture", PixelView)
        await until(pilot, lambda: picture.stats.sent)


NUMBER_KEYS = [
    ("w", "s", "erode_mask_modifier"),
    ("e", "d", "blur_mask_modifier"),
    ("r", "f", "motion_blur_power"),
    ("t", "g", "super_resolution_power"),
    ("y", "h", "blursharpen_amount"),
    ("u", "j", "output_face_scale"),
    ("i", "k", "image_denoise_power"),
    ("o", "l", "bicubic_degrade_power"),
    ("p", "semicolon", "color_degrade_power"),
]
SIGNED = {"erode_mask_modifier", "blursharpen_amount", "output_face_scale"}


async def test_number_keys_change_by_one_and_with_shift_by_five(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        for more, less, field in NUMBER_KEYS:
            big, small = more.upper(), "colon" if less == "semicolon" else less.upper()
            for key, change in ((more, 1), (big, 5), (less, -1), (small, -5)):
                if change < 0 and field not in SIGNED:
                    expected = {1: 6, 5: 6, -1: 5, -5: 0}[change]
                else:
                    expected = {1: 1, 5: 6, -1: 5, -5: 0}[change]
                await pilot.press(key)
                wanted = MergeEdit(frame=2, changes={field: expected})
                await until(pilot, partial(taken.__contains__, wanted))


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("grave_accent", {"mode": "original"}),
        ("2", {"mode": "hist-match"}),
        ("3", {"mode": "seamless"}),
        ("4", {"mode": "seamless-hist-match"}),
        ("5", {"mode": "raw-rgb"}),
        ("6", {"mode": "raw-predict"}),
        ("x", {"mask_mode": "learned-prd+learned-dst"}),
        ("X", {"mask_mode": "learned-prd+learned-dst"}),
        ("c", {"color_transfer_mode": "lct"}),
        ("n", {"sharpen_mode": "box"}),
    ],
)
async def test_mode_keys_and_keys_that_go_round(
    workspace: Workspace, key: str, changes: dict[str, Any]
) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press(key)
        await until(pilot, lambda: taken == [edit(changes)])


async def test_histogram_keys_work_in_their_modes_only(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("q", "z", "A", "2", "q", "A", "z")
        changes = {"mode": "hist-match", "hist_match_threshold": 234, "masked_hist_match": False}
        await until(pilot, lambda: _all_changes(taken) == changes)


def _all_changes(taken: list[Command]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for command in taken:
        if isinstance(command, MergeEdit):
            changes |= command.changes
    return changes


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("comma", MergeGo(1)),
        ("full_stop", MergeGo(3)),
        ("less_than_sign", MergeGo(0)),
        ("greater_than_sign", MergeProcess(True)),
        ("m", MergeCopy(2, "previous")),
        ("slash", MergeCopy(2, "next")),
        ("M", MergeCopy(2, "before")),
        ("question_mark", MergeCopy(2, "after")),
        ("ctrl+z", MergeUndo()),
        ("ctrl+y", MergeRedo()),
        ("end", MergeGo(5)),
        ("space", MergeKey(2, "add")),
        ("enter", MergeKey(2, "add", "linear")),
        ("right_square_bracket", MergeGo(3)),
        ("right_curly_bracket", MergeGo(4)),
    ],
)
async def test_each_key_sends_its_command(workspace: Workspace, key: str, command: Command) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press(key)
        await until(pilot, lambda: taken == [command])


async def test_views_zoom_scale_and_place(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        screen = app.screen
        assert isinstance(screen, MergeScreen)

        async def after(*keys: str) -> MergeView:
            taken.clear()
            await pilot.press(*keys)
            await until(pilot, lambda: screen.desk.sight in taken)
            return screen.desk.sight

        assert (await after("v")).view == "alpha"
        assert (await after("v")).view == "result"
        assert (await after("b")).view == "wipe"
        assert (await after("shift+right")).wipe == 0.55
        assert (await after("B")).view == "result"
        assert (await after("8")).zoom == "face"
        assert (await after("9")).zoom == "1:1"
        assert (await after("equals_sign", "equals_sign", "minus")).scale == 1.1
        assert (await after("7")).scale == 1.0
        await sees(pilot, "3/6")


async def test_a_held_key_sends_far_fewer_commands_than_it_repeats(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        screen = app.screen
        assert isinstance(screen, MergeScreen)
        for _ in range(40):
            screen.action_step("erode_mask_modifier", 1)
        await sees(pilot, "Erode mask   40")
        await until(pilot, lambda: _all_changes(taken) == {"erode_mask_modifier": 40})
        assert len(taken) <= 5


async def test_a_change_is_seen_in_the_settings_at_once(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, _taken):
        await pilot.press("W", "w")
        await sees(pilot, "ws   Erode mask   6", "Erode mask: -400 to 400")


async def test_frames_are_jumped_to_by_number(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("ctrl+g")
        await sees(pilot, "Go to which frame?", "1 to 6")
        await pilot.press("5", "enter")
        await until(pilot, lambda: taken == [MergeGo(4)])


async def test_looks_are_kept_taken_and_deleted_by_name(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("f6")
        await sees(pilot, "Looks with names", "take close up", "delete close up")
        await pilot.press("enter")
        await sees(pilot, "Keep the look as")
        await pilot.press("d", "a", "y", "enter")
        await until(pilot, lambda: taken == [MergeNamed(2, "save", "day")])
        await pilot.press("f6", "down", "enter")
        await until(pilot, lambda: taken[-1] == MergeNamed(2, "apply", "close up"))
        await pilot.press("f6", "down", "down", "enter")
        await until(pilot, lambda: taken[-1] == MergeNamed(2, "delete", "close up"))


async def test_a_look_of_1_0_is_taken_as_one_change(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("f6", "end", "enter")
        await sees(pilot, "Looks of DeepFaceLab 1.0", "dfl1-seamless", "1.0's overlay")
        await pilot.press("end", "up", "enter")
        await until(pilot, lambda: taken == [MergeEdit(2, {"mask_mode": "XSeg-prd*XSeg-dst"})])


async def test_shots_are_begun_filled_cut_and_joined(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        shots = (
            MergeShot(2, "start"),
            MergeShot(2, "fill"),
            MergeShot(2, "cut"),
            MergeShot(2, "join"),
        )
        for downs, shot in enumerate(shots):
            await pilot.press("f7")
            await sees(pilot, "The shot of this frame")
            await pilot.press(*["down"] * downs, "enter")
            await until(pilot, partial(taken.__contains__, shot))


async def test_neighbours_are_asked_for_when_they_are_seen(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        await pilot.press("f8")
        await until(pilot, lambda: any(isinstance(c, MergeView) and c.strip_frames for c in taken))
        assert app.screen.query_one("#neighbours", PixelView).size.height >= 3


def test_the_numbers_of_neighbours_stand_under_them() -> None:
    shown, at = range(7, 12), 9
    assert numbers(shown, at, 0, 50).plain == "    8         9         10        11        12"
    assert numbers(shown, at, 10, 5).plain == " " * 10 + "8 10"


def test_neighbours_that_are_marked_have_a_dot() -> None:
    told = numbers(range(7, 9), 7, 0, 20, frozenset({8}))
    assert told.plain == "    8         9•"


async def test_tab_shows_the_keys_and_hides_them_again(workspace: Workspace) -> None:
    async with session(workspace, (120, 60)) as (app, pilot, _):
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await sees(pilot, "Erode mask: 5 more.", "merge-erode-many-more")
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.screen, MergeScreen))


async def test_leaving_lets_the_session_go_on_or_ends_it(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        await pilot.press("escape")
        await sees(pilot, "Leave the merge?", "the session goes on")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MergeScreen))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert not any(isinstance(command, Stop) for command in taken)
        await pilot.press("f3")
        await sees(pilot, "3/6")
        await pilot.press("escape", "down", "enter")
        await until(pilot, lambda: Stop() in taken)


async def test_what_the_session_tells_a_screen_that_was_left_ends_no_app(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = asyncio.Event()

    async def late() -> AsyncIterator[AnyEvent]:
        await go_on.wait()
        yield Ack()

    async with session(workspace) as (app, pilot, _):
        screen = app.screen
        assert isinstance(screen, MergeScreen)
        monkeypatch.setattr(screen._talk, "events", late)
        hearing = asyncio.create_task(screen._hear())
        await pilot.press("escape", "enter")
        await until(pilot, lambda: not screen.children)
        go_on.set()
        await hearing


def test_every_deepfacelab_key_has_its_row() -> None:
    keys = {name for key in KEYS if key.context == "merge" for name in key.keys.split(",")}
    letters = set("qawsedrftgyhujikolpzxcnvm")
    signs = {"semicolon", "colon", "comma", "less_than_sign", "full_stop", "greater_than_sign"}
    signs |= {"slash", "question_mark", "minus", "equals_sign", "tab", "escape", "grave_accent"}
    assert letters | {letter.upper() for letter in letters} | signs | set("123456") <= keys


async def test_keys_can_be_moved_and_the_settings_show_it(
    workspace: Workspace, own_settings: Any
) -> None:
    own_settings.parent.mkdir(parents=True)
    own_settings.write_text('[keys]\nmerge-erode-more = "f12"\n')
    async with session(workspace) as (_, pilot, taken):
        await sees(pilot, "f12s")
        await pilot.press("f12")
        await until(pilot, lambda: taken == [edit({"erode_mask_modifier": 1})])
        assert "ws   Erode" not in screen_text(pilot)
