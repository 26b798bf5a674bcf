"""What can be said of an engine that died without a word: nobody waits for it, so that there is no
exit status; its log, its last report and the system's own count tell most of it."""

from __future__ import annotations

import re
import time

from engine.protocol.errors import EXIT_FAILED, InputError
from engine.protocol.events import Failed, Progress
from engine.protocol.memory_advice import run_remedy
from engine.runtime.journal import last_events
from engine.runtime.run_folder import RunFolder, oom_kill_count

# How C++ and Python say that memory was refused; in lower case.
_REFUSED_MEMORY = ("bad_alloc", "memoryerror", "cannot allocate memory", "resource_exhausted")

# TensorFlow's log lines up to errors (`E0000 00:00:1795257832.617800 28482 FILE:LINE] ...`). Every
# training makes some; what ends a process is marked F.
_CHATTER = re.compile(r"[IWE]\d{4} [\d:.]+ +\d+ \S+:\d+\]|WARNING: All log messages before absl")


def crash_report(run: RunFolder) -> Failed:
    """The event shown for an engine that died without saying why."""
    tail = [line for line in run.log_tail(20) if line.strip()]
    cause = _cause(run, tail)
    held = _held_bytes(run)
    words = f"the engine died ({cause or 'killed, out of memory, or a crash'})"
    if held:
        words += f"; it held {held / 1e9:.1f} GB of memory at its last report"
    telling = [line for line in tail if not _CHATTER.match(line)]
    if telling:
        words += f"; its log ends: {telling[-1][:200]}"
    return Failed(
        t=time.time(),
        exit_status=EXIT_FAILED,
        message=words,
        remedy=_remedy(run, for_memory=bool(cause)),
        code="crashed",
    )


def _cause(run: RunFolder, log_tail: list[str]) -> str:
    """Why, if there are signs that it was for memory; else ""."""
    if any(sign in line.lower() for line in log_tail for sign in _REFUSED_MEMORY):
        return "it was refused memory, as its log says"
    process, now = run.process(), oom_kill_count()
    then = process.oom_kills if process else None
    if then is None or now is None or now <= then:
        return ""
    return "probably killed by the system, which has killed for lack of memory since it began"


def _held_bytes(run: RunFolder) -> int | None:
    reports = [event for event in last_events(run.journal_path) if isinstance(event, Progress)]
    return reports[-1].memory_bytes if reports else None


def _remedy(run: RunFolder, *, for_memory: bool) -> str:
    again = f"start the stage again: it goes on from the last save; log: {run.log_path}"
    if not for_memory:
        return again
    try:
        options = run.job().options
    except InputError:
        return again
    return f"{run_remedy(options)}; it goes on from the last save; log: {run.log_path}"
