"""A dialog of options in groups: what is changed stands out, what is refused says its range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.protocol.errors import UsageError
from engine.protocol.options import Option
from tuiapp.bridge.wording import value_text
from tuiapp.forms.form_state import FormState, text_of
from tuiapp.forms.option_row import OptionRow, help_of
from tuiapp.forms.widgets import FieldChanged, FieldFinished
from tuiapp.keymap import bindings

CHANGES_SHOWN = 4


@dataclass(frozen=True)
class OptionGroup:
    """Options under a heading."""

    title: str
    options: tuple[Option, ...]


class OptionsDialog(ModalScreen[dict[str, Any]]):
    """Rows for `groups`; all options that a row's showing depends on are in `options`. Gives the
    values that differ from `before`; None if it was left."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("running")
    AUTO_FOCUS = "OptionRow TextField, OptionRow ChoiceField, OptionRow FlagField"

    def __init__(
        self,
        title: str,
        groups: Iterable[OptionGroup],
        options: tuple[Option, ...],
        before: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
    ) -> None:
        """shown: the values that the fields begin with, if not those of `before`."""
        super().__init__()
        self._title = title
        self._groups = tuple(groups)
        self._before = {option.name: before.get(option.name, option.default) for option in options}
        begins = {**self._before, **(shown or {})}
        raw = {option.name: text_of(option, begins[option.name]) for option in options}
        self._state = FormState(options, raw)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-options") as dialog:
            dialog.border_title = self._title
            with VerticalScroll(id="rows", can_focus=False):
                for group in self._groups:
                    yield Static(group.title, classes="group", markup=False)
                    yield from (OptionRow(o, self._state.raw_of(o.name)) for o in group.options)
            yield Static("", id="help", markup=False)
            yield Static("", id="changes", markup=False)
            yield Static("enter takes the values over, escape leaves them as they were")

    def on_mount(self) -> None:
        self._show_state()

    def contradiction(self, values: Mapping[str, Any]) -> str:
        """Why values that are each allowed do not go together; "" if they do."""
        return ""

    def on_field_changed(self, event: FieldChanged) -> None:
        event.stop()
        self._state = self._state.entered(event.name, event.raw)
        self._show_state()

    def on_field_finished(self, event: FieldFinished) -> None:
        event.stop()
        self.action_take()

    def on_option_row_entered(self, event: OptionRow.Entered) -> None:
        self.query_one("#help", Static).update(help_of(event.option))

    def action_take(self) -> None:
        """Close with what was changed; stay open while a value is refused."""
        if self.is_active and not self._state.refusals and not self._contradiction():
            self.dismiss(self._changed())

    def action_leave(self) -> None:
        self.dismiss(None)

    def _changed(self) -> dict[str, Any]:
        after, refused = self._state.values, self._state.refusals
        return {n: v for n, v in after.items() if v != self._before[n] and n not in refused}

    def _contradiction(self) -> str:
        if self._state.refusals:
            return ""
        return self.contradiction({**self._before, **self._state.values})

    def _show_state(self) -> None:
        changed = self._changed()
        for row in self.query(OptionRow):
            name = row.option.name
            row.display = name in self._state.shown
            row.set_class(name in changed, "-changed")
            row.show_refusal(self._state.refusals.get(name, ""))
        contradiction = self._contradiction()
        changes = self.query_one("#changes", Static)
        changes.set_class(bool(contradiction), "-refused")
        changes.update(f"! {contradiction}" if contradiction else self._changes_text(changed))

    def _changes_text(self, changed: Mapping[str, Any]) -> str:
        if not changed:
            return "nothing is changed yet"
        labels = {option.name: option.label for option in self._state.options}
        words = [
            f"{labels[name]}: {value_text(self._before[name])} -> {value_text(value)}"
            for name, value in changed.items()
        ]
        more = len(words) - CHANGES_SHOWN
        return ", ".join(words[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def refusal_words(error: UsageError) -> str:
    return f"{error.message}; {error.remedy}" if error.remedy else error.message
