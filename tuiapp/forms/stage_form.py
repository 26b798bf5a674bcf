"""A stage's options as rows that follow the form's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from engine import catalog
from engine.protocol.options import Option
from engine.protocol.spec import StageSpec
from tuiapp.forms.form_state import MODEL, MODEL_CLASS, FormState, state_for
from tuiapp.forms.option_row import OptionRow
from tuiapp.forms.widgets import FieldChanged, FieldFinished


class StageForm(VerticalScroll, can_focus=False):
    """The rows of a stage's options, advanced ones folded. Every change of state is a `Changed`.

    stored: the values that the model which the form's values name was last trained with.
    suggestions: texts to complete, by option name. entered: values as if somebody had just typed
    them, which hold also where the model was trained with others."""

    class Changed(Message):
        def __init__(self, state: FormState) -> None:
            super().__init__()
            self.state = state

    class LastFieldFinished(Message):
        """Enter in the last field."""

    def __init__(
        self,
        spec: StageSpec,
        given: Mapping[str, object],
        stored: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        suggestions: Mapping[str, tuple[str, ...]] | None = None,
        entered: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(classes="-in-use")  # its first field has the focus at once
        self.spec = spec
        self._stored = stored
        self.state = self._with_model(state_for(spec, given))
        for name, raw in (entered or {}).items():
            self.state = self.state.entered(name, raw)
        self.unfolded = False
        self._suggestions = dict(suggestions or {})

    def compose(self) -> ComposeResult:
        yield from self._rows()

    def on_mount(self) -> None:
        self.unfolded = any(self._stands_out(option) for option in self.state.options)
        self._show_state()

    def on_descendant_focus(self) -> None:
        self._show_use()

    def on_descendant_blur(self) -> None:
        self._show_use()

    def toggle_advanced(self) -> None:
        self.unfolded = not self.unfolded
        self._show_state()

    def renew(self) -> None:
        """Follow what the model has been trained with until now, but for what was entered since it
        was chosen."""
        renewed = self.state.renewed(self._stored(self.state.values))
        if renewed != self.state:
            self.state = renewed
            self._show_state()

    async def show_values(self, given: Mapping[str, object]) -> None:
        """Replace everything that was entered by `given` (and defaults)."""
        await self._rebuild(state_for(self.spec, given))

    async def on_field_changed(self, event: FieldChanged) -> None:
        event.stop()
        if self.state.raw_of(event.name) == event.raw:
            return  # fields tell what they are made with, too
        state = self.state.entered(event.name, event.raw)
        if event.name == MODEL_CLASS and (self.spec.trains_model or self.spec.morph_options):
            await self._rebuild(state_for(self.spec, dict(state.raw)), focus=event.name)
            return
        self.state = self._with_model(state) if event.name == MODEL else state
        self._show_state()

    def on_field_finished(self, event: FieldFinished) -> None:
        event.stop()
        fields = [row.field for row in self.query(OptionRow) if row.display]
        if fields and self.screen.focused is fields[-1]:
            self.post_message(self.LastFieldFinished())
        else:
            self.screen.focus_next()

    def _rows(self) -> list[Static | OptionRow]:
        basic = [option for option in self.state.options if not option.advanced]
        advanced = [option for option in self.state.options if option.advanced]
        own = {option.name for option in self.spec.options}
        rows: list[Static | OptionRow] = [self._row(o) for o in basic if o.name in own]
        if of_model := [option for option in basic if option.name not in own]:
            title = catalog.model(self.state.values[MODEL_CLASS]).title
            rows.append(Static(title, classes="group", markup=False))
            rows += [self._row(option) for option in of_model]
        if advanced:
            rows.append(Static("", classes="fold", markup=False))
            rows += [self._row(option) for option in advanced]
        if not rows:
            rows.append(Static("This stage has no options.", classes="fold", markup=False))
        return rows

    def _row(self, option: Option) -> OptionRow:
        raw = self.state.raw_of(option.name)
        return OptionRow(option, raw, self._suggestions.get(option.name, ()))

    def _with_model(self, state: FormState) -> FormState:
        return state.of_model(self._stored(state.values))

    async def _rebuild(self, state: FormState, focus: str | None = None) -> None:
        self.state = self._with_model(state)
        async with self.batch():
            await self.remove_children()
            await self.mount_all(self._rows())
        self._show_state()
        if focus is not None:
            self.query_one(f"#row-{focus}", OptionRow).field.focus()

    def _show_state(self) -> None:
        for row in self.query(OptionRow):
            folded = row.option.advanced and not self.unfolded
            row.display = row.option.name in self.state.shown and not folded
            if self.state.follows(row.option.name):
                row.follow(self.state.raw_of(row.option.name))
            row.show_refusal(self.state.refusals.get(row.option.name, ""))
        self._show_fold()
        self.post_message(self.Changed(self.state))

    def _show_use(self) -> None:
        """By a class: with `:focus-within` going from field to field styles all fields anew."""
        self.set_class(self.has_focus_within, "-in-use")

    def _show_fold(self) -> None:
        advanced = [o for o in self.state.options if o.advanced and o.name in self.state.shown]
        for fold in self.query(".fold").results(Static):
            if advanced:
                sign = "v" if self.unfolded else ">"
                fold.update(f"{sign} {len(advanced)} advanced options (f6)")

    def _stands_out(self, option: Option) -> bool:
        """An advanced option that must not be hidden: it is not at its default, or refused."""
        changed = self.state.values.get(option.name, option.default) != option.default
        return option.advanced and (changed or option.name in self.state.refusals)
