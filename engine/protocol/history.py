"""A model's history: every iteration's losses in `history.sqlite` of the model's folder.

The engine appends (`engine.train.history`), viewers read while it runs. SQLite because readers and
the writer need not know of each other, and a kill leaves a sound file. Steps whose weights are gone
(after a kill, a rollback, a restored save) are moved from `steps` to `undone`.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from engine.protocol.database_errors import DATABASE_ERRORS

HISTORY_NAME = "history.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS steps (
  iteration INTEGER PRIMARY KEY, at REAL NOT NULL, step_ms REAL NOT NULL, losses BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS marks (
  iteration INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS undone (
  undone_at REAL NOT NULL,
  iteration INTEGER NOT NULL, at REAL NOT NULL, step_ms REAL NOT NULL, losses BLOB NOT NULL);
"""


@dataclass(frozen=True)
class LossPoint:
    """One iteration: wall-clock time in seconds, the step's milliseconds, one loss per name.

    Time and milliseconds are 0 where nobody knows them: those of imported models."""

    iteration: int
    at: float
    step_ms: float
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Mark:
    """Something that happened to a model in training, as a line under its losses.

    iteration: how many steps had been made. at: wall-clock time in seconds. kind: "phase",
    "option", "skipped" (a bad step), "rollback", "reset" (of nets), "restart" (after pretraining),
    "backup", "restore", "gap", "import". text: a sentence for people.
    """

    iteration: int
    at: float
    kind: str
    text: str


def pack_losses(values: Sequence[float]) -> bytes:
    """Losses as the blob that the table holds: little-endian float32."""
    return struct.pack(f"<{len(values)}f", *values)


def open_history(path: Path) -> sqlite3.Connection:
    """`history.sqlite` for reading. Not opened read-only: after a kill in the middle of a commit it
    is the first reader that undoes what is half done, and who may not do that sees nothing."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=2.0)


def read_history(path: Path, *, after: int = 0, limit: int | None = None) -> list[LossPoint]:
    """The points of `history.sqlite` with iteration > `after`, oldest first; with `limit` the last
    so many. [] if there is no file yet, or none that can be read. Never blocks the writer."""
    if not path.is_file():
        return []
    connection = open_history(path)
    try:
        rows = connection.execute(
            "SELECT iteration, at, step_ms, losses FROM steps WHERE iteration > ?"
            " AND typeof(losses) = 'blob' AND length(losses) % 4 = 0"
            " ORDER BY iteration DESC LIMIT ?",
            (after, -1 if limit is None else limit),
        ).fetchall()
    except DATABASE_ERRORS:
        return []  # made this moment (no tables yet), or damaged: the engine says so
    finally:
        connection.close()
    return [
        LossPoint(iteration, at, step_ms, struct.unpack(f"<{len(blob) // 4}f", blob))
        for iteration, at, step_ms, blob in reversed(rows)
    ]


def read_marks(path: Path) -> list[Mark]:
    """All marks of `history.sqlite`, oldest first; [] if there is no file, it knows none yet, or it
    cannot be read."""
    if not path.is_file():
        return []
    connection = open_history(path)
    try:
        rows = connection.execute(
            "SELECT iteration, at, kind, text FROM marks ORDER BY rowid"
        ).fetchall()
    except DATABASE_ERRORS:
        return []  # a history of before marks, or a damaged one
    finally:
        connection.close()
    return [Mark(*row) for row in rows]
