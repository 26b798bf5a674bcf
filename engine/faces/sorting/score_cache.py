"""Measured scores kept between sorts, in an SQLite file that may be deleted at any time.

A score belongs to a file's inode, size and time of change, not to its name: sorting renames all
faces, and changes none of these three.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.faces.sorting.scores import MEASURES, Measured, Values
from engine.protocol.database_errors import DATABASE_ERRORS
from engine.protocol.workspace import make_folder

FileKey = tuple[int, int, int]  # inode, size in bytes, time of change in ns

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores_1 (
  inode INTEGER, size_bytes INTEGER, mtime_ns INTEGER, measure TEXT, numbers BLOB NOT NULL,
  PRIMARY KEY (measure, inode, size_bytes, mtime_ns));
"""


class ScoreCache:
    """Scores by file. A cache that cannot be read or written is no reason to stop: `damage` then
    says what is wrong, and nothing is remembered."""

    def __init__(self, connection: sqlite3.Connection | None, damage: str = "") -> None:
        self._connection = connection
        self.damage = damage

    def read(self, name: str) -> dict[FileKey, Values]:
        """All kept scores of a measure."""
        rows = self._run(
            "SELECT inode, size_bytes, mtime_ns, numbers FROM scores_1 WHERE measure = ?", (name,)
        )
        row_bytes = MEASURES[name].length * np.dtype(MEASURES[name].dtype).itemsize
        return {
            (inode, size_bytes, mtime_ns): np.frombuffer(numbers, MEASURES[name].dtype)
            for inode, size_bytes, mtime_ns, numbers in rows
            if isinstance(numbers, bytes) and len(numbers) == row_bytes
        }

    def keep(self, measured: Iterable[tuple[FileKey, Measured]]) -> None:
        """Remember what is worth keeping."""
        rows = [
            (*key, name, values.tobytes())
            for key, scores in measured
            for name, values in scores.items()
            if MEASURES[name].kept
        ]
        self._run_many("INSERT OR REPLACE INTO scores_1 VALUES (?, ?, ?, ?, ?)", rows)

    def forget(self, keys: Iterable[FileKey]) -> None:
        """Drop the scores of files that are no more."""
        self._run_many(
            "DELETE FROM scores_1 WHERE inode = ? AND size_bytes = ? AND mtime_ns = ?", list(keys)
        )

    def _run(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, values).fetchall()
        except DATABASE_ERRORS as error:
            self._give_up(error)
            return []

    def _run_many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._connection is None or not rows:
            return
        try:
            with self._connection:
                self._connection.executemany(statement, rows)
        except DATABASE_ERRORS as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.damage, self._connection = str(error), None


@contextmanager
def open_score_cache(path: Path) -> Iterator[ScoreCache]:
    """The cache at `path`, made if need be; one that is damaged is thrown away."""
    make_folder(path.parent)
    try:
        connection = _connected(path)
    except DATABASE_ERRORS:
        for leftover in (path, *path.parent.glob(f"{path.name}-*")):
            leftover.unlink(missing_ok=True)
        try:
            connection = _connected(path)
        except DATABASE_ERRORS as error:
            yield ScoreCache(None, str(error))
            return
    with closing(connection):
        yield ScoreCache(connection)


def file_key(path: Path) -> FileKey:
    """What a file's scores are kept under."""
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # lost scores are measured again
        connection.executescript(_SCHEMA)
    except DATABASE_ERRORS:
        connection.close()
        raise
    return connection
