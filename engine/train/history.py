"""The writing side of a model's history (`engine.protocol.history`)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from engine.protocol.errors import InputError
from engine.protocol.history import (
    HISTORY_NAME,
    SCHEMA,
    LossPoint,
    Mark,
    pack_losses,
    read_history,
)

COMMIT_SECONDS = 1.0
# What waits while the disk is full: about 30 MB, some hours of a fast model.
MOST_PENDING = 100_000
# Over so many iterations the losses of a batch even out to within a few percent.
SMOOTHED_OVER = 200


class HistoryWriter:
    """Appends iterations, committed about once a second. Use as a context, from one thread.

    Rows beyond `iteration`, where training goes on, are set aside (`rewind`): they belong to steps
    whose weights were lost. Raises `InputError` when the file is damaged or cannot be written.
    """

    def __init__(self, model_folder: Path, iteration: int, loss_names: Sequence[str]) -> None:
        self.path = model_folder / HISTORY_NAME
        self._pending: list[LossPoint] = []
        self._marks: list[Mark] = []
        self._left_out = self._left_out_until = 0
        self._committed_at = time.monotonic()
        try:
            self._connection = sqlite3.connect(self.path, timeout=5.0)
            with self._connection:
                self._connection.executescript(SCHEMA)
                self._connection.execute(
                    "INSERT OR REPLACE INTO facts VALUES ('loss_names', ?)",
                    (json.dumps(list(loss_names)),),
                )
            self.rewind(iteration)
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
        # What the very last save brought, such as a backup's mark. Of a disk that takes nothing
        # the commits before have told.
        with contextlib.suppress(InputError):
            self.commit()
        self._connection.close()

    def add(self, point: LossPoint) -> None:
        """Remember an iteration; it is on disk after the next `commit`.

        If commits fail for so long that too many wait, every second of them is left out; a mark
        says how many, once the disk takes rows again.
        """
        self._pending.append(point)
        self._recent.append(sum(point.losses))
        if len(self._pending) > MOST_PENDING:
            self._left_out += len(self._pending) // 2
            self._left_out_until = point.iteration
            self._pending = self._pending[::2]

    def mark(self, mark: Mark) -> None:
        """Remember what happened; on disk after the next `commit`."""
        self._marks.append(mark)

    @property
    def smoothed_loss(self) -> float | None:
        """The mean of the losses' sum over the last iterations; None before the first."""
        return sum(self._recent) / len(self._recent) if self._recent else None

    def rewind(self, iteration: int) -> None:
        """Go back to `iteration`: what came after it is set aside in the table `undone`. Raises
        `InputError` if that cannot be written."""
        self._pending = [point for point in self._pending if point.iteration <= iteration]
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT INTO undone SELECT ?, * FROM steps WHERE iteration > ?",
                    (time.time(), iteration),
                )
                self._connection.execute("DELETE FROM steps WHERE iteration > ?", (iteration,))
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        rows = [*read_history(self.path, limit=SMOOTHED_OVER), *self._pending]
        self._recent = deque((sum(row.losses) for row in rows), maxlen=SMOOTHED_OVER)

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
                marks = [(m.iteration, m.at, m.kind, m.text) for m in (*self._marks, *self._gap())]
                self._connection.executemany("INSERT INTO marks VALUES (?,?,?,?)", marks)
        except sqlite3.Error as error:
            raise self._unwritable(error) from error
        self._pending.clear()
        self._marks.clear()
        self._left_out = 0

    def _gap(self) -> list[Mark]:
        if not self._left_out:
            return []
        text = f"the losses of {self._left_out} iterations before were not recorded"
        return [Mark(self._left_out_until, time.time(), "gap", text)]

    def _unwritable(self, error: sqlite3.Error) -> InputError:
        return InputError(
            f"cannot write the history {self.path}: {error}",
            "make room on the disk; if the file is damaged, move it away",
            code="history",
        )
