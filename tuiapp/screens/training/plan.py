"""The training plan of a model: its phases in order, and what each changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from engine.protocol.errors import FacewrightError, UsageError
from engine.protocol.options import Life
from engine.protocol.plan_presets import presets_for
from engine.protocol.spec import ModelSpec
from engine.protocol.training_plan import (
    Phase,
    Plan,
    check_plan,
    phase_text,
    plan_path,
    read_plan,
    write_plan,
)
from tuiapp.bridge.plan_edit import (
    PHASE_OPTIONS,
    fields_of,
    moved,
    phase_of,
    values_before,
    with_new_phase,
    with_phase,
    without,
)
from tuiapp.bridge.watch import RunWatch
from tuiapp.bridge.wording import plain_text, value_text
from tuiapp.keymap import bindings
from tuiapp.screens.dialogs import AskScreen, TellScreen
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.options_dialog import OptionGroup, OptionsDialog, refusal_words
from tuiapp.screens.running_options import model_contradiction
from tuiapp.widgets.key_list import KeyList, Row

NO_PLAN = "No plan yet: the run trains with its options until it is stopped. f takes a ready one."
CHANGED = "  changed, not saved yet"
_WITH_PHASES = frozenset({"edit", "remove", "move", "take_away"})


class PlanScreen(FramedScreen):
    """The plan of the model that a run trains; changes reach the run once they are saved."""

    CSS_PATH = "plan.tcss"
    BINDINGS = bindings("plan")
    context = "plan"
    place = "Training plan"
    AUTO_FOCUS = "#phases"

    def __init__(self, watch: RunWatch, model: ModelSpec) -> None:
        super().__init__()
        self.run_watch = watch
        self.model = model
        self.plan: Plan | None = None
        self._saved: Plan | None = None
        self._path = plan_path(watch.model_folder)

    def body(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal(id="plan"):
            yield KeyList(id="phases")
            with VerticalScroll(id="details", can_focus=False):
                yield Static("", id="detail", markup=False)
        yield Static("", id="verdict", markup=False)

    def on_mount(self) -> None:
        self.query_one("#phases").border_title = "phases"
        self.query_one("#details").border_title = "what it changes"
        self.run_worker(self._read(), group="read")

    async def _read(self) -> None:
        if await asyncio.to_thread(self._path.is_file):
            try:
                self.plan = self._saved = await asyncio.to_thread(read_plan, self._path)
            except FacewrightError as error:
                self.app.push_screen(TellScreen(error.message, error.remedy))
        self.show_plan()

    @property
    def number(self) -> int:
        """Of the phase that is highlighted, from 0."""
        return self.query_one("#phases", KeyList).highlighted or 0

    @property
    def values(self) -> Mapping[str, Any]:
        """The model's options as they are now."""
        return self.run_watch.view.options

    def paint(self) -> None:
        self.query_one("#phases", KeyList).show_rows(self._rows())

    def show_plan(self, number: int | None = None) -> None:
        """Draw the plan anew, with the phase of that number highlighted."""
        self.paint()
        if number is not None:
            self.query_one("#phases", KeyList).highlighted = number
        self.query_one("#about", Static).update(about(self.plan, self.plan != self._saved))
        self.query_one("#verdict", Static).update(self._verdict())
        self._show_detail()
        self.refresh_bindings()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_detail()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.plan is not None:
            self.action_edit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _WITH_PHASES:
            return self.plan is not None
        if action == "save":
            return self.plan is not None or self._saved is not None
        return True

    def action_preset(self) -> None:
        presets = presets_for(self.model.options)
        if presets:
            self.app.push_screen(PresetScreen(presets), self._take_preset)
        else:
            self.workbench.say(f"no ready plan fits {self.model.title}")

    def action_add(self) -> None:
        if self.plan is None:
            self._change(Plan(title="Own", phases=(Phase(name="phase 1", at_most=10_000),)), 0)
        else:
            self._change(with_new_phase(self.plan, self.number), self.number + 1)
        self.action_edit()

    def action_remove(self) -> None:
        if self.plan is not None and len(self.plan.phases) > 1:
            self._change(without(self.plan, self.number), max(0, self.number - 1))
        else:
            self.workbench.say("a plan has at least one phase; D takes the whole plan away")

    def action_take_away(self) -> None:
        """Go on without a plan, once that is saved."""
        self.plan = None
        self.show_plan()

    def action_move(self, direction: int) -> None:
        if self.plan is not None:
            changed = moved(self.plan, self.number, direction)
            self._change(changed, self.number + (direction if changed != self.plan else 0))

    def action_edit(self) -> None:
        if self.plan is None:
            return
        number, phase = self.number, self.plan.phases[self.number]
        try:
            before = values_before(self.plan, number, self.model, self.values)
        except UsageError as error:
            self.app.push_screen(TellScreen(error.message, error.remedy))
            return
        screen = PhaseScreen(phase, before, self.model)
        self.app.push_screen(screen, partial(self._take_phase, number, screen))

    def action_save(self) -> None:
        plan = self.plan
        if verdict := self._verdict():
            self.workbench.say(verdict, title="Not saved", severity="error")
        else:
            self.run_worker(self._save(plan), group="save", exclusive=True)

    async def _save(self, plan: Plan | None) -> None:
        try:
            said = await asyncio.to_thread(self._write, plan)
        except FacewrightError as error:
            self.app.push_screen(TellScreen(error.message, error.remedy))
            return
        self._saved = plan
        self.workbench.say(said)
        self.show_plan()

    def _write(self, plan: Plan | None) -> str:
        """What is to be said of it."""
        if plan is not None:
            write_plan(self._path, plan)
            return "the plan is saved; a run that goes on follows it in a few seconds"
        trash = self.workbench.workspace.move_to_trash([self._path], "plan")
        where = f" and lies in {trash}" if trash else ""
        return f"the plan is taken away{where}; a run that goes on leaves it in a few seconds"

    def action_back(self) -> None:
        if self.plan == self._saved:
            self.workbench.action_leave_screen()
            return
        asking = AskScreen("Leave the plan?", "Its changes are not saved.", yes="Leave")
        self.app.push_screen(asking, self._leave_if)

    def _leave_if(self, agreed: bool | None) -> None:
        if agreed:
            self.workbench.action_leave_screen()

    def _take_preset(self, plan: Plan | None) -> None:
        if plan is not None:
            self._change(plan, 0)

    def _take_phase(self, number: int, screen: PhaseScreen, taken: dict[str, Any] | None) -> None:
        if self.plan is not None and taken is not None:
            self._change(with_phase(self.plan, number, screen.phase_with(taken)), number)

    def _change(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.show_plan(number)

    def _verdict(self) -> str:
        """Why the model could not follow the plan; "" if it can."""
        if self.plan is not None:
            try:
                check_plan(self.plan, self.model, self._model_values())
            except UsageError as error:
                return refusal_words(error)
        return ""

    def _model_values(self) -> dict[str, Any]:
        names = {option.name for option in self.model.options}
        return {name: value for name, value in self.values.items() if name in names}

    def _rows(self) -> list[Row]:
        if self.plan is None:
            return [(None, Content.styled("none", "dim"))]
        note = self.run_watch.view.note if self.run_watch.view.state.live else ""
        rows: list[Row] = []
        for number, phase in enumerate(self.plan.phases):
            is_current = self._saved is not None and phase.name in _current_names(self._saved, note)
            sign = ("> ", "bold $accent") if is_current else ("  ", "")
            name = (f"{number + 1} {plain_text(phase.name)}", "bold" if is_current else "")
            rows.append((f"phase-{number}", Content.assemble(sign, name)))
        return rows

    def _show_detail(self) -> None:
        text = Content(NO_PLAN)
        if self.plan is not None and self.number < len(self.plan.phases):
            text = phase_detail(self.plan.phases[self.number], self.model)
        self.query_one("#detail", Static).update(text)


def _current_names(plan: Plan, note: str) -> list[str]:
    """The name of the phase that the run says it is in, if it is one of the plan's."""
    numbers = range(len(plan.phases))
    return [plan.phases[n].name for n in numbers if phase_text(plan, n) in note.split(", ")]


def about(plan: Plan | None, is_changed: bool) -> Content:
    """Title and note of the plan."""
    if plan is None:
        return Content.assemble(NO_PLAN, (CHANGED if is_changed else "", "$warning"))
    changed = (CHANGED, "$warning") if is_changed else ""
    end = "; the run stops at its end" if plan.stop else ""
    return Content.assemble(
        (plain_text(plan.title), "bold"), changed, f"\n{plain_text(plan.note)}{end}"
    )


def phase_detail(phase: Phase, model: ModelSpec) -> Content:
    """What the phase changes, and when it ends."""
    labels = {option.name: option.label for option in model.options}
    lines = [
        Content.assemble((f"{labels.get(name, plain_text(name))}: ", "$primary"), value_text(value))
        for name, value in phase.changes.items()
    ] or [Content.styled("no option", "dim")]
    lines.append(Content.assemble(("ends ", "$primary"), phase.end_text()))
    if phase.reset:
        nets = plain_text(" ".join(phase.reset.nets))
        every = f"{nets} every {phase.reset.every} iterations"
        lines.append(Content.assemble(("fresh weights for ", "$primary"), every))
    return Content("\n").join(lines)


class PhaseScreen(OptionsDialog):
    """One phase: its end, and the options of the model that it changes."""

    CSS_PATH = "../dialogs.tcss"

    def __init__(self, phase: Phase, before: Mapping[str, Any], model: ModelSpec) -> None:
        self._phase = phase
        self._model = model
        self._values_before = before
        self._fields = fields_of(phase)
        running = tuple(o for o in model.options if o.life is Life.RUNNING)
        super().__init__(
            f"Phase {plain_text(phase.name)}",
            [
                OptionGroup("Phase", PHASE_OPTIONS),
                OptionGroup(f"{model.title}, from here", running),
            ],
            (*PHASE_OPTIONS, *model.options),
            {**before, **self._fields},
            phase.changes,
        )

    def contradiction(self, values: Mapping[str, Any]) -> str:
        """See `OptionsDialog.contradiction`."""
        options = {option.name: values[option.name] for option in self._model.options}
        return model_contradiction(self._model, options)

    def phase_with(self, taken: Mapping[str, Any]) -> Phase:
        """The phase, given what the dialog gave."""
        own = {option.name for option in PHASE_OPTIONS}
        fields = self._fields | {name: value for name, value in taken.items() if name in own}
        changes = {name: value for name, value in taken.items() if name not in own}
        return phase_of(fields, changes, self._values_before, self._phase)


class PresetScreen(ModalScreen[Plan | None]):
    """One of the plans that the guides teach."""

    CSS_PATH = "../dialogs.tcss"
    BINDINGS = bindings("dialog")
    AUTO_FOCUS = "#presets"

    def __init__(self, presets: Mapping[str, Plan]) -> None:
        super().__init__()
        self._presets = presets

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False) as dialog:
            dialog.border_title = "Take which plan?"
            yield KeyList(id="presets")
            yield Static("", id="note", markup=False)

    def on_mount(self) -> None:
        rows: list[Row] = [(id, Content(plan.title)) for id, plan in self._presets.items()]
        self.query_one("#presets", KeyList).show_rows(rows)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        plan = self._presets[str(event.option.id)]
        phases = ", ".join(phase.name for phase in plan.phases)
        self.query_one("#note", Static).update(
            f"{plan.note}\n\n{len(plan.phases)} phases: {phases}"
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._presets[str(event.option.id)])

    def action_yes(self) -> None:
        highlighted = self.query_one("#presets", KeyList).highlighted_option
        if highlighted is not None:
            self.dismiss(self._presets[str(highlighted.id)])

    def action_no(self) -> None:
        self.dismiss(None)
