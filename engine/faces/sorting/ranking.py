"""What every sorting method gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.scores import MeasuredFaces

Checkpoint = Callable[[int], None]  # gets the number of faces placed so far; may raise to stop


@dataclass(frozen=True)
class SortSettings:
    """target: how many faces "best faces" should leave. similar: whether "absdiff" chains the
    nearest, or the farthest."""

    target: int = 2000
    similar: bool = True


@dataclass(frozen=True)
class Ranking:
    """The faces that stay, in their new order, and those for the trash with reasons. Numbers are
    rows of the measured faces; each row is in one of the two."""

    order: tuple[int, ...]
    trash: dict[int, str] = field(default_factory=dict)


Method = Callable[[MeasuredFaces, SortSettings, Checkpoint], Ranking]


def by_value(
    values: NDArray[np.float64], *, descending: bool, usable: NDArray[np.bool_], reason: str
) -> Ranking:
    """The usable rows by value, equal ones in the order they have; the others to the trash."""
    rows = np.flatnonzero(usable)
    keys = -values[rows] if descending else values[rows]
    order = rows[np.argsort(keys, kind="stable")]
    return Ranking(indices(order), dict.fromkeys(indices(np.flatnonzero(~usable)), reason))


def indices(rows: Iterable[np.intp]) -> tuple[int, ...]:
    """Numpy's row numbers as Python's."""
    return tuple(int(row) for row in rows)
