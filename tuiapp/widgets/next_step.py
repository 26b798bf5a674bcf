"""The next sensible step, as a button that says why."""

from __future__ import annotations

from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Static

from engine import catalog
from engine.protocol.survey import NextStep
from tuiapp.bridge.run_view import RunView
from tuiapp.bridge.wording import plain_text

EMPTY_WORKSPACE = (
    "This folder is empty. Put data_src.mp4 (whose face is put in) and data_dst.mp4 (whose face is"
    " replaced) here, or let `facewright demo` make a workspace to try things with."
)


# Stages that do what another does while one sees it.
INTERACTIVE = {"merge": "merge-session"}


class NextStepBar(Static, can_focus=True):
    """Enter (or a click) takes the step."""

    class Taken(Message):
        """`run`: the run that is doing the step already, if one is."""

        def __init__(self, step: NextStep, run: str | None) -> None:
            super().__init__()
            self.step = step
            self.run = run

    def __init__(self) -> None:
        super().__init__("looking at the workspace ...", markup=False)
        self._step: NextStep | None = None
        self._run: str | None = None
        self._text = Content("")

    def show_step(self, step: NextStep, empty: bool, live: list[RunView]) -> None:
        """live: the runs that go on; one of them may be doing the step."""
        self._step = step
        doing = [view for view in live if is_doing(view, step)]
        self._run = doing[0].run if doing else None
        text = step_text(step, empty, running=bool(doing))
        if text != self._text:
            self._text = text
            self.update(text)

    def take(self) -> None:
        if self._step is not None:
            self.post_message(self.Taken(self._step, self._run))

    def key_enter(self, event: Key) -> None:
        event.stop()  # the screen that opens must not take it for its own
        self.take()

    def on_click(self) -> None:
        self.take()


def is_doing(view: RunView, step: NextStep) -> bool:
    """The run carries out the step: the same stage, on the same side or model."""
    same = all(view.options.get(name) == value for name, value in step.values.items())
    return view.stage in (step.stage_id, INTERACTIVE.get(step.stage_id or "")) and same


def step_text(step: NextStep, empty: bool, *, running: bool) -> Content:
    if step.stage_id is None:
        return Content(EMPTY_WORKSPACE if empty else plain_text(step.reason))
    side = f" {step.values['side']}" if "side" in step.values else ""
    reason = "is going on; see how far it is" if running else plain_text(step.reason)
    return Content.assemble(
        ("Now: " if running else "Next: ", "bold"),
        (f"{catalog.stage(step.stage_id).title}{side}", "bold $accent"),
        f"  {reason}  ",
        ("[enter]", "dim"),
    )
