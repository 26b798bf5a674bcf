"""The end of a growing log file as clean lines."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from tuiapp.bridge.wording import plain_text

FIRST_READ_BYTES = 256 * 1024  # what is read of an old log; some 3000 lines
READ_BYTES = 1 << 20  # at most so much at once of a log that grows fast


class LogTail:
    """Reads what was appended since the last call; keeps its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset: int | None = None
        self._rest = b""

    def new_lines(self) -> list[str]:
        """Lines completed since the last call, the first time those of the log's end. A log that
        became shorter is read anew. [] if there is no log."""
        try:
            with self._path.open("rb") as log:
                data = self._new_bytes(log.seek(0, 2), log)
        except OSError:
            return []  # not there yet
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [last_written(line.decode(errors="replace")) for line in lines]

    def _new_bytes(self, size: int, log: BinaryIO) -> bytes:
        starts_inside_a_line = False
        if self._offset is None or size < self._offset:
            self._offset, self._rest = max(0, size - FIRST_READ_BYTES), b""
            starts_inside_a_line = self._offset > 0
        log.seek(self._offset)
        data = log.read(READ_BYTES)
        self._offset += len(data)
        return data.partition(b"\n")[2] if starts_inside_a_line else data


def last_written(line: str) -> str:
    """What a terminal would show of a line in which carriage returns overwrite (progress bars)."""
    parts = [part for part in line.split("\r") if part.strip()]
    return plain_text(parts[-1]) if parts else ""
