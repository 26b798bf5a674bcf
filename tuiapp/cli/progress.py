"""A run's progress in the shell: a Rich bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from engine.protocol.events import AnyEvent, Failed, Finished, Note, Result, Saved
from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.wording import duration_text, fact_text, losses_text, plain_text, rate_text

_BAR_CELLS = 24
_PLAIN_LINE_EVERY_S = 5.0


def quiet_display(_view: RunView, _event: AnyEvent) -> None:
    """Show nothing."""


class ProgressDisplay:
    """Draws a run's view as it changes. Use as a context manager; gives the function to call."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._plain_at = float("-inf")

    def __enter__(self) -> ProgressDisplay:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, view: RunView, event: AnyEvent) -> None:
        if isinstance(event, Note):
            self._say(_note_text(event))
        elif isinstance(event, Saved):
            self._say(Text(f"  saved at iteration {event.iteration}", style="dim"))
        elif isinstance(event, Result):
            self._say(_facts_text(event))
        elif isinstance(event, Finished | Failed):
            self._close(view, event)
        else:
            self._show(view)

    def _show(self, view: RunView) -> None:
        if self._live is not None:
            self._live.update(progress_line(view, self._console.width))
            return
        now = time.monotonic()
        if view.done and now - self._plain_at >= _PLAIN_LINE_EVERY_S:
            self._plain_at = now
            self._console.print(progress_line(view, 0), soft_wrap=True)

    def _close(self, view: RunView, event: Finished | Failed) -> None:
        if self._live is not None:
            self._live.update(Text(""))
        if isinstance(event, Failed):
            self._say(Text(f"{view.stage or 'run'}: {plain_text(event.message)}", style="bold red"))
            if event.remedy:
                self._say(Text(f"  -> {plain_text(event.remedy)}"))
            return
        took = duration_text(event.t - view.started_at)
        if view.state is ViewState.STOPPED:
            again = "the same command goes on"
            self._say(Text(f"{view.stage}: stopped after {took}, all work saved; {again}"))
        else:
            self._say(Text(f"{view.stage}: done in {took}", style="green"))

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def progress_line(view: RunView, width: int) -> Text:
    """One line for a running stage: bar, counts, rate, ETA, losses; cut to `width` cells if > 0."""
    parts = [f"{view.stage or 'starting'}"]
    if view.fraction is not None:
        filled = round(view.fraction * _BAR_CELLS)
        parts.append("━" * filled + "╌" * (_BAR_CELLS - filled))
    if view.total:
        parts.append(f"{view.done}/{view.total} {view.unit}")
    elif view.done:
        parts.append(f"{view.done} {view.unit}")
    if view.rate:
        parts.append(rate_text(view.rate, view.unit))
    if view.eta_s is not None and view.state.live:
        parts.append(f"{duration_text(view.eta_s)} to go")
    if view.losses:
        parts.append(losses_text(view.loss_names, view.losses))
    elif view.note:
        parts.append(plain_text(view.note))
    if view.state is ViewState.STOPPING:
        parts.append("stopping")
    line = Text("  ".join(parts), no_wrap=True)
    if width:
        line.truncate(width - 1, overflow="ellipsis")
    return line


def _note_text(event: Note) -> Text:
    text = plain_text(event.text)
    if event.level != "warning":
        return Text(f"  {text}", style="dim")
    remedy = f" -> {plain_text(event.remedy)}" if event.remedy else ""
    return Text(f"  warning: {text}{remedy}", style="yellow")


def _facts_text(event: Result) -> Text:
    facts = ", ".join(f"{k.replace('_', ' ')} {fact_text(v)}" for k, v in event.facts.items())
    return Text(f"  {plain_text(facts)}")
