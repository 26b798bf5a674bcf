from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from PIL import Image
from textual.pilot import Pilot

from engine.protocol.commands import Command, Stop
from engine.protocol.events import AnyEvent, ManualFace, ManualRun, ManualShown, ManualState
from engine.protocol.manual_commands import (
    ManualAccurate,
    ManualCopy,
    ManualFill,
    ManualGo,
    ManualKeep,
    ManualLock,
    ManualPoints,
    ManualRectangle,
    ManualSkip,
    ManualSquare,
    ManualView,
)
from engine.protocol.workspace import Workspace
from tests.tuiapp.made import RUN_IDS, engine_of, made_run
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.graphics.encode import cell_box_px
from tuiapp.keymap import KEYS
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.manual.screen import ManualScreen
from tuiapp.widgets.canvas import Canvas

Opened = tuple[FacewrightApp, Pilot[None], list[Command]]
# A face of 68 points on a grid in the middle of a frame of 480 px.
POINTS = tuple((180.0 + 12 * (n % 10), 190.0 + 14 * (n // 10)) for n in range(68))


@asynccontextmanager
async def session(
    workspace: Workspace, size: tuple[int, int] = (80, 24), *, locked: bool = False
) -> AsyncIterator[Opened]:
    """The screen of a session of six frames that stands at the third one; and the commands that it
    sent since it was complete."""
    run = made_run(workspace, "faces-manual", alive=True)
    path = run.path / "frame.jpg"
    Image.new("RGB", (480, 480), (90, 60, 40)).save(path)
    runs = (("kept", 1), ("open", 2), ("skipped", 1), ("open", 2))
    tells: list[AnyEvent] = [
        ManualState(frame=2, runs=tuple(ManualRun(*one) for one in runs), accurate=True),
        ManualShown(frame=2, name="00003.png", path=str(path), width=480, height=480),
        ManualFace(
            frame=2,
            answered=0,
            source="square",
            locked=locked,
            kept=False,
            points=POINTS,
            corners=((100, 100), (400, 100), (400, 400), (100, 400)),
            square=(240.0, 240.0, 60.0, 0.0),
        ),
    ]
    async with (
        engine_of(run, tells) as taken,
        opened(workspace, size, RUN_IDS["faces-manual"]) as made,
    ):
        await sees(made[1], "3/6", "00003.png")
        await until(made[1], lambda: ManualView() in taken)
        canvas = made[0].screen.query_one(Canvas)
        await until(made[1], lambda: canvas.cursor_xy == (240, 240) and _fills_its_place(canvas))
        taken.clear()
        yield (*made, taken)


def _fills_its_place(canvas: Canvas) -> bool:
    """It was drawn since it was laid out."""
    across, down = cell_box_px(canvas.overlay.graphics)
    return canvas.sight.box_wh == (canvas.size.width * across, canvas.size.height * down)


async def test_frame_words_and_line_have_their_places(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, _):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "3/6", "to be done", "2 of 6 done", "free", "square 96", "esc Leave")
            canvas = app.screen.query_one(Canvas)
            assert canvas.size.width >= 64 and canvas.size.height >= 17
            if size[0] >= 100:
                await sees(pilot, "frame before")
            else:
                await until(pilot, lambda: "frame before" not in screen_text(pilot))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("space", [ManualSkip(2), ManualGo(4)]),
        ("enter", [ManualKeep(2, then=4)]),
        ("comma", [ManualGo(1, keeps=True)]),
        ("less_than_sign", [ManualGo(1, keeps=True)]),
        ("full_stop", [ManualGo(3, keeps=True)]),
        ("n", [ManualGo(4, keeps=True)]),
        ("N", [ManualGo(1, keeps=True)]),
        ("end", [ManualGo(5, keeps=True)]),
        ("a", [ManualAccurate(False)]),
        ("l", [ManualLock(2, True)]),
        ("r", [ManualSquare(2, 240.0, 240.0, 60.0, 5.0, 1)]),
        ("E", [ManualSquare(2, 240.0, 240.0, 60.0, -1.0, 1)]),
        ("c", [ManualCopy(2)]),
        ("i", [ManualFill(2, "between")]),
        ("t", [ManualFill(2, "follow", 25)]),
    ],
)
async def test_each_key_does_its_operation(
    workspace: Workspace, key: str, expected: list[Command]
) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press(key)
        await until(pilot, lambda: taken == expected)


