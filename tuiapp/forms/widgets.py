"""Fields: one for each option kind, in one table. All tell of changes with `FieldChanged`."""

from __future__ import annotations

from typing import Any, Protocol, cast

from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from engine.protocol.options import (
    Choice,
    FilePath,
    Flag,
    Integer,
    Number,
    Option,
    Text,
    TimeCode,
    ValueRefused,
)
from tuiapp.forms.form_state import text_of
from tuiapp.keymap import bindings


class FieldChanged(Message):
    """The user changed a field; `raw` is what stands in it, checked by nobody yet."""

    def __init__(self, name: str, raw: object) -> None:
        super().__init__()
        self.name = name
        self.raw = raw


class FieldFinished(Message):
    """Enter in a field: go on to the next one."""


class Field(Protocol):
    """What a form asks of a field, which is a widget besides."""

    def show_raw(self, raw: object) -> None:
        """Put `raw` into the field."""


class TextField(Input):
    """A line of text. `suggestions` complete what is typed (right arrow takes one over)."""

    def __init__(self, option: Option, raw: object, suggestions: tuple[str, ...] = ()) -> None:
        suggester = SuggestFromList(suggestions, case_sensitive=False) if suggestions else None
        super().__init__(str(raw), compact=True, suggester=suggester)
        # What is typed first replaces what stands there: a 4 typed at a 2 means 4, not 24. Paths
        # are rather mended than typed anew.
        self.select_on_focus = not isinstance(option.kind, FilePath)
        self.option = option

    def show_raw(self, raw: object) -> None:
        self.value = str(raw)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(FieldChanged(self.option.name, self.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(FieldFinished())


class NumberField(TextField):
    """A number: typed, or changed by the option's step with up and down."""

    BINDINGS = bindings("number")

    def action_step(self, direction: int) -> None:
        """One step up or down within the range; nothing while the text is refused."""
        kind = cast("Integer | Number", self.option.kind)
        try:
            value = kind.parse(self.value)
        except ValueRefused:
            return
        moved = min(kind.maximum, max(kind.minimum, round(value + direction * kind.step, 6)))
        self.value = str(text_of(self.option, moved))


class ChoiceField(Select[str]):
    """One of a few: left and right go through them, enter opens the list."""

    BINDINGS = bindings("choice")

    def __init__(self, option: Option, raw: object) -> None:
        kind = cast(Choice, option.kind)
        rows = [(choice_label(value, words), value) for value, words in kind.choices]
        super().__init__(rows, value=str(raw), allow_blank=False, compact=True)
        self.option = option

    def show_raw(self, raw: object) -> None:
        self.value = str(raw)

    def action_cycle(self, direction: int) -> None:
        values = cast(Choice, self.option.kind).values
        self.value = values[(values.index(str(self.value)) + direction) % len(values)]

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.post_message(FieldChanged(self.option.name, event.value))


def choice_label(value: str, words: str) -> Content:
    return Content.assemble((value, "bold"), f"  {words}" if words else "")


class FlagField(Static, can_focus=True):
    """Yes or no, as text that needs no colour to be read."""

    BINDINGS = bindings("flag")

    def __init__(self, option: Option, raw: object) -> None:
        super().__init__(markup=False)
        self.option = option
        self._value = bool(raw)

    def render(self) -> str:
        return "[x] yes" if self._value else "[ ] no"

    def show_raw(self, raw: object) -> None:
        self.action_set(bool(raw))

    def action_turn(self) -> None:
        self.action_set(not self._value)

    def action_set(self, value: bool) -> None:
        if value != self._value:
            self._value = value
            self.refresh()
            self.post_message(FieldChanged(self.option.name, value))

    def on_click(self) -> None:
        self.action_turn()

    def key_enter(self, event: Key) -> None:
        event.stop()
        self.post_message(FieldFinished())


FIELD_OF_KIND: dict[type[Any], type[Widget]] = {
    Integer: NumberField,
    Number: NumberField,
    Choice: ChoiceField,
    Flag: FlagField,
    Text: TextField,
    FilePath: TextField,
    TimeCode: TextField,
}


def field_for(option: Option, raw: object, suggestions: tuple[str, ...] = ()) -> Widget:
    """The field of an option, holding `raw`."""
    field_class = FIELD_OF_KIND[type(option.kind)]
    if suggestions and field_class is TextField:
        return TextField(option, raw, suggestions)
    field: Widget = cast(Any, field_class)(option, raw)  # each takes these two
    return field
