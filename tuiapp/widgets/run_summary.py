"""A run in words: what it is, how far, what came of it."""

from __future__ import annotations

import time

from textual.content import Content
from textual.widgets import Static

from engine import catalog
from engine.protocol.errors import UsageError
from tuiapp.bridge.run_view import NoteLine, RunView, ViewState
from tuiapp.bridge.wording import (
    duration_text,
    fact_text,
    plain_text,
    rate_text,
)

STATE_STYLES = {
    ViewState.STARTING: "$primary",
    ViewState.RUNNING: "$primary",
    ViewState.STOPPING: "$warning",
    ViewState.STOPPED: "$warning",
    ViewState.DONE: "$success",
}
_FIRST_BAR_CELLS = 10


class RunSummary(Static):
    """Two lines: stage and state; bar, counts, rate, time to go."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._lines: list[Content] = []

    def show(self, view: RunView, now: float) -> None:
        lines = [title_line(view, now), progress_line(view, self.content_size.width)]
        if lines != self._lines:
            self._lines = lines
            self.update(Content("\n").join(lines), layout=False)


class RunOutcome(Static):
    """How a run ended: facts, or what was wrong and what to do. Invisible while it runs.

    flows: facts follow each other on a line, for screens that need the room."""

    def __init__(self, *, flows: bool = False) -> None:
        super().__init__("", markup=False)
        self.display = False
        self._flows = flows

    def show(self, view: RunView, log_end: list[str]) -> None:
        """log_end: the log's last lines, shown after a failure."""
        self.display = not view.state.live and bool(view.error or view.facts)
        self.set_class(view.error is not None, "-failed")
        self.update(outcome_text(view, log_end, flows=self._flows))


def title_line(view: RunView, now: float) -> Content:
    """`Train  new (quick96)  running  12m05s`."""
    end = now if view.state.live else view.updated_at
    took = duration_text(end - view.started_at) if view.started_at else ""
    return Content.assemble(
        (stage_title(view.stage), "bold"),
        f"  {plain_text(subject_of(view))}  ",
        (f"{view.state}", f"bold {STATE_STYLES.get(view.state, '$error')}"),
        f"  {took}",
    )


def stage_title(stage_id: str) -> str:
    """The stage's title; its id for one that this version does not have."""
    try:
        return catalog.stage(stage_id).title
    except UsageError:
        return plain_text(stage_id) or "Run"


def subject_of(view: RunView) -> str:
    """What the run works on: a model or a side."""
    if "model" in view.options:
        return f"{view.options['model']} ({view.options.get('model_class', '')})"
    return str(view.options.get("side", ""))


def progress_line(view: RunView, width: int) -> Content:
    """A bar as wide as there is room, and the figures; without a total only the figures."""
    figures = "  ".join(progress_words(view))
    room = width - len(figures) - 2
    if view.fraction is None or room < _FIRST_BAR_CELLS:
        return Content(figures)
    filled = round(view.fraction * room)
    return Content.assemble(
        ("━" * filled, "$accent"), ("─" * (room - filled), "$grid"), f"  {figures}"
    )


def progress_words(view: RunView) -> list[str]:
    words = []
    if view.fraction is not None:
        words.append(f"{view.fraction:4.0%}")
    if view.total:
        words.append(f"{view.done}/{view.total} {view.unit}")
    elif view.done:
        words.append(f"{view.done} {view.unit}")
    if view.rate:
        words.append(rate_text(view.rate, view.unit))
    if view.eta_s is not None:
        words.append(f"{duration_text(view.eta_s)} to go")
    if view.note:
        words.append(plain_text(view.note))
    return words or ["no figures yet"]


def outcome_text(view: RunView, log_end: list[str], *, flows: bool = False) -> Content:
    """Facts, one a line unless they flow; or message, remedy and the log's last lines."""
    lines: list[Content] = []
    if view.error is not None:
        lines.append(Content.styled(plain_text(view.error.message), "bold $error"))
        if view.error.remedy:
            remedy = plain_text(view.error.remedy)
            lines.append(Content.assemble(("What to do: ", "bold"), remedy))
        lines += [Content.styled(f"  {plain_text(line)}", "dim") for line in log_end]
    facts = [_fact(name, value) for name, value in view.facts.items()]
    lines += [Content("   ").join(facts)] if flows and facts else facts
    return Content("\n").join(lines)


def _fact(name: str, value: object) -> Content:
    words = plain_text(name.replace("_", " "))
    return Content.assemble((f"{words}: ", "$primary"), plain_text(fact_text(value)))


def note_lines(line: NoteLine, warning: bool) -> list[str]:
    """A note or warning with its time of day, and its remedy on a line of its own."""
    at = time.strftime("%H:%M:%S", time.localtime(line.t))
    lines = [f"{at} {'warning: ' if warning else ''}{line.text}"]
    if line.remedy:
        lines.append(f"         -> {line.remedy}")
    return [plain_text(line) for line in lines]


def notes_text(view: RunView) -> list[str]:
    """Notes and warnings in the order they came."""
    marked = [(line, False) for line in view.notes] + [(line, True) for line in view.warnings]
    marked.sort(key=lambda pair: pair[0].t)
    return [text for line, warning in marked for text in note_lines(line, warning)]
