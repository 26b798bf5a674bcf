"""The next sensible step, as a button that says why."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine import catalog
from engine.protocol.survey import NextStep
from tuiapp.bridge.wording import plain_text

EMPTY_WORKSPACE = (
    "This folder is empty. Put data_src.mp4 (whose face is put in) and data_dst.mp4 (whose face is"
    " replaced) here, or let `facewright demo` make a workspace to try things with."
)


class NextStepBar(Static, can_focus=True):
    """Enter (or a click) takes the step."""

    class Taken(Message):
        def __init__(self, step: NextStep) -> None:
            super().__init__()
            self.step = step

    def __init__(self) -> None:
        super().__init__("looking at the workspace ...", markup=False)
        self._step: NextStep | None = None

    def show_step(self, step: NextStep, empty: bool) -> None:
        self._step = step
        if step.stage_id is None:
            self.update(Content(EMPTY_WORKSPACE if empty else plain_text(step.reason)))
            return
        side = f" {step.values['side']}" if "side" in step.values else ""
        self.update(
            Content.assemble(
                ("Next: ", "bold"),
                (f"{catalog.stage(step.stage_id).title}{side}", "bold $accent"),
                f"  {plain_text(step.reason)}  ",
                ("[enter]", "dim"),
            )
        )

    def take(self) -> None:
        if self._step is not None:
            self.post_message(self.Taken(self._step))

    def key_enter(self) -> None:
        self.take()

    def on_click(self) -> None:
        self.take()
