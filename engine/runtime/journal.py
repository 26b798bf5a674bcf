"""The journal: a run's events, one JSON line each, appended and never rewritten."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from engine.protocol.errors import StageError
from engine.protocol.events import AnyEvent, Event
from engine.protocol.wire import decode_event, encode

# Enough of a journal's end to hold its last events: a progress line is under 300 bytes.
_TAIL_BYTES = 32 * 1024


# Room for a run's last words on a disk that became full: a few notes and the failure itself.
_RESERVE_BYTES = 16 * 1024


class JournalWriter:
    """Appends events. A full disk does not stop the engine: a reserve on the disk is given up for
    the events that tell of it, and the journal goes on when there is room again."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._reserve = path.with_name(".reserve")
        with contextlib.suppress(OSError):  # full already: then there is none
            self._reserve.write_bytes(bytes(_RESERVE_BYTES))
        self._broken_line = False

    def append(self, event: Event) -> bool:
        """Write the event; False if there was no room for it."""
        if self._write(encode(event)):
            return True
        self._give_up_reserve()
        return self._write(encode(event))

    def close(self) -> None:
        os.close(self._descriptor)
        self._give_up_reserve()

    def _give_up_reserve(self) -> None:
        with contextlib.suppress(OSError):  # gone already, or the disk became read-only
            self._reserve.unlink()

    def _write(self, line: bytes) -> bool:
        if self._broken_line:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            return False
        self._broken_line = written < len(line)
        return not self._broken_line


class JournalReader:
    """Reads events as they are appended, from the start; keeps its place between calls."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def new_events(self) -> Iterator[AnyEvent]:
        """Events that were completed since the last call; broken lines are passed over."""
        try:
            with self._path.open("rb") as journal:
                journal.seek(self._offset)
                data = journal.read()
        except FileNotFoundError:
            return
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield from _decoded(lines)


def last_events(path: Path) -> list[AnyEvent]:
    """The journal's last events, oldest first (as many as lie in its last 32 KiB)."""
    try:
        with path.open("rb") as journal:
            size = journal.seek(0, os.SEEK_END)
            journal.seek(max(0, size - _TAIL_BYTES))
            lines = journal.read().split(b"\n")
    except OSError:
        return []
    return list(_decoded(lines if size <= _TAIL_BYTES else lines[1:]))


def _decoded(lines: list[bytes]) -> Iterator[AnyEvent]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield decode_event(line)
        except StageError:
            continue  # a line torn by a kill or a full disk
