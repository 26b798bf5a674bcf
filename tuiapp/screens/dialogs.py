"""Questions before something is moved or replaced, and what went wrong."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tuiapp.bridge.wording import plain_text
from tuiapp.keymap import bindings


class AskScreen(ModalScreen[bool]):
    """A question with two answers; `no` is at hand first, y and n answer too."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("dialog")
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, text: str, *, yes: str, no: str = "Cancel") -> None:
        super().__init__()
        self._title, self._text, self._yes, self._no = title, text, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(plain_text(self._text), id="question", markup=False)
            with Horizontal(id="answers"):
                yield Button(f"{self._yes} (y)", id="yes", variant="warning", compact=True)
                yield Button(f"{self._no} (n)", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)

    def key_left(self) -> None:
        self.focus_previous()

    def key_right(self) -> None:
        self.focus_next()


class TellScreen(ModalScreen[None]):
    """Something went wrong: what, and what to do. Any answer closes it."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("dialog")
    AUTO_FOCUS = "#no"

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__()
        self._message, self._remedy = message, remedy

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(plain_text(self._message), id="question", markup=False)
            if self._remedy:
                yield Static(f"What to do: {plain_text(self._remedy)}", id="remedy", markup=False)
            with Horizontal(id="answers"):
                yield Button("Close (esc)", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss()

    def action_yes(self) -> None:
        self.dismiss()

    def action_no(self) -> None:
        self.dismiss()
