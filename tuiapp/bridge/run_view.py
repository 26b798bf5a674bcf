"""What a viewer knows of a run: a frozen value, and one function that says what events do to it.

Screens, the job bar and the command line's progress draw a `RunView`; none keeps its own state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine import catalog
from engine.protocol import events
from engine.protocol.errors import EXIT_STOPPED, UsageError
from engine.protocol.events import AnyEvent

NOTES_KEPT = 200  # a screen shows a few dozen; the journal has all
CODE_CRASHED = "crashed"


class ViewState(StrEnum):
    """Where a run is in its life, as far as its events tell."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    REFUSED = "refused"
    CRASHED = "crashed"

    @property
    def live(self) -> bool:
        return self in (ViewState.STARTING, ViewState.RUNNING, ViewState.STOPPING)


@dataclass(frozen=True)
class NoteLine:
    """A line of text from the engine; `t` is wall-clock seconds."""

    t: float
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Trouble:
    """Why a run ended without having done its work."""

    message: str
    remedy: str = ""
    code: str = "failed"


@dataclass(frozen=True)
class PreviewPage:
    """The newest picture of a preview page."""

    path: Path
    iteration: int


EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class RunView:
    """A run as its events describe it so far.

    `rate` is units per second (iterations per second for training), `eta_s` seconds to go, `losses`
    the last values in the order of `loss_names`; `started_at`, `updated_at` and `last_saved_at` are
    wall-clock time in seconds. `facts` are those of the end, `figures` what of them is known while
    it goes on.
    """

    run: str = ""
    stage: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    state: ViewState = ViewState.STARTING
    started_at: float = 0.0
    updated_at: float = 0.0
    done: int = 0
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    eta_s: float | None = None
    note: str = ""
    iteration: int | None = None
    step_ms: float | None = None
    loss_names: tuple[str, ...] = ()
    losses: tuple[float, ...] = ()
    last_save_iteration: int | None = None
    last_saved_at: float | None = None
    previews: Mapping[str, PreviewPage] = field(default_factory=lambda: EMPTY)
    notes: tuple[NoteLine, ...] = ()
    warnings: tuple[NoteLine, ...] = ()
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=lambda: EMPTY)
    figures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    error: Trouble | None = None
    exit_status: int | None = None

    @property
    def fraction(self) -> float | None:
        """The part done, 0 to 1; None while the total is not known."""
        if not self.total:
            return None
        return min(1.0, max(0.0, self.done / self.total))

    @property
    def trains(self) -> bool:
        return bool(self.loss_names)


def apply(view: RunView, event: AnyEvent) -> RunView:
    """The view after `event`."""
    changed = _RULES[type(event)](view, event)
    return replace(changed, updated_at=max(view.updated_at, event.t))


def trains(stage_id: str) -> bool:
    """Whether the stage trains a model (not only tries to), as far as this version knows it."""
    try:
        spec = catalog.stage(stage_id)
        return spec.trains_model and not spec.rehearses
    except UsageError:
        return False


def loss_names_of(stage_id: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a training stage's losses; () for other stages and for stages or model classes
    that this version does not know (a journal may be newer than the viewer)."""
    try:
        if not trains(stage_id):
            return ()
        return catalog.model(str(options.get("model_class"))).loss_names
    except UsageError:
        return ()


def _started(view: RunView, event: events.Started) -> RunView:
    return replace(
        view,
        run=event.run,
        stage=event.stage,
        options=event.options,
        state=ViewState.RUNNING,
        started_at=event.t,
        loss_names=loss_names_of(event.stage, event.options),
    )


def _progress(view: RunView, event: events.Progress) -> RunView:
    return replace(
        view,
        done=event.done,
        total=event.total,
        unit=event.unit,
        rate=event.rate,
        eta_s=event.eta_s,
        note=event.note,
        figures=event.figures,
    )


def _note(view: RunView, event: events.Note) -> RunView:
    line = NoteLine(event.t, event.text, event.remedy)
    if event.level == "warning":
        return replace(view, warnings=(*view.warnings, line)[-NOTES_KEPT:])
    return replace(view, notes=(*view.notes, line)[-NOTES_KEPT:])


def _losses(view: RunView, event: events.Losses) -> RunView:
    names = view.loss_names or tuple(f"loss {n}" for n in range(1, len(event.values) + 1))
    return replace(
        view,
        iteration=event.iteration,
        step_ms=event.step_ms,
        losses=event.values,
        loss_names=names,
    )


def _saved(view: RunView, event: events.Saved) -> RunView:
    return replace(view, last_save_iteration=event.iteration, last_saved_at=event.t)


def _preview(view: RunView, event: events.PreviewReady) -> RunView:
    page = PreviewPage(Path(event.path), event.iteration)
    return replace(view, previews={**view.previews, event.page: page})


def _option_changed(view: RunView, event: events.OptionChanged) -> RunView:
    return replace(view, options={**view.options, event.name: event.value})


def _stopping(view: RunView, _: events.Stopping) -> RunView:
    return replace(view, state=ViewState.STOPPING)


def _result(view: RunView, event: events.Result) -> RunView:
    return replace(view, facts={**view.facts, **event.facts})


def _finished(view: RunView, event: events.Finished) -> RunView:
    stopped = event.exit_status == EXIT_STOPPED
    state = ViewState.STOPPED if stopped else ViewState.DONE
    return replace(view, state=state, eta_s=None, exit_status=event.exit_status)


def _failed(view: RunView, event: events.Failed) -> RunView:
    state = ViewState.FAILED
    if event.code == CODE_CRASHED:
        state = ViewState.CRASHED
    elif event.refused:
        state = ViewState.REFUSED
    error = Trouble(event.message, event.remedy, event.code)
    return replace(view, state=state, eta_s=None, error=error, exit_status=event.exit_status)


def _unchanged(view: RunView, _: events.Event) -> RunView:
    return view


_Rule = Callable[[RunView, Any], RunView]
_RULES: dict[type[events.Event], _Rule] = {
    events.Started: _started,
    events.Progress: _progress,
    events.Note: _note,
    events.Losses: _losses,
    events.Saved: _saved,
    events.PreviewReady: _preview,
    events.OptionChanged: _option_changed,
    events.Ack: _unchanged,
    events.MergeShown: _unchanged,
    events.MergeStrip: _unchanged,
    events.MergeState: _unchanged,
    events.MergeRefused: _unchanged,
    events.ManualShown: _unchanged,
    events.ManualFace: _unchanged,
    events.ManualState: _unchanged,
    events.ManualRefused: _unchanged,
    events.LabelsShown: _unchanged,
    events.LabelsKept: _unchanged,
    events.LabelsState: _unchanged,
    events.LabelsStrip: _unchanged,
    events.LabelsSuggested: _unchanged,
    events.LabelsRefused: _unchanged,
    events.Stopping: _stopping,
    events.Result: _result,
    events.Finished: _finished,
    events.Failed: _failed,
}
