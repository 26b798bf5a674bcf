"""Events: what an engine tells its viewers and its journal.

Losses are live only (`journalled = False`); the model's history keeps them. Those of interactive
sessions are written down in `engine.protocol.session_events`; all are imported from here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from engine.protocol.event import VERSION as VERSION
from engine.protocol.event import Event as Event
from engine.protocol.session_events import FaceBox as FaceBox
from engine.protocol.session_events import KeyMark as KeyMark
from engine.protocol.session_events import LabelsKept as LabelsKept
from engine.protocol.session_events import LabelsRefused as LabelsRefused
from engine.protocol.session_events import LabelsShown as LabelsShown
from engine.protocol.session_events import LabelsState as LabelsState
from engine.protocol.session_events import LabelsStrip as LabelsStrip
from engine.protocol.session_events import LabelsSuggested as LabelsSuggested
from engine.protocol.session_events import ManualFace as ManualFace
from engine.protocol.session_events import ManualRefused as ManualRefused
from engine.protocol.session_events import ManualRun as ManualRun
from engine.protocol.session_events import ManualShown as ManualShown
from engine.protocol.session_events import ManualState as ManualState
from engine.protocol.session_events import MergeRefused as MergeRefused
from engine.protocol.session_events import MergeShown as MergeShown
from engine.protocol.session_events import MergeState as MergeState
from engine.protocol.session_events import MergeStrip as MergeStrip


class Started(Event, tag="started"):
    """The engine runs; the first event of a run. `pid_started` guards against pid reuse."""

    run: str
    stage: str
    options: dict[str, Any]
    pid: int
    pid_started: float


class Progress(Event, tag="progress"):
    """`done` of `total` units; `rate` is units per second, `eta_s` seconds to go, if known.
    `memory_bytes`: what the engine holds in memory, in those that are journalled. `figures`:
    further measures of the moment, by the names that `Result` has for them at the end."""

    done: int
    total: int | None = None
    unit: str = "frames"
    rate: float | None = None
    eta_s: float | None = None
    note: str = ""
    memory_bytes: int | None = None
    figures: dict[str, float] = msgspec.field(default_factory=dict)


class Note(Event, tag="note"):
    """A line of text; `level` is info or warning."""

    text: str
    level: str = "info"
    remedy: str = ""


class Losses(Event, tag="losses"):
    """One training step. `names` come with the model's spec."""

    journalled: ClassVar[bool] = False

    iteration: int
    step_ms: float
    values: tuple[float, ...]


class Saved(Event, tag="saved"):
    """A model generation is on disk."""

    iteration: int
    path: str


class PreviewReady(Event, tag="preview"):
    """A preview picture is complete at `path` (in the run folder)."""

    page: str
    path: str
    iteration: int


class OptionChanged(Event, tag="option-changed"):
    """An option was changed while running."""

    name: str
    value: Any


class Ack(Event, tag="ack"):
    """The engine's answer to a command, to its sender only; `error` is empty when it was taken."""

    journalled: ClassVar[bool] = False

    error: str = ""


class Stopping(Event, tag="stopping"):
    """A stop was asked for and is being carried out."""


class Result(Event, tag="result"):
    """Facts about what was made."""

    facts: dict[str, str | int | float | bool | None]


class Finished(Event, tag="finished"):
    """The last event of a run that was done (0) or stopped by the user (130)."""

    exit_status: int


class Failed(Event, tag="failed"):
    """The last event of a run that could not do its work. `refused`: it had not begun, and changed
    nothing."""

    exit_status: int
    message: str
    remedy: str = ""
    code: str = "failed"
    refused: bool = False


AnyEvent = (
    Started
    | Progress
    | Note
    | Losses
    | Saved
    | PreviewReady
    | OptionChanged
    | MergeShown
    | MergeStrip
    | MergeState
    | MergeRefused
    | ManualShown
    | ManualFace
    | ManualState
    | ManualRefused
    | LabelsShown
    | LabelsKept
    | LabelsState
    | LabelsStrip
    | LabelsSuggested
    | LabelsRefused
    | Ack
    | Stopping
    | Result
    | Finished
    | Failed
)
LAST_EVENTS = (Finished, Failed)