async def test_arrows_move_the_square_and_with_shift_by_a_pixel(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        canvas = app.screen.query_one(Canvas)
        coarse, fine = canvas.picture_px(8), canvas.picture_px(1)
        await pilot.press("right", "right", "up", "shift+left", "J")
        await until(
            pilot,
            lambda: _square(taken) == pytest.approx((240 + 2 * coarse - fine, 240 - coarse + fine)),
        )


def _square(taken: list[Command]) -> tuple[float, float]:
    last = taken[-1] if taken else None
    return (last.x, last.y) if isinstance(last, ManualSquare) else (0, 0)


async def test_plus_and_minus_size_the_square_and_a_small_one_is_magnified(
    workspace: Workspace,
) -> None:
    async with session(workspace) as (app, pilot, taken):
        canvas = app.screen.query_one(Canvas)
        await pilot.press(*["minus"] * 30)
        await until(pilot, lambda: canvas.sight.zoom > 2)
        await sees(pilot, "square 16")
        await pilot.press(*["plus"] * 30)
        await until(pilot, lambda: canvas.sight.zoom == 1)
        assert all(isinstance(command, ManualSquare) for command in taken)


async def test_a_free_rectangle_by_keys(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("f", "right", "right", "right")
        await sees(pilot, "free rectangle")
        await until(pilot, lambda: bool(taken) and isinstance(taken[-1], ManualRectangle))
        await pilot.press("l")
        await until(pilot, lambda: taken[-1] == ManualLock(2, True))


async def test_parts_and_points_are_moved_by_keys(workspace: Workspace) -> None:
    async with session(workspace, locked=True) as (app, pilot, taken):
        coarse = app.screen.query_one(Canvas).picture_px(8)
        await pilot.press("shift+tab")
        await sees(pilot, "moves the mouth")
        await pilot.press("right")
        await until(pilot, lambda: bool(taken) and isinstance(taken[-1], ManualPoints))
        moved = _moved(taken)
        assert list(moved) == list(range(48, 68)) and moved[48] == pytest.approx((coarse, 0))
        await pilot.press("p", "down")
        await sees(pilot, "moves point 48")
        await until(pilot, lambda: _moved(taken).get(48) == pytest.approx((coarse, coarse)))
        await pilot.press("u", "u")
        await until(pilot, lambda: not _moved(taken))
        await pilot.press("escape")
        await until(pilot, lambda: "moves" not in screen_text(pilot))
        assert isinstance(app.screen, ManualScreen)


def _moved(taken: list[Command]) -> dict[int, tuple[float, float]]:
    """Which points of the newest command lie elsewhere, and how far."""
    last = taken[-1]
    assert isinstance(last, ManualPoints)
    moves = {n: (x - POINTS[n][0], y - POINTS[n][1]) for n, (x, y) in enumerate(last.points)}
    return {n: move for n, move in moves.items() if abs(move[0]) + abs(move[1]) > 1e-6}


def _cell(canvas: Canvas, x: float, y: float) -> tuple[int, int]:
    """The cell of the canvas in which that point of the frame lies."""
    box_x, box_y = canvas.sight.to_box((x, y))
    across, down = canvas.sight.box_wh
    return int(box_x * canvas.size.width / across), int(box_y * canvas.size.height / down)


async def test_the_mouse_moves_sizes_and_locks(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        canvas = app.screen.query_one(Canvas)
        await pilot.hover(canvas, _cell(canvas, 300, 200))
        await until(pilot, lambda: abs(_square(taken)[0] - 300) < 15)
        await pilot.click(canvas, _cell(canvas, 300, 200))
        await until(pilot, lambda: taken[-1] == ManualLock(2, True))
        await pilot.click(canvas, _cell(canvas, 300, 200), button=3)
        await sees(pilot, "free rectangle")


async def test_a_landmark_is_dragged_by_the_mouse(workspace: Workspace) -> None:
    async with session(workspace, (120, 40), locked=True) as (app, pilot, taken):
        canvas = app.screen.query_one(Canvas)
        start, end = _cell(canvas, *POINTS[0]), _cell(canvas, 120, 150)
        await pilot.mouse_down(canvas, start)
        await pilot.hover(canvas, end)
        await pilot.mouse_up(canvas, end)
        await until(pilot, lambda: bool(taken) and isinstance(taken[-1], ManualPoints))
        [(number, (x, y))] = _moved(taken).items()
        assert number in (0, 1, 10) and x < -30 and y < -20


async def test_a_frame_is_jumped_to_by_its_number(workspace: Workspace) -> None:
    async with session(workspace) as (_, pilot, taken):
        await pilot.press("g", "5", "enter")
        await until(pilot, lambda: taken == [ManualGo(4, keeps=True)])


async def test_finishing_keeps_a_locked_face_and_ends_the_session(workspace: Workspace) -> None:
    async with session(workspace, locked=True) as (app, pilot, taken):
        await pilot.press("q")
        await until(pilot, lambda: taken == [ManualKeep(2), Stop()])
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_leaving_asks_whether_the_session_goes_on(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, taken):
        await pilot.press("escape")
        await sees(pilot, "Leave the manual extraction?")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert Stop() not in taken


async def test_the_help_begins_with_the_keys_of_this_screen(workspace: Workspace) -> None:
    async with session(workspace) as (app, pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await sees(pilot, "Faces by hand", "Keep the face; on to the next frame.")


def test_every_key_of_the_screen_has_an_action() -> None:
    for key in KEYS:
        if key.context == "manual" and "." not in key.action:
            name = key.action.partition("(")[0]
            assert hasattr(ManualScreen, f"action_{name}"), key.id
