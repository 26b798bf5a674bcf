"""A small app that shows a test card: four exact colours, and keys to try what disturbs pictures.

Run it in a terminal: `python -m tests.graphics.card_app`. Keys: m dialog, t toast, n next card,
v a stream of frames, o a layer over the picture, q quit. The title line names the protocol.
"""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer, Label, Static

from tuiapp.graphics.appmixin import PixelApp
from tuiapp.graphics.frame import Fit
from tuiapp.graphics.probe import probe_terminal
from tuiapp.graphics.view import PixelView

# Levels of 0 and 255 only: sixel's percentages carry them exactly.
CARD_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255))


def card(
    height: int = 342, width: int = 360, turn: int = 0, *, fine: bool = False
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: four squares of CARD_COLOURS, turned by `turn` quarters.

    `fine` adds black lines of one pixel, which no characters can show.
    """
    colours = np.array(CARD_COLOURS, np.uint8)[[0, 1, 3, 2]].reshape(2, 2, 3)
    colours = np.rot90(colours, turn)
    rows = np.arange(height) * 2 // height
    columns = np.arange(width) * 2 // width
    picture = np.ascontiguousarray(colours[rows[:, None], columns[None, :]])
    if fine:
        picture[(np.arange(height)[:, None] + np.arange(width)[None, :]) % 7 == 0] = 0
    return picture


class Dialog(ModalScreen[None]):
    DEFAULT_CSS = """
    Dialog { align: left top; background: black 60%; }
    Dialog Static { width: 24; height: 5; border: solid white; offset: 30 6; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        yield Static("a dialog")


class CardApp(PixelApp[None]):
    CSS = """
    .-card { background: #000000; layers: below above; }
    PixelView { width: 40; max-width: 80%; height: 18; background: #000000; offset: 4 2; }
    Toast { background: #303030; }
    #cover { layer: above; width: 20; height: 3; offset: 30 8; display: none; }
    Footer { dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("m", "dialog", "Dialog"),
        ("t", "toast", "Toast"),
        ("n", "turn_card", "Next"),
        ("v", "stream", "Stream"),
        ("o", "cover", "Cover"),
        ("q", "quit", "Quit"),
    ]
    turn = 0

    def compose(self) -> ComposeResult:
        graphics = self.overlay.graphics
        yield Label(f"{graphics.protocol} {graphics.why}", markup=False)
        yield PixelView(fit=Fit.ACTUAL)
        yield Static("over the picture", id="cover")
        yield Footer()

    def on_mount(self) -> None:
        self.screen.add_class("-card")
        self.view.set_frame(card(fine=True))

    @property
    def view(self) -> PixelView:
        return self.query_one(PixelView)

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_toast(self) -> None:
        self.notify("a toast", timeout=3)

    def action_turn_card(self) -> None:
        self.turn += 1
        self.view.set_frame(card(turn=self.turn, fine=True))

    def action_cover(self) -> None:
        cover = self.query_one("#cover")
        cover.display = not cover.display

    def action_stream(self) -> None:
        self._until_s = time.monotonic() + 3
        self._timer = self.set_interval(1 / 30, self._next_of_stream)

    def _next_of_stream(self) -> None:
        if time.monotonic() > self._until_s:
            self._timer.stop()
            self.turn = -1
            self.action_turn_card()
            return
        phase = int(time.monotonic() * 100) % 180
        self.view.set_frame(np.roll(card(fine=True), phase, axis=1))


def main() -> None:
    CardApp(graphics=probe_terminal()).run()


if __name__ == "__main__":
    main()
