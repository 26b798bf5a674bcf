"""Events: what an engine tells its viewers and its journal.

Small, typed and versioned. Every event carries `t`, the wall-clock time in seconds, and `seq`,
which counts up within a run. Losses are live only (`journalled = False`); the model's history keeps
them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

VERSION = 1


class Event(msgspec.Struct, tag_field="ev", kw_only=True):
    """Base of all events."""

    journalled: ClassVar[bool] = True

    t: float = 0.0
    seq: int = 0
    v: int = VERSION


class Started(Event, tag="started"):
    """The engine runs; the first event of a run. `pid_started` guards against pid reuse."""

    run: str
    stage: str
    options: dict[str, Any]
    pid: int
    pid_started: float


class Progress(Event, tag="progress"):
    """`done` of `total` units; `rate` is units per second, `eta_s` seconds to go, if known.
    `memory_bytes`: what the engine holds in memory, in those that are journalled."""

    done: int
    total: int | None = None
    unit: str = "frames"
    rate: float | None = None
    eta_s: float | None = None
    note: str = ""
    memory_bytes: int | None = None


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
    | Ack
    | Stopping
    | Result
    | Finished
    | Failed
)
LAST_EVENTS = (Finished, Failed)
