"""A stage's form: options, help of the one at hand, the equal command line, start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Static

from engine import catalog
from engine.protocol.goals import GOALS, Goal, Setting
from engine.protocol.spec import StageSpec
from tuiapp.bridge.wording import command_line
from tuiapp.forms.form_state import FormState, stored_values
from tuiapp.forms.goal_fill import filled_values
from tuiapp.forms.option_row import OptionRow, help_of
from tuiapp.forms.stage_form import StageForm
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.screens.goals import ask_for_goal


class StageScreen(FramedScreen):
    """The form of one stage, filled with `given` values."""

    CSS_PATH = "stage.tcss"
    BINDINGS = bindings("form")
    context = "form"
    AUTO_FOCUS = "OptionRow NumberField, OptionRow TextField, ChoiceField, FlagField"

    def __init__(
        self,
        spec: StageSpec,
        given: Mapping[str, object],
        entered: Mapping[str, object] | None = None,
    ) -> None:
        """entered: see `StageForm`."""
        super().__init__()
        self.spec = spec
        self.place = spec.title
        self._given = given
        self._entered = entered
        self._command = ""
        self._by_goal: dict[str, Setting] = {}
        self._rehearsal = catalog.rehearsal_of(spec.id)

    def body(self) -> ComposeResult:
        suggestions = {"model": self.workbench.model_names()}
        yield Static(self.spec.summary, id="summary", markup=False)
        stored = partial(stored_values, self.workbench.workspace, self.spec)
        yield StageForm(self.spec, self._given, stored, suggestions, self._entered)
        yield Static(self.spec.help, id="help", markup=False)
        yield Static("", id="command", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Start", id="start", variant="primary", compact=True)
            yield Static("", id="verdict", markup=False)

    @property
    def form(self) -> StageForm:
        return self.query_one(StageForm)

    def on_stage_form_changed(self, event: StageForm.Changed) -> None:
        self._show_verdict(event.state)
        state, root = event.state, self.workbench.workspace.root
        self._command = command_line(self.spec.id, state.options, state.values, root, state.stored)
        text = "" if state.refusals else f"$ {self._command}"
        self.query_one("#command", Static).update(text)

    def on_option_row_entered(self, event: OptionRow.Entered) -> None:
        setting = self._by_goal.get(event.option.name)
        by_goal = setting and self.form.state.values.get(setting.option) == setting.value
        why = f"By goal: {setting.why}. " if setting and by_goal else ""
        self.query_one("#help", Static).update(why + help_of(event.option))

    def explain(self, settings: Iterable[Setting]) -> None:
        """Tell at each of these options, as long as it stands so, why a goal set it."""
        self._by_goal = {setting.option: setting for setting in settings}

    def on_stage_form_last_field_finished(self) -> None:
        self.query_one("#start").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_start()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "check" and self._rehearsal is None:
            return False
        if action == "goal" and not any(one.values_for(self.spec.id, 0) for one in GOALS):
            return False
        if action in ("start", "check") and self.query(StageForm):
            return None if self.form.state.refusals else True
        return True

    def on_screen_resume(self) -> None:
        if self.query(StageForm):
            self.form.renew()

    def action_start(self) -> None:
        self.form.renew()  # its model may have been trained on, with other options, since
        self.workbench.start_stage(self.spec.id, self.form.state.values)

    def action_check(self) -> None:
        """Try out what the stage would need; its form keeps the values."""
        if self._rehearsal is not None:
            self.workbench.rehearse_stage(self._rehearsal, self.form.state.values)

    def action_goal(self) -> None:
        """Fill the form, and those of the goal's other stages, for what one wants to have."""
        form = {self.spec.rehearses or self.spec.id: self.form.state.raw}
        ask_for_goal(self.workbench, self._take_goal, form)

    async def _take_goal(self, goal: Goal, gpu_gib: float) -> None:
        values = filled_values(
            self.workbench.workspace, self.spec, goal, gpu_gib, self.form.state.raw
        )
        self.explain(goal.settings_for(self.spec.id, gpu_gib))
        await self.form.show_values(values)

    def action_toggle_advanced(self) -> None:
        self.form.toggle_advanced()

    def action_copy_command(self) -> None:
        self.app.copy_to_clipboard(self._command)
        self.notify("the command line is in the clipboard", title="Copied", markup=False)

    async def action_reset(self) -> None:
        await self.form.show_values({})

    def _show_verdict(self, state: FormState) -> None:
        labels = {option.name: option.label for option in state.options}
        refused = ", ".join(labels[name] for name in labels if name in state.refusals)
        self.query_one("#start", Button).disabled = bool(refused)
        self.query_one("#verdict", Static).update(f"look at: {refused}" if refused else "")
        self.refresh_bindings()
