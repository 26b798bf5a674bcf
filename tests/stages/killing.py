"""Stages in forked processes that die by SIGKILL: at a line of our code, before a change of a file,
or at any time at all.

Forking spares each of them the imports. What is killed is a process, not the machine: what it wrote
is there whether it was synced or not, so syncing is left out, which takes most of the time.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from tests.stages.packing import start
from tests.support.context import context_for

# What only computes is left out, or nearly all lines would be there.
_WATCHED = (
    "/engine/stages/",
    "/engine/protocol/",
    "/engine/faces/pack_writer.py",
    "/engine/faces/metadata_file.py",
    "/engine/faces/face_file.py",
)
_CHANGES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.utime"}


@dataclass(frozen=True)
class Death:
    """When a process is killed; never, if nothing is given. line: at that line of the watched code.
    change: before that change of a file. after_s: so long after its start."""

    line: int = 0
    change: int = 0
    after_s: float | None = None


@dataclass(frozen=True)
class Life:
    """What a process came to. places: of a run that nothing kills, the place in the source of each
    line in the order they ran; changes: how many of files it made."""

    was_killed: bool
    places: tuple[str, ...] = ()
    changes: int = 0
    seconds: float = 0.0


@contextmanager
def folder_in_memory(otherwise: Path) -> Iterator[Path]:
    """A new folder on a disk in memory, if the system has one: thousands of small files are made
    and removed there. Else in `otherwise`."""
    in_memory = Path("/dev/shm")
    is_usable = in_memory.is_dir() and os.access(in_memory, os.W_OK)
    with tempfile.TemporaryDirectory(dir=in_memory if is_usable else otherwise) as folder:
        yield Path(folder)


def live(root: Path, stage: str, options: dict[str, Any], death: Death | None = None) -> Life:
    """Run the stage, confirmed, in a process with that death; without one, to its end and with
    everything counted. `Death()` is none either, and counts nothing."""
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(root, stage, options, death, writing)
    os.close(writing)
    if death is not None and death.after_s is not None:
        select.select([reading], [], [], death.after_s)  # until then, or until it has ended
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        counted = json.loads(pipe.read() or "{}")
    _, status = os.waitpid(pid, 0)
    seconds = time.monotonic() - started
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0 or (death not in (None, Death()) and was_killed)
    places, changes = tuple(counted.get("places", ())), counted.get("changes", 0)
    return Life(was_killed and not counted, places, changes, seconds)


def _child(
    root: Path, stage: str, options: dict[str, Any], death: Death | None, writing: int
) -> None:
    status = 1
    try:
        context = context_for(root, stage, confirmed=True, **options)
        lines = _Events(death.line if death else 0)
        changes = _Events(death.change if death else 0)
        _note_changes(root, changes.add)
        if death is None or death.line:
            sys.settrace(_tracer(lines.add))
        start(context, stage)
        sys.settrace(None)
        with os.fdopen(writing, "w") as pipe:
            seen = {"places": lines.seen, "changes": len(changes.seen)} if death is None else {}
            json.dump({"ended": True, **seen}, pipe)
        status = 0
    except Exception:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


class _Events:
    """What happened; kills the process at the `fatal`-th."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.seen: list[str] = []

    def add(self, what: str) -> None:
        self.seen.append(what)
        if len(self.seen) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def _tracer(add: Callable[[str], None]) -> Callable[[FrameType, str, object], Any]:
    def on_line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            add(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        return on_line if _is_watched(frame.f_code.co_filename) else None

    return on_line


@cache
def _is_watched(filename: str) -> bool:
    return any(part in filename for part in _WATCHED)


def _note_changes(root: Path, add: Callable[[str], None]) -> None:
    """Note every change of a file under `root` before it is made, and every sync instead of it."""

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
        if (event in _CHANGES or is_write) and str(root) in str(arguments[0]):
            add(event)

    def unsynced(fd: object) -> None:
        add("fsync")

    sys.addaudithook(on_event)
    os.fsync = unsynced
