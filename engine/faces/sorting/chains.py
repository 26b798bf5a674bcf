"""Chains: each face is followed by that of the remaining ones which is nearest (or farthest).

The whole faceset is one chain. A chain of n faces takes n * n / 2 comparisons, nearly all of them
of a few numbers (see `engine.faces.sorting.bounded_rows`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.bounded_rows import (
    BoundedRows,
    HistogramRows,
    Numbers,
    PictureRows,
    Places,
    sums_of_differences,
    swap_rows,
)

Checkpoint = Callable[[int], None]

_FEW = 8  # rows: comparing so many costs about what choosing among them does
_MOST_AT_ONCE = 1024  # rows: bounds memory


def histogram_chain(bgr_counts: NDArray[np.uint32], checkpoint: Checkpoint) -> NDArray[np.intp]:
    """The order in which each picture is followed by the one of least distance, summed over the
    three channels. bgr_counts: (n, 3 * 256). Starts with the first."""
    return _chain(HistogramRows(bgr_counts, checkpoint), checkpoint)


def pixel_chain(
    pictures_u8: NDArray[np.uint8], *, similar: bool, checkpoint: Checkpoint
) -> NDArray[np.intp]:
    """The order in which each picture is followed by the nearest (or, not `similar`, the farthest)
    by the sum of absolute differences. pictures_u8: (n, side * side * 3). Starts with the first."""
    if similar:
        return _chain(PictureRows(pictures_u8, checkpoint), checkpoint)
    return _farthest_chain(pictures_u8, checkpoint)


def _farthest_chain(pictures_u8: NDArray[np.uint8], checkpoint: Checkpoint) -> NDArray[np.intp]:
    """Compares all in full: once the extremes are gone, no cheap bound tells the rest apart."""
    pictures_u8 = pictures_u8.copy()  # reordered, so that what is left stays in one piece
    order = np.arange(len(pictures_u8))
    for last in range(len(order) - 1):
        differences = sums_of_differences(pictures_u8[last + 1 :], pictures_u8[last])
        farthest = last + 1 + int(differences.argmax())
        for rows in (order, pictures_u8):
            swap_rows(rows, last + 1, farthest)
        checkpoint(last + 1)
    return order


def _chain(rows: BoundedRows, checkpoint: Checkpoint) -> NDArray[np.intp]:
    order = np.arange(len(rows))
    for last in range(len(rows) - 1):
        nearest = _nearest_behind(rows, last)
        swap_rows(order, last + 1, nearest)
        rows.swap(last + 1, nearest)
        checkpoint(last + 1)
    return order


def _nearest_behind(rows: BoundedRows, last: int) -> int:
    """The place of the row nearest to that at `last`; of equal ones the first."""
    bounds, behind = rows.bounds_behind(last), last + 1
    limit = rows.distances(last, np.array([behind + int(bounds.argmin())])).min()
    places = behind + np.flatnonzero(bounds <= limit)
    if len(places) > _FEW:
        bounds = _portioned(rows.closer_bounds, last, places)
        limit = min(limit, rows.distances(last, places[[int(bounds.argmin())]]).min())
        places = places[bounds <= limit]
    return int(places[_portioned(rows.distances, last, places).argmin()])


def _portioned(compare: Callable[[int, Places], Numbers], last: int, places: Places) -> Numbers:
    starts = range(0, len(places), _MOST_AT_ONCE)
    parts = [compare(last, places[start : start + _MOST_AT_ONCE]) for start in starts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
