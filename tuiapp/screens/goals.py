"""Quick start by goal: what there is to choose from, what each sets on this device, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from engine.protocol.errors import FacewrightError
from engine.protocol.goals import GOALS, Goal, device_text, goal
from tuiapp.bridge.goal_words import goal_text
from tuiapp.bridge.gpu_memory import gpu_gib
from tuiapp.forms.goal_fill import remember_goal
from tuiapp.keymap import bindings
from tuiapp.widgets.key_list import KeyList

if TYPE_CHECKING:
    from tuiapp.app import FacewrightApp

Chosen = Callable[[Goal, float], Awaitable[None]]
NONE_OPEN: Mapping[str, Mapping[str, object]] = MappingProxyType({})


class GoalScreen(ModalScreen[str | None]):
    """Gives the id of the chosen goal; None if it was left. `tab` goes to the text, to scroll."""

    CSS_PATH = "goals.tcss"
    BINDINGS = bindings("pick")
    AUTO_FOCUS = "#goals"

    def __init__(self, gib: float) -> None:
        """gib: memory of the GPU; 0: the CPU."""
        super().__init__()
        self._gib = gib

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"Start by goal, on {device_text(self._gib)}"
            yield KeyList(id="goals")
            with VerticalScroll(id="words"):
                yield Static("", id="text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#goals", KeyList).show_rows(
            [(one.id, Content(f"{one.title}: {one.summary}")) for one in GOALS]
        )

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None:
            self.query_one("#text", Static).update(goal_text(goal(event.option_id), self._gib))
            self.query_one("#words").scroll_home(animate=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)

    def action_leave(self) -> None:
        self.dismiss(None)


def ask_for_goal(
    workbench: FacewrightApp,
    chosen: Chosen,
    open_forms: Mapping[str, Mapping[str, object]] = NONE_OPEN,
) -> None:
    """Let the user choose a goal, put what it sets into the forms of its stages, and pass it on
    with the GPU's memory in GiB (0: the CPU).

    open_forms: what was entered, by stage; the option `device` there says which GPU."""
    workbench.run_worker(_ask(workbench, chosen, open_forms), group="goal", exclusive=True)


async def _ask(
    workbench: FacewrightApp, chosen: Chosen, open_forms: Mapping[str, Mapping[str, object]]
) -> None:
    device = next((str(form["device"]) for form in open_forms.values() if "device" in form), "auto")
    gib = await asyncio.to_thread(gpu_gib, device)

    async def answered(goal_id: str | None) -> None:
        if goal_id is None:
            return
        wanted = goal(goal_id)
        try:
            remember_goal(workbench.workspace, wanted, gib, open_forms)
        except FacewrightError as error:
            workbench.say(error.message, title="Not remembered", severity="error")
            return
        workbench.say(f"set in the forms of {', '.join(wanted.settings)}", title=wanted.title)
        await chosen(wanted, gib)

    workbench.push_screen(GoalScreen(gib), answered)
