"""One option of a form: label, field, unit and range on one line; why it is refused below."""

from __future__ import annotations

from typing import Any, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from engine.protocol.options import Choice, Flag, Integer, Number, Option
from tuiapp.bridge.wording import life_text, setting_text
from tuiapp.forms.widgets import FieldChanged, field_for


class OptionRow(Vertical):
    """The row of one option. Tells with `Entered` that its field has the focus."""

    class Entered(Message):
        def __init__(self, option: Option) -> None:
            super().__init__()
            self.option = option

    def __init__(self, option: Option, raw: object, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(id=f"row-{option.name}")
        self.option = option
        self._followed = raw
        self.field: Widget = field_for(option, raw, suggestions)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Static(self.option.label, classes="label", markup=False)
            yield self.field
            if hint := hint_of(self.option):
                yield Static(hint, classes="hint", markup=False)
        yield Static("", classes="refusal", markup=False)

    def on_mount(self) -> None:
        self.show_refusal("")

    def show_raw(self, raw: object) -> None:
        cast(Any, self.field).show_raw(raw)

    def follow(self, raw: object) -> None:
        """Show a value that follows from other fields, as no entry of the user's."""
        if raw != self._followed:  # or what is being typed, of which nobody knows yet, would go
            self._followed = raw
            with self.field.prevent(Input.Changed, Select.Changed, FieldChanged):
                self.show_raw(raw)

    def show_refusal(self, text: str) -> None:
        refusal = self.query_one(".refusal", Static)
        refusal.update(f"! {text}")
        refusal.display = bool(text)
        self.set_class(bool(text), "-refused")

    def on_descendant_focus(self) -> None:
        self.post_message(self.Entered(self.option))


def hint_of(option: Option) -> str:
    """Unit and range, as far as the field does not show them itself."""
    if isinstance(option.kind, Choice | Flag):
        return option.unit
    if not isinstance(option.kind, Integer | Number):
        return option.unit
    return f"{option.unit} ({option.kind.range_text()})".strip()


def help_of(option: Option) -> str:
    """The option's help with what else is to know: default and when it may be set."""
    default = f"Default: {setting_text(option.default) or 'none'}."
    if option.derive is not None:
        default = "Its default follows from the options above."
    return " ".join(part for part in (option.help, life_text(option), default) if part)
