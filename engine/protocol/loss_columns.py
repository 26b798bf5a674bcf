"""A model's losses as columns of numbers: a history of millions of iterations within a second.

Rows by the thousand are joined by SQLite itself: making a Python object of each takes several times
as long, and holds up a screen that draws meanwhile.
"""

from __future__ import annotations

import sqlite3
from array import array
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.database_errors import DATABASE_ERRORS
from engine.protocol.history import open_history

_ROWS_AT_ONCE = 20_000
# group_concat keeps a BLOB's bytes as they are, in the order of the rows it is given.
_JOINED = (
    "SELECT count(*), min(iteration), max(iteration), CAST(group_concat(losses, '') AS BLOB)"
    " FROM (SELECT iteration, losses FROM steps WHERE iteration > ? AND typeof(losses) = 'blob'"
    " ORDER BY iteration LIMIT ?)"
)
_ROWS = (
    "SELECT iteration, losses FROM steps WHERE iteration > ? AND iteration <= ?"
    " AND typeof(losses) = 'blob' ORDER BY 1"
)
_BYTES = 4  # of a float32


@dataclass(frozen=True)
class LossColumns:
    """`iterations` in ascending order, and `losses`: for each iteration `width` float32 values."""

    width: int
    iterations: array[int]
    losses: array[float]

    def __len__(self) -> int:
        return len(self.iterations)


def read_loss_columns(path: Path, width: int, *, after: int = 0) -> LossColumns:
    """The iterations > `after` of `history.sqlite` that have `width` losses; none if there is no
    such file, or nothing in it can be read. Never blocks the writer."""
    columns = LossColumns(width, array("q"), array("f"))
    if not path.is_file():
        return columns
    connection = open_history(path)
    try:
        # In a damaged file what comes next may lie before.
        while (found := _add_rows(connection, columns, after)) > after:
            after = found
    except DATABASE_ERRORS:
        return columns  # made this moment (no tables yet), or damaged: the engine says so
    finally:
        connection.close()
    return columns


def _add_rows(connection: sqlite3.Connection, columns: LossColumns, after: int) -> int:
    """Add the next rows; gives the last iteration looked at, 0 at the end."""
    count, first, last, joined = connection.execute(_JOINED, (after, _ROWS_AT_ONCE)).fetchone()
    if not count:
        return 0
    is_gapless = last - first + 1 == count
    if is_gapless and len(joined) == count * columns.width * _BYTES:
        columns.iterations.extend(range(first, last + 1))
        columns.losses.frombytes(joined)
    else:
        _add_one_by_one(connection, columns, after, last)
    return int(last)


def _add_one_by_one(
    connection: sqlite3.Connection, columns: LossColumns, after: int, last: int
) -> None:
    """Rows with gaps between them, or of a model that had another number of losses."""
    for iteration, blob in connection.execute(_ROWS, (after, last)):
        if len(blob) == columns.width * _BYTES:
            columns.iterations.append(iteration)
            columns.losses.frombytes(blob)
