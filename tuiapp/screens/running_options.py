"""Options that may be changed while their run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import Life, Option
from tuiapp.forms.form_state import FormState, text_of
from tuiapp.forms.option_row import OptionRow
from tuiapp.forms.widgets import FieldChanged, FieldFinished
from tuiapp.keymap import bindings


def running_options(stage_id: str, values: Mapping[str, Any]) -> tuple[Option, ...]:
    """The options of a run that may be changed now; () for a stage this version does not have."""
    try:
        model_class = values.get("model_class")
        options = catalog.options_of(catalog.stage(stage_id), model_class)
    except UsageError:
        return ()
    return tuple(option for option in options if option.life is Life.RUNNING)


class RunningOptionsScreen(ModalScreen[dict[str, Any]]):
    """Gives the values that were changed; {} if none."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("running")
    AUTO_FOCUS = "OptionRow TextField, OptionRow ChoiceField, OptionRow FlagField"

    def __init__(self, options: tuple[Option, ...], values: Mapping[str, Any]) -> None:
        super().__init__()
        self._before = {o.name: values.get(o.name, o.default) for o in options}
        raw = {option.name: text_of(option, self._before[option.name]) for option in options}
        self._state = FormState(options, raw)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "Change while it runs"
            with VerticalScroll(id="rows", can_focus=False):
                for option in self._state.options:
                    yield OptionRow(option, self._state.raw_of(option.name))
            yield Static("enter takes the values over, escape leaves them as they were")

    def on_field_changed(self, event: FieldChanged) -> None:
        event.stop()
        self._state = self._state.entered(event.name, event.raw)
        for row in self.query(OptionRow):
            row.show_refusal(self._state.refusals.get(row.option.name, ""))

    def on_field_finished(self, event: FieldFinished) -> None:
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Close with what was changed; stay open while a value is refused."""
        if not self._state.refusals:
            after = self._state.values
            changed = {name: value for name, value in after.items() if value != self._before[name]}
            self.dismiss(changed)

    def action_leave(self) -> None:
        self.dismiss({})
