"""The writing side of a model's history (`engine.protocol.history`)."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import NamedTuple

from engine.protocol.database_errors import DATABASE_ERRORS
from engine.protocol.errors import InputError
from engine.protocol.history import (
    HISTORY_NAME,
    SCHEMA,
    LossPoint,
    Mark,
    pack_losses,
    read_history,
    read_marks,
)

COMMIT_SECONDS = 1.0
# What waits while the disk is full: about 30 MB, some hours of a fast model.
MOST_PENDING = 100_000
# Over so many iterations the losses of a batch even out to within a few percent.
SMOOTHED_OVER = 200
# After a change of options their mean is compared with others' only when it is over so many.
COMPARED_FROM = 50
BEFORE = "before the model began anew, at iteration "
# Marks of what makes losses of another size.
_CHANGES = ("option", "reset", "restart")


class _Taken(NamedTuple):
    """What is being written, and how many points were left out before."""

    points: list[LossPoint]
    marks: list[Mark]
    left_out: int


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
        self._writing: tuple[_Taken, Future[None]] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="history")
        try:
            self._connection = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
            with self._connection:
                self._connection.executescript(SCHEMA)
                self._connection.execute(
                    "INSERT OR REPLACE INTO facts VALUES ('loss_names', ?)",
                    (json.dumps(list(loss_names)),),
                )
            self.rewind(iteration)
        except DATABASE_ERRORS as error:
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
        self._pool.shutdown()
        self._connection.close()

    def add(self, point: LossPoint) -> None:
        """Remember an iteration; it is on disk after the next `commit`.

        If commits fail for so long that too many wait, every second of them is left out; a mark
        says how many, once the disk takes rows again.
        """
        self._pending.append(point)
        self._recent.append((point.iteration, sum(point.losses)))
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
        return fmean(loss for _, loss in self._recent) if self._recent else None

    @property
    def comparable_loss(self) -> float | None:
        """The same over iterations since the last change alone, by which saves made with the same
        options are compared; None while these are too few."""
        found = [loss for iteration, loss in self._recent if iteration > self._changed_at]
        enough = COMPARED_FROM if self._changed_at else 1
        return fmean(found) if len(found) >= enough else None

    def begin_anew(self, iteration: int) -> None:
        """After `iteration` losses are of another size: options were changed, or nets reset."""
        self._changed_at = iteration

    def rewind(self, iteration: int) -> None:
        """Go back to `iteration`: what came after it is set aside in the table `undone`. Raises
        `InputError` if that cannot be written."""
        self._hear(wait=True)
        self._pending = [point for point in self._pending if point.iteration <= iteration]
        try:
            with self._connection:
                self._connection.execute(
                    "INSERT INTO undone SELECT ?, * FROM steps WHERE iteration > ?",
                    (time.time(), iteration),
                )
                self._connection.execute("DELETE FROM steps WHERE iteration > ?", (iteration,))
        except DATABASE_ERRORS as error:
            raise self._unwritable(error) from error
        rows = [*read_history(self.path, limit=SMOOTHED_OVER), *self._pending]
        self._recent = deque(
            ((row.iteration, sum(row.losses)) for row in rows), maxlen=SMOOTHED_OVER
        )
        marks = [*read_marks(self.path), *self._marks]
        changes = (mark.iteration for mark in marks if mark.kind in _CHANGES)
        self._changed_at = max((at for at in changes if at <= iteration), default=0)

    def begin_again(self) -> None:
        """The model has left its pretraining, and counts from 0 again: what was before is set
        aside, and its marks, which have numbers that will come again, are shown at 0 as what they
        are. Raises `InputError` if that cannot be written."""
        self.commit()
        self.rewind(0)
        try:
            with self._connection:
                self._connection.execute(
                    "UPDATE marks SET text = ? || iteration || ': ' || text, iteration = 0 WHERE"
                    " rowid > (SELECT coalesce(max(rowid), 0) FROM marks WHERE kind = 'restart')",
                    (BEFORE,),
                )
        except DATABASE_ERRORS as error:
            raise self._unwritable(error) from error

    @property
    def commit_due(self) -> bool:
        return time.monotonic() - self._committed_at >= COMMIT_SECONDS

    def commit(self, *, wait: bool = True) -> None:
        """Write what was added. Raises `InputError` if that fails; nothing is forgotten then.

        Not waiting, a thread writes (a busy disk takes a second for it), and a failure is raised by
        the next call.
        """
        self._committed_at = time.monotonic()
        try:
            self._hear(wait=wait)
        except InputError:
            if not wait:
                raise
        if self._writing is None:
            taken = _Taken(self._pending, [*self._marks, *self._gap()], self._left_out)
            self._pending, self._marks, self._left_out = [], [], 0
            self._writing = (taken, self._pool.submit(self._insert, taken))
        self._hear(wait=wait)

    def _hear(self, *, wait: bool) -> None:
        """Of what a thread was given to write: take it back if it could not."""
        if self._writing is None or not (wait or self._writing[1].done()):
            return
        (taken, written), self._writing = self._writing, None
        try:
            written.result()
        except DATABASE_ERRORS as error:
            self._pending = taken.points + self._pending
            self._marks = [mark for mark in taken.marks if mark.kind != "gap"] + self._marks
            self._left_out += taken.left_out
            raise self._unwritable(error) from error

    def _insert(self, taken: _Taken) -> None:
        rows = [(p.iteration, p.at, p.step_ms, pack_losses(p.losses)) for p in taken.points]
        marks = [(m.iteration, m.at, m.kind, m.text) for m in taken.marks]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO steps VALUES (?,?,?,?)", rows)
            self._connection.executemany("INSERT INTO marks VALUES (?,?,?,?)", marks)

    def _gap(self) -> list[Mark]:
        if not self._left_out:
            return []
        text = f"the losses of {self._left_out} iterations before were not recorded"
        return [Mark(self._left_out_until, time.time(), "gap", text)]

    def _unwritable(self, error: Exception) -> InputError:
        return InputError(
            f"cannot write the history {self.path}: {error}",
            "make room on the disk; if the file is damaged, move it away",
            code="history",
        )
