"""Running one attempt in a process of its own, and ending it before it takes what others need."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from engine.protocol.errors import InputError, StageError
from engine.protocol.stage import StageContext
from engine.stages.train_preflight.attempt import (
    Begun,
    Ended,
    Job,
    OutOfMemory,
    Refused,
    Report,
    Stepped,
    Warned,
    try_training,
)

# A process that fills memory takes about 2 GB/s: between two looks it can take 0.1 GB too much.
_LOOK_EVERY_S = 0.05


@dataclass
class Trial:
    """What became of an attempt. steps: the first one compiles. peak_bytes: of the process.
    why_not: why it does not fit, "" if it does. in_time: it was not given up for want of time."""

    begun: Begun | None = None
    steps: list[Stepped] = field(default_factory=list)
    ended: Ended | None = None
    peak_bytes: int = 0
    why_not: str = ""
    in_time: bool = True

    @property
    def gpu_bytes(self) -> int | None:
        """The most that it took of the GPU; None without one, or if it is not known."""
        return self.ended.gpu_bytes if self.ended else None


@dataclass(frozen=True)
class Bounds:
    """budget_bytes: what the process may hold. until: when it is given up (`time.monotonic`)."""

    budget_bytes: int
    until: float


def try_job(
    job: Job, bounds: Bounds, context: StageContext, hear: Callable[[Report], None]
) -> Trial:
    """Try it. hear: is told each report as it comes. Raises `Stopped`, `InputError` if training
    would be refused, `StageError` if the process breaks; none is left in any case."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    trial = Trial()
    with TemporaryDirectory(dir=context.run_dir) as scratch:
        process = spawn.Process(target=try_training, args=(job, theirs, Path(scratch)), daemon=True)
        process.start()
        theirs.close()
        try:
            _watch(trial, process, ours, bounds, context.check_stop, hear)
        finally:
            process.kill()
            process.join()
            ours.close()
    return trial


def _watch(
    trial: Trial,
    process: BaseProcess,
    reports: Connection,
    bounds: Bounds,
    check_stop: Callable[[], None],
    hear: Callable[[Report], None],
) -> None:
    while True:
        check_stop()
        trial.peak_bytes = max(trial.peak_bytes, _resident_bytes(process))
        if trial.peak_bytes > bounds.budget_bytes:
            trial.why_not = f"it took more than the {bounds.budget_bytes / 1e9:.1f} GB free for it"
            return
        if time.monotonic() > bounds.until:
            trial.in_time = False
            return
        if not reports.poll(_LOOK_EVERY_S):
            continue
        try:
            report = reports.recv()
        except EOFError:
            _died(trial, process)
            return
        hear(report)
        if _take(trial, report):
            return


def _take(trial: Trial, report: Report) -> bool:
    """Whether that was the last report."""
    match report:
        case Begun():
            trial.begun = report
        case Stepped():
            trial.steps.append(report)
        case Ended():
            trial.ended = report
            trial.peak_bytes = max(trial.peak_bytes, report.memory_bytes)
        case OutOfMemory():
            trial.why_not = "the device refused it memory"
        case Refused():
            raise InputError(report.message, report.remedy, code=report.code)
        case Warned():
            return False
    return isinstance(report, Ended | OutOfMemory)


def _died(trial: Trial, process: BaseProcess) -> None:
    """The kernel kills for memory by SIGKILL; C++ code that gets none aborts."""
    process.join()
    status = process.exitcode or 0
    if status == -signal.SIGKILL:
        trial.why_not = "the system killed it, as it does for memory"
    elif status == -signal.SIGABRT:
        trial.why_not = "it was refused memory, or broke"
    else:
        raise StageError(
            f"the trial ended by itself (status {status})",
            "the log of this run says why; training would end in the same way",
            code="trial-died",
        )


def _resident_bytes(process: BaseProcess) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(psutil.Process(process.pid).memory_info().rss)
    return 0
