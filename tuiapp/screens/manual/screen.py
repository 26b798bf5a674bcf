"""A manual extraction's window: the frame, the face that is placed in it, all frames on a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Horizontal

from engine.protocol.commands import Stop
from engine.protocol.errors import InputError
from engine.protocol.events import AnyEvent, ManualShown
from engine.protocol.landmark_groups import GROUPS, group_of
from tuiapp.bridge.manual_desk import PARTS, WHOLE, ManualDesk
from tuiapp.bridge.manual_words import face_words, hint_words, where_words
from tuiapp.bridge.preview_archive import read_picture
from tuiapp.bridge.watch import RunWatch
from tuiapp.graphics import textual_hooks
from tuiapp.graphics.decode import decode
from tuiapp.keymap import bindings
from tuiapp.screens.session import Leaving, SessionScreen
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.canvas_sight import XY
from tuiapp.widgets.manual_layers import layers_of
from tuiapp.widgets.manual_line import ManualLine
from tuiapp.widgets.run_summary import RunOutcome
from tuiapp.widgets.words import Words

COARSE_PX, FINE_PX = 8.0, 1.0  # of the screen
# A press this near to a landmark takes it; a mouse that moved no further was only clicked.
PICK_PX, CLICK_PX = 9.0, 2.0
PICK_BY_CELL_PX = 14.0  # where the mouse tells only its cell, which is some 10 by 20
# A small square is seen so large, in parts of the window.
MAGNIFIED_PART = 0.4


@dataclass(frozen=True)
class _Press:
    """A mouse button that is down. which: the points that it drags; () drags none."""

    start_xy: XY
    last_xy: XY
    which: tuple[int, ...]
    moved: bool = False


class ManualScreen(SessionScreen):
    """Draws a manual extraction; several may draw the same one."""

    CSS_PATH = "manual.tcss"
    BINDINGS = bindings("manual")
    context = "manual"
    send_every_s = 0.03  # of what the mouse wants in between, the newest counts
    leaving = Leaving(
        title="Leave the manual extraction?",
        text="Every kept face is in its file. A session goes on at the first frame left to do.",
        ended="the session ends; every kept face is in its file",
    )
    desk: ManualDesk

    def __init__(self, watch: RunWatch) -> None:
        super().__init__(watch, ManualDesk())
        self._press: _Press | None = None
        self._magnifies = False
        self._placed_cursor = False

    def body(self) -> ComposeResult:
        yield RunOutcome()
        with Horizontal(id="desk"):
            yield Canvas(wheel_zooms=False)
            yield Words(id="hints")
        yield Words(id="face")
        yield Words(id="where")
        yield ManualLine()

    @property
    def canvas(self) -> Canvas:
        return self.query_one(Canvas)

    def show_told(self, event: AnyEvent) -> None:
        if isinstance(event, ManualShown):
            self.run_worker(self._load(event), exclusive=True, group="frame")

    async def _load(self, shown: ManualShown) -> None:
        """The shown frame's picture; a frame that cannot be read leaves none."""
        try:
            picture = await asyncio.to_thread(_read_rgb, shown.path) if shown.path else None
        except InputError as error:
            self.workbench.say(f"{shown.name}: {error.message}", severity="error")
            picture = None
        if self.is_left:
            return
        if picture is None:
            self.canvas.clear()
            return
        self.canvas.set_picture(picture)
        self._place_cursor()
        self.redraw()

    def _place_cursor(self) -> None:
        """At first it is in the middle of the square."""
        square = self.desk.square
        if square is not None and not self._placed_cursor:
            self._placed_cursor = True
            self.canvas.move_cursor_to((square.x, square.y))

    # Drawing

    def redraw(self) -> None:
        desk, canvas = self.desk, self.canvas
        canvas.set_layers(layers_of(desk, canvas.cursor_xy))
        self.query_one("#face", Words).show(face_words(desk))
        self.query_one("#where", Words).show(where_words(desk, self.view))
        hints = self.query_one("#hints", Words)
        if hints.display:
            hints.show(hint_words(desk, self._keys_of))
        self.query_one(ManualLine).show(desk.states, desk.frame)

    def _magnify(self) -> None:
        """See a small square closer, and the whole frame when it is large again."""
        desk, canvas = self.desk, self.canvas
        if desk.is_magnified == self._magnifies or desk.square is None:
            return
        self._magnifies = desk.is_magnified
        if not self._magnifies:
            canvas.zoom_to(1.0)
            return
        sight = canvas.sight
        side_px = 2 * desk.square.half_side * sight.scale / sight.zoom
        canvas.zoom_to(MAGNIFIED_PART * min(sight.box_wh) / max(1.0, side_px))
        canvas.centre_on((desk.square.x, desk.square.y))

    # The mouse

    def on_canvas_cursor_moved(self, event: Canvas.CursorMoved) -> None:
        event.stop()
        if self._press is None or not self._press.which:
            self.desk.square_to(event.xy)
            self._wished()

    def on_canvas_pressed(self, event: Canvas.Pressed) -> None:
        event.stop()
        if event.button == 1:
            which = self._points_at(event) if self.desk.locked else ()
            self._press = _Press(event.xy, event.xy, which)

    def _points_at(self, event: Canvas.Pressed) -> tuple[int, ...]:
        """What a press there takes: a landmark; with ctrl its part, with alt the whole face; of the
        chosen part all of it."""
        points, (x, y) = self.desk.points, event.xy
        is_exact = textual_hooks.has_pixel_mouse(self.app)
        near_px = self.canvas.picture_px(PICK_PX if is_exact else PICK_BY_CELL_PX)
        apart = [(np.hypot(px - x, py - y), n) for n, (px, py) in enumerate(points)]
        distance, nearest = min(apart, default=(np.inf, -1))
        if event.alt:
            return PARTS[WHOLE]
        if distance > near_px:
            return ()
        if event.ctrl:
            return GROUPS[group_of(nearest)]
        return self.desk.chosen if nearest in self.desk.chosen else (nearest,)

    def on_canvas_dragged(self, event: Canvas.Dragged) -> None:
        event.stop()
        press = self._press
        if press is None:
            return
        (x, y), (last_x, last_y), (start_x, start_y) = event.xy, press.last_xy, press.start_xy
        far_px = self.canvas.screen_px(float(np.hypot(x - start_x, y - start_y)))
        if not press.moved and far_px <= CLICK_PX:
            return
        self._press = replace(press, last_xy=event.xy, moved=True)
        if press.which:
            self.desk.move_points(press.which, x - last_x, y - last_y)
            self._wished()

    def on_canvas_released(self, event: Canvas.Released) -> None:
        event.stop()
        press, self._press = self._press, None
        if event.button == 3:
            self.action_rectangle()
        elif press is not None and not press.moved:
            self.action_lock()

    def on_canvas_wheel(self, event: Canvas.Wheel) -> None:
        event.stop()
        steps = 1 if event.up else -1
        if event.ctrl:
            self.canvas.zoom_by(steps)
        else:
            self.action_size(steps)

    # Keys: the square and the points

    def action_move(self, across: int, down: int, step: Literal["coarse", "fine"]) -> None:
        far = self.canvas.picture_px(COARSE_PX if step == "coarse" else FINE_PX)
        if self.desk.chosen:
            self.desk.move_chosen(across * far, down * far)
            self._wished()
        else:
            self.canvas.move_cursor(across * far, down * far)

    def action_size(self, steps: int) -> None:
        self.desk.resize(steps)
        self._magnify()
        self._wished()

    def action_roll(self, degrees: float) -> None:
        self.desk.roll(degrees)
        self._wished()

    def action_lock(self) -> None:
        self.desk.turn_lock(self.canvas.cursor_xy)
        self._wished()

    def action_rectangle(self) -> None:
        self.desk.turn_rectangle(self.canvas.cursor_xy)
        self._wished()

    def action_accurate(self) -> None:
        self.desk.turn_accurate()
        self._wished()

    def action_part(self, direction: int) -> None:
        self.desk.choose_part(direction)
        self.redraw()

    def action_point(self, direction: int) -> None:
        self.desk.choose_point(direction)
        self.redraw()

    def action_undo(self) -> None:
        self.desk.undo()
        self._wished()

    def action_copy(self) -> None:
        self.desk.copy()
        self._wished()

    # Keys: frames

    def action_keep(self) -> None:
        self._decide(self.desk.keep)

    def action_skip(self) -> None:
        self._decide(self.desk.skip)

    def _decide(self, decide: Callable[[], None]) -> None:
        before = self.desk.frame
        decide()
        if self.desk.frame == before and self.desk.states:
            self.workbench.say("no frame after this one is to be done: q finishes")
        self._wished()

    def action_go_by(self, frames: int) -> None:
        self.desk.go(self.desk.frame + frames)
        self._wished()

    def action_go_end(self, direction: int) -> None:
        self.desk.go(0 if direction < 0 else len(self.desk.states) - 1)
        self._wished()

    def action_go_open(self, direction: int) -> None:
        self.desk.go_open(direction)
        self._wished()

    def action_jump(self) -> None:
        if self.desk.states:
            self._ask_where("Go to which frame?", len(self.desk.states))

    def action_fill(self) -> None:
        self.desk.fill("between")
        self._wished()

    def action_follow(self, frames: int) -> None:
        self.desk.fill("follow", frames)
        self._wished()

    # Keys: how frames are seen

    def action_zoom(self, steps: int) -> None:
        self.canvas.zoom_by(steps)

    def action_fit(self) -> None:
        self.canvas.zoom_to(1.0)

    def action_hints(self) -> None:
        self.toggle_class("-no-hints")

    # Keys: the session

    def action_finish(self) -> None:
        self.desk.finish()
        self._talk.send(self.desk.take_outbox())
        self.send(Stop(), self.leaving.ended)
        self.workbench.action_leave_screen()

    def action_back(self) -> None:
        """Out of what is innermost: chosen points, the screen."""
        if self.desk.chosen:
            self.desk.choose_nothing()
            self.redraw()
            return
        super().action_back()


def _read_rgb(path: str) -> NDArray[np.uint8] | None:
    """The picture, (h, w, 3) uint8 RGB; None if a newer one has taken its place already."""
    encoded = read_picture(Path(path))
    return None if encoded is None else decode(encoded)
