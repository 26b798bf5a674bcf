"""The run as its stage sees it: implements `engine.protocol.stage.StageContext`."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import psutil

from engine.protocol.commands import Command
from engine.protocol.errors import Stopped
from engine.protocol.events import (
    LAST_EVENTS,
    Event,
    Losses,
    Note,
    OptionChanged,
    PreviewReady,
    Progress,
    Result,
    Saved,
)
from engine.protocol.workspace import Workspace
from engine.runtime.host import workers
from engine.runtime.host.control import ControlServer
from engine.runtime.journal import JournalWriter
from engine.runtime.run_folder import Job, RunFolder

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_LIVE_PROGRESS_S = 0.25
_RATE_WINDOW_S = 20.0
# How soon a stage that waits for commands sees that it shall stop.
_STOP_LOOK_S = 0.2


class Emitter:
    """Numbers and dates events, and sends them to journal and viewers. Thread-safe."""

    def __init__(self, journal: JournalWriter, control: ControlServer) -> None:
        self._journal = journal
        self._control = control
        self._lock = threading.Lock()
        self._seq = 0
        self._is_over = False

    def emit(
        self,
        event: Event,
        *,
        journalled: bool | None = None,
        live: bool = False,
        to: int | None = None,
    ) -> None:
        """Journal the event if its type is journalled (or as told); send it to viewers (or to one)
        if it is not, or `live`, or the disk is full. Nothing follows the last event of a run."""
        keep = event.journalled if journalled is None else journalled
        with self._lock:
            if self._is_over:
                return  # another thread's, too late: the journal is about to be closed
            self._is_over = isinstance(event, LAST_EVENTS)
            self._seq += 1
            event.seq, event.t = self._seq, time.time()
            is_kept = keep and self._journal.append(event)
            if live or not is_kept:
                self._control.broadcast(event, to)


class RunContext:
    """One run. See `StageContext` for what each method promises."""

    def __init__(
        self,
        run: RunFolder,
        job: Job,
        emitter: Emitter,
        control: ControlServer,
        stop: threading.Event,
    ) -> None:
        self.workspace = Workspace(Path(job.workspace))
        self.options: Mapping[str, Any] = job.options
        self.confirmed = job.confirmed
        self.run_dir = run.path
        self.has_begun = False
        self._emitter = emitter
        self._control = control
        self._stop = stop
        self._pace = _Pace()
        self._untold: Progress | None = None
        self._process = psutil.Process()

    @property
    def stop_requested(self) -> bool:
        return self._stop.is_set()

    def check_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def progress(
        self,
        done: int,
        total: int | None,
        *,
        unit: str = "frames",
        note: str = "",
        skipped: int = 0,
        figures: Mapping[str, float] | None = None,
        rate_anew: bool = False,
    ) -> None:
        self.has_begun = self.has_begun or done > skipped
        if rate_anew:
            self._pace.begin_anew()
        rate = self._pace.rate(done)
        eta_s = (total - done) / rate if rate and total is not None and total >= done else None
        event = Progress(
            done=done,
            total=total,
            unit=unit,
            rate=rate,
            eta_s=eta_s,
            note=note,
            figures=dict(figures or {}),
        )
        self._untold = event
        if self._pace.journal_is_due(done == total):
            self.tell_progress()
        elif self._pace.viewers_are_due():
            self._emitter.emit(event, journalled=False)

    def tell_progress(self) -> None:
        """Journal the newest progress unless it is: called when due, and when the run ends."""
        if self._untold is not None:
            event, self._untold = self._untold, None
            event.memory_bytes = self._process.memory_info().rss
            self._emitter.emit(event, live=True)

    def note(self, text: str) -> None:
        self._emitter.emit(Note(text=text))

    def warn(self, text: str, remedy: str = "") -> None:
        self._emitter.emit(Note(text=text, level="warning", remedy=remedy))

    def result(self, **facts: str | int | float | bool | None) -> None:
        self._emitter.emit(Result(facts=facts))

    def losses(self, iteration: int, step_ms: float, values: tuple[float, ...]) -> None:
        self._emitter.emit(Losses(iteration=iteration, step_ms=step_ms, values=values))

    def saved(self, iteration: int, path: Path) -> None:
        self.has_begun = True
        self._emitter.emit(Saved(iteration=iteration, path=str(path)))

    def preview(self, page: str, path: Path, iteration: int) -> None:
        self._emitter.emit(PreviewReady(page=page, path=str(path), iteration=iteration))

    def option_changed(self, name: str, value: object) -> None:
        self._emitter.emit(OptionChanged(name=name, value=value))

    def commands(self) -> list[Command]:
        return self._control.take_commands()

    def wait_for_commands(self, timeout_s: float) -> list[Command]:
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0 and not self._stop.is_set():
            if self._control.wait_for_commands(min(left_s, _STOP_LOOK_S)):
                break
        return self._control.take_commands()

    def wake(self) -> None:
        self._control.wake_waiting()

    def unwatched_s(self) -> float:
        return self._control.unwatched_s()

    def tell(self, event: Event, to: int | None = None) -> None:
        self._emitter.emit(event, to=to)

    def map_in_processes(
        self,
        function: Callable[[Item], Outcome],
        items: Iterable[Item],
        *,
        processes: int,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[object, ...] = (),
    ) -> Iterator[Outcome]:
        return workers.map_in_processes(
            function,
            items,
            processes=processes,
            check_stop=self.check_stop,
            initializer=initializer,
            initargs=initargs,
        )


class _Pace:
    """How fast work goes, and when to tell. The journal gets a line every half second at first and
    every half minute in a run of hours, so that days of training stay a small file."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._window: deque[tuple[float, int]] = deque()
        self._counting = False
        self._journalled = float("-inf")
        self._shown = float("-inf")

    def begin_anew(self) -> None:
        """Forget the time until now: the next call of `rate` begins another measurement."""
        self._window.clear()
        self._counting = True

    def rate(self, done: int) -> float | None:
        """Units per second over the last 20 seconds; None until there is something to tell."""
        now = time.monotonic()
        if self._window and done < self._window[-1][1]:
            self._window.clear()  # another count began
            self._counting = False
        if self._window and not self._counting and done > self._window[-1][1]:
            self._window.clear()  # what came before the first unit was start-up: it says nothing
            self._counting = True
        self._window.append((now, done))
        while len(self._window) > 2 and now - self._window[0][0] > _RATE_WINDOW_S:
            self._window.popleft()
        then, before = self._window[0]
        elapsed = now - then
        return (done - before) / elapsed if elapsed > 1.0 and done > before else None

    def journal_is_due(self, last: bool) -> bool:
        now = time.monotonic()
        interval = min(30.0, max(0.5, (now - self._started) / 200))
        if not last and now - self._journalled < interval:
            return False
        self._journalled = self._shown = now
        return True

    def viewers_are_due(self) -> bool:
        now = time.monotonic()
        if now - self._shown < _LIVE_PROGRESS_S:
            return False
        self._shown = now
        return True
