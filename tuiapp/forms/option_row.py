"""One option of a form: label, field, unit and range on one line; why it is refused below."""

from __future__ import annotations

from typing import Any, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from engine.protocol.options import Choice, Flag, Integer, Life, Number, Option
from tuiapp.forms.widgets import field_for


class OptionRow(Vertical):
    """The row of one option. Tells with `Entered` that its field has the focus."""

    class Entered(Message):
        def __init__(self, option: Option) -> None:
            super().__init__()
            self.option = option

    def __init__(self, option: Option, raw: object, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(id=f"row-{option.name}")
        self.option = option
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
    default = option.default if option.default != "" else "none"
    if isinstance(option.default, bool):
        default = "yes" if option.default else "no"
    life = {
        Life.CREATION: " Fixed once the model is made.",
        Life.RUNNING: " Can be changed while it runs.",
    }.get(option.life, "")
    return f"{option.help}{life} Default: {default}."
