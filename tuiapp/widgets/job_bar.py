"""The line above the footer: every run that goes on, at a glance."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tuiapp.bridge.run_view import RunView, ViewState
from tuiapp.bridge.wording import duration_text, losses_text, rate_text

# Somebody works in these: no part done, rate or time to go tells anything.
_BY_HAND = frozenset({"faces-manual", "label-session", "merge-session"})


class JobBar(Static):
    """Empty and invisible while nothing runs."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.display = False
        self._shown: tuple[str, ...] = ()

    def show(self, views: list[RunView]) -> None:
        """Show these live runs, the newest first; costs nothing when nothing changed."""
        lines = tuple(job_text(view) for view in views)
        if lines == self._shown:
            return
        self._shown = lines
        self.display = bool(lines)
        # Its size is fixed: without a new layout only this line is repainted, and no picture.
        self.update(Content("  |  ".join(lines)), layout=False)


def job_text(view: RunView) -> str:
    """One run in few words: stage, part done, rate, time to go, losses; a session by its name."""
    words = [view.stage or "run"]
    if view.state is not ViewState.RUNNING:
        words.append(str(view.state))
    if view.stage in _BY_HAND:
        return "  ".join(words)
    if view.fraction is not None:
        words.append(f"{view.fraction:.0%}")
    elif view.iteration is not None:
        words.append(f"iteration {view.iteration}")
    elif view.done:
        words.append(f"{view.done} {view.unit}")
    if view.rate:
        words.append(rate_text(view.rate, view.unit))
    if view.eta_s is not None:
        words.append(f"{duration_text(view.eta_s)} to go")
    if view.losses:
        words.append(losses_text(view.loss_names, view.losses))
    return "  ".join(words)
