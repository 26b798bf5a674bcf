"""Options that may be changed while their run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from engine import catalog
from engine.protocol.errors import UsageError
from engine.protocol.options import Life, Option
from engine.protocol.spec import ModelSpec, StageSpec
from tuiapp.bridge.wording import fact_text, plain_text
from tuiapp.forms.form_state import MODEL_CLASS, FormState, text_of
from tuiapp.forms.option_row import OptionRow, help_of
from tuiapp.forms.widgets import FieldChanged, FieldFinished
from tuiapp.keymap import bindings

CHANGES_SHOWN = 4


def running_options(stage_id: str, values: Mapping[str, Any]) -> tuple[Option, ...]:
    """The options of a run that may be changed now; () for a stage this version does not have."""
    return tuple(o for o in _all_options(stage_id, values) if o.life is Life.RUNNING)


def _all_options(stage_id: str, values: Mapping[str, Any]) -> tuple[Option, ...]:
    try:
        return catalog.options_of(catalog.stage(stage_id), values.get(MODEL_CLASS))
    except UsageError:
        return ()


class RunningOptionsScreen(ModalScreen[dict[str, Any]]):
    """Gives the values that were changed; {} if none."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS = bindings("running")
    AUTO_FOCUS = "OptionRow TextField, OptionRow ChoiceField, OptionRow FlagField"

    def __init__(self, stage_id: str, values: Mapping[str, Any]) -> None:
        super().__init__()
        self._stage: StageSpec = catalog.stage(stage_id)
        self._model: ModelSpec | None = None
        if self._stage.trains_model and MODEL_CLASS in values:
            self._model = catalog.model(str(values[MODEL_CLASS]))
        options = _all_options(stage_id, values)
        self._before = {o.name: values.get(o.name, o.default) for o in options}
        raw = {option.name: text_of(option, self._before[option.name]) for option in options}
        self._state = FormState(options, raw)

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-options") as dialog:
            dialog.border_title = "Change while it runs"
            with VerticalScroll(id="rows", can_focus=False):
                yield from self._rows()
            yield Static("", id="help", markup=False)
            yield Static("", id="changes", markup=False)
            yield Static("enter takes the values over, escape leaves them as they were")

    def on_mount(self) -> None:
        self._show_state()

    def _rows(self) -> Iterator[Widget]:
        """The options of the model, then those of the stage, under a heading each."""
        for spec in (self._model, self._stage):
            options = [o for o in spec.options if o.life is Life.RUNNING] if spec else []
            if spec and options:
                yield Static(spec.title, classes="group", markup=False)
                yield from (OptionRow(o, self._state.raw_of(o.name)) for o in options)

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
        if not self._state.refusals and not self._contradiction():
            self.dismiss(self._changed())

    def action_leave(self) -> None:
        self.dismiss({})

    def _changed(self) -> dict[str, Any]:
        after = self._state.values
        return {name: value for name, value in after.items() if value != self._before[name]}

    def _contradiction(self) -> str:
        """Why values that are each allowed do not go together; "" if they do."""
        if self._model is None or self._model.check is None or self._state.refusals:
            return ""
        try:
            self._model.check({**self._before, **self._state.values})
        except UsageError as error:
            return f"{error.message}; {error.remedy}" if error.remedy else error.message
        return ""

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
            f"{labels[name]}: {_value_text(self._before[name])} -> {_value_text(value)}"
            for name, value in changed.items()
        ]
        more = len(words) - CHANGES_SHOWN
        return ", ".join(words[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _value_text(value: object) -> str:
    return plain_text(fact_text(value)) or "none"
