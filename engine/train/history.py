"""The writing side of a model's history (`engine.protocol.history`)."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from engine.protocol.errors import InputError
from engine.protocol.history import HISTORY_NAME, SCHEMA, LossPoint, Mark, pack_losses

COMMIT_SECONDS = 1.0


class HistoryWriter:
    """Appends iterations, committed about once a second. Use as a context, from one thread.

    Rows beyond `iteration`, where training goes on, are deleted: they belong to steps whose weights
    were lost. Raises `InputError` when the file is damaged or cannot be written.
    """

    def __init__(self, model_folder: Path, iteration: int, loss_names: Sequence[str]) -> None:
        self.path = model_folder / HISTORY_NAME
        self._pending: list[LossPoint] = []
        self._marks: list[Mark] = []
        self._committed_at = time.monotonic()
        try:
            self._connection = sqlite3.connect(self.path, timeout=5.0)
            with self._connection:
                self._connection.executescript(SCHEMA)
                self._connection.execute("DELETE FROM steps WHERE iteration > ?", (iteration,))
                self._connection.execute(
                    "INSERT OR REPLACE INTO facts VALUES ('loss_names', ?)",
                    (json.dumps(list(loss_names)),),
                )
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> HistoryWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def add(self, point: LossPoint) -> None:
        """Remember an iteration; it is on disk after the next `commit`."""
        self._pending.append(point)

    def mark(self, mark: Mark) -> None:
        """Remember what happened; on disk after the next `commit`."""
        self._marks.append(mark)

    @property
    def commit_due(self) -> bool:
        return time.monotonic() - self._committed_at >= COMMIT_SECONDS

    def commit(self) -> None:
        """Write what was added. Raises `InputError` if that fails; nothing is forgotten then."""
        self._committed_at = time.monotonic()
        rows = [(p.iteration, p.at, p.step_ms, pack_losses(p.losses)) for p in self._pending]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO steps VALUES (?,?,?,?)", rows)
                marks = [(m.iteration, m.at, m.kind, m.text) for m in self._marks]
                self._connection.executemany("INSERT INTO marks VALUES (?,?,?,?)", marks)
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        self._pending.clear()
        self._marks.clear()

    def _unwritable(self, error: sqlite3.Error) -> InputError:
        return InputError(
            f"cannot write the history {self.path}: {error}",
            "make room on the disk; if the file is damaged, move it away",
            code="history",
        )
