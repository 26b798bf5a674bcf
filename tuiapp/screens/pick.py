"""Small dialogs: one of a few things, a line of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from engine import catalog
from tuiapp.bridge.wording import plain_text
from tuiapp.keymap import bindings
from tuiapp.widgets.key_list import KeyList
from tuiapp.widgets.next_step import INTERACTIVE

if TYPE_CHECKING:
    from tuiapp.app import FacewrightApp


def ask_which_way(workbench: FacewrightApp, stage_id: str, values: Mapping[str, object]) -> None:
    """The form of a stage, or of the one that does the same while one sees it."""
    specs = [catalog.stage(id) for id in (INTERACTIVE[stage_id], stage_id)]
    rows = [(spec.id, f"{spec.title}: {spec.summary}") for spec in specs]

    def chosen(id: str | None) -> None:
        if id is not None:
            workbench.open_form(id, values)

    workbench.push_screen(PickScreen("Which way?", rows), chosen)


class PickScreen(ModalScreen[str | None]):
    """Gives the id of the chosen row; None if it was left."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("pick")
    AUTO_FOCUS = "#presets"

    def __init__(self, title: str, rows: list[tuple[str, str]], text: str = "") -> None:
        """rows: id and words of each."""
        super().__init__()
        self._title, self._rows, self._text = title, rows, text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield KeyList(id="presets")
            yield Static(plain_text(self._text), id="note", markup=False)

    def on_mount(self) -> None:
        rows: list[tuple[str | None, Content]] = [
            (id, Content(plain_text(words))) for id, words in self._rows
        ]
        self.query_one("#presets", KeyList).show_rows(rows)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)

    def action_leave(self) -> None:
        self.dismiss(None)


class ExplainedPickScreen(PickScreen):
    """As `PickScreen`; below the rows stands what the highlighted one means."""

    def __init__(self, title: str, rows: list[tuple[str, str, str]]) -> None:
        """rows: id, words and explanation of each."""
        super().__init__(title, [(id, words) for id, words, _ in rows])
        self._notes = {id: note for id, _, note in rows}

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.query_one("#note", Static).update(plain_text(self._notes[str(event.option.id)]))


class LineScreen(ModalScreen[str | None]):
    """Gives the line that was typed, without spaces around it; None if it was left."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("pick")
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, text: str, *, digits: bool = False) -> None:
        super().__init__()
        self._title, self._text, self._digits = title, text, digits

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._title
            yield Input(type="integer" if self._digits else "text", compact=True)
            yield Static(plain_text(self._text), id="note", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        self.dismiss(None)
