"""The pixel layer over Textual's text: who may write when, and what lies where.

A picture is drawn twice: in characters as part of Textual's screen (always there, also under a
dialog), and in pixels on top, written after every repaint that overwrote its cells. Fences (see
`pacing`) keep at most two frames on their way, so a slow link never blocks a key.
"""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textual.geometry import Region

from tuiapp.graphics import textual_hooks
from tuiapp.graphics.pacing import Acknowledged, Pacer
from tuiapp.graphics.quality import is_remote
from tuiapp.graphics.terminal import Colours, TerminalGraphics, tmux_passthrough
from tuiapp.graphics.winsize import size_cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from tuiapp.graphics.frame import Part

Result = TypeVar("Result")

_COLOURS_OF_SYSTEM = {
    "truecolor": Colours.TRUECOLOR,
    "256": Colours.PALETTE_256,
    "standard": Colours.ANSI_16,
    "windows": Colours.ANSI_16,
}


class Picture(Protocol):
    """What the overlay asks of a view."""

    @property
    def content_region(self) -> Region: ...

    @property
    def on_top(self) -> bool: ...

    def pump(self) -> None: ...

    def retarget(self) -> None: ...

    def draw_again(self) -> None: ...

    def acknowledged(self, milliseconds: float, *, lost: bool, counts: bool) -> None: ...


Sent = tuple[Picture, bool]


class Overlay:
    """One for an app; views register while they are mounted. All calls from the UI thread."""

    def __init__(self, app: App[Any], graphics: TerminalGraphics) -> None:
        self._app = app
        self.graphics = _within_console(graphics, app)
        self._pacer: Pacer[Sent] = Pacer()
        self._views: list[Picture] = []
        self._focused = True
        self._remote = is_remote()
        self._executor: ThreadPoolExecutor | None = None
        # Ids of other programs' pictures in the same terminal are met only by bad luck.
        self._next_kitty_id = random.randrange(0x010000, 0xFFF000)

    @property
    def enabled(self) -> bool:
        """Pixels and fences make sense: a real full-screen terminal is there."""
        return textual_hooks.can_overlay(self._app)

    def stop(self) -> None:
        """Ends the encoder thread; what it still does is thrown away."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def attach(self, view: Picture) -> None:
        self._views.append(view)

    def detach(self, view: Picture) -> None:
        self._views.remove(view)

    def kitty_ids(self) -> tuple[int, int]:
        """Two picture ids of their own for a view; below 256 where cells cannot carry more."""
        self._next_kitty_id += 2
        first = self._next_kitty_id
        if self.graphics.colours is not Colours.TRUECOLOR:
            first = 1 + first % 254
        return first, first + 1

    def in_thread(self, work: Callable[[], Result]) -> Future[Result]:
        """Runs `work` in the one encoder thread."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="picture-encoder")
        return self._executor.submit(work)

    def may_send(self) -> bool:
        return not self.enabled or self._pacer.may_send()

    def set_cell_size(self, width_px: int, height_px: int) -> None:
        """A new font size or another terminal: every picture is drawn anew."""
        if (width_px, height_px) != (self.graphics.cell_width_px, self.graphics.cell_height_px):
            self.graphics = replace(self.graphics, cell_width_px=width_px, cell_height_px=height_px)
            for view in self._views:
                view.retarget()

    def set_graphics(self, graphics: TerminalGraphics) -> None:
        """Another protocol, by the user's choice or a new probe."""
        self.graphics = _within_console(graphics, self._app)
        for view in self._views:
            view.retarget()

    def write_prelude(self, prelude: str) -> None:
        """What a frame's parts refer to, to be sent once before them."""
        if prelude:
            textual_hooks.write_to_terminal(self._app, prelude)

    def write(self, view: Picture, parts: tuple[Part, ...], *, in_repaint: bool) -> None:
        """Writes a frame's sequences where `view` lies now, without a fence."""
        region = view.content_region
        size = size_cells()
        if size is not None and (region.right > size[0] or region.bottom > size[1]):
            # The terminal has just shrunk: tmux would draw into the neighbouring pane.
            return
        placed = "".join(
            f"\x1b[{region.y + part.first_row + 1};{region.x + 1}H{part.text}" for part in parts
        )
        text = f"\x1b7{placed}\x1b8"
        if not in_repaint and self._synchronizes():
            text = f"\x1b[?2026h{text}\x1b[?2026l"
        textual_hooks.write_to_terminal(self._app, text)

    def fence(self, view: Picture, *, counts: bool) -> None:
        """Asks the terminal to say when all written so far has been taken."""
        if not self.enabled:
            return
        size = self._app.size
        sequence = self._pacer.issue((view, counts), size.width, size.height).sequence
        if self._asks_around_tmux():
            # tmux itself would answer at once, long before a slow link has carried the frame.
            sequence = tmux_passthrough(sequence)
        textual_hooks.write_to_terminal(self._app, sequence)

    def erase_kitty(self, image_ids: tuple[int, int]) -> None:
        """Frees a view's pictures in kitty's memory."""
        if self.enabled:
            from tuiapp.graphics.kitty import deletion

            for image_id in image_ids:
                sequence = deletion(image_id, inside_tmux=self.graphics.inside_tmux)
                textual_hooks.write_to_terminal(self._app, sequence)

    def answered(self, row: int, column: int) -> None:
        """A cursor position report, counted from 1."""
        self._settle(self._pacer.answer(row, column))

    def expire(self) -> None:
        """Call now and then: gives up frames that no answer came for."""
        self._settle(self._pacer.expire())

    def repainted(self, regions: tuple[Region, ...]) -> None:
        """Text was written over `regions`: pictures there are drawn again."""
        if not self.enabled:
            return
        for view in self._touched(regions):
            view.draw_again()

    def displayed(self, regions: tuple[Region, ...]) -> None:
        """The repaint is done: pictures there may have become visible, or be covered now."""
        for view in self._touched(regions):
            view.pump()

    def breaks_synchronization(self, regions: tuple[Region, ...]) -> bool:
        # tmux 3.7 shows blanks when a picture comes within a synchronized update.
        return self.graphics.inside_tmux and self.enabled and bool(self._touched(regions))

    def set_focus(self, focused: bool) -> None:
        """The terminal, or this tmux pane, was entered or left."""
        self._focused = focused
        if focused:
            self._draw_all_again()

    def _draw_all_again(self) -> None:
        """The terminal may have lost its pictures (focus came back, tmux window changed)."""
        if self.enabled:
            for view in self._views:
                if view.on_top:
                    view.draw_again()

    def pump_all(self) -> None:
        for view in self._views:
            view.pump()

    def _touched(self, regions: tuple[Region, ...]) -> list[Picture]:
        views = [view for view in self._views if view.on_top]
        return [v for v in views if any(v.content_region.overlaps(region) for region in regions)]

    def _asks_around_tmux(self) -> bool:
        # tmux takes the answer of the terminal around it for keys and gives it to the pane that is
        # active: never ask from a pane that is not, nor without need, nor when that is not known.
        graphics = self.graphics
        return graphics.passthrough and graphics.focus_events and self._focused and self._remote

    def _synchronizes(self) -> bool:
        if self.graphics.inside_tmux:
            return False
        return textual_hooks.has_synchronized_output(self._app)

    def _settle(self, acknowledged: list[Acknowledged[Sent]]) -> None:
        for frame in acknowledged:
            view, counts = frame.owner
            if view in self._views:
                view.acknowledged(frame.milliseconds, lost=frame.lost, counts=counts)
        if acknowledged:
            self.pump_all()


def _within_console(graphics: TerminalGraphics, app: App[Any]) -> TerminalGraphics:
    """`graphics` with no more colours than Textual itself will write."""
    system = _COLOURS_OF_SYSTEM[app.console.color_system or "truecolor"]
    order = list(Colours)
    return replace(graphics, colours=max(graphics.colours, system, key=order.index))
