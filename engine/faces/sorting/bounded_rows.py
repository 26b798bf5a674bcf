"""What chains compare: rows of numbers whose distances cost much, and bounds of these little.

A bound is never above its distance: rows whose bound is above a distance that is known need no
exact look.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any, Protocol

import cv2
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from engine.faces.sorting.histograms import distances_from_overlap, roots_of_shares

Checkpoint = Callable[[int], None]
Numbers = NDArray[Any]
Places = NDArray[np.intp]

_ROWS_AT_ONCE = 1024  # bounds memory
_AXES = 8  # of 256 of a channel's histograms: leave 1 in 400 of crops of real faces
_ROUNDING = 4e-5  # a sum of 256 products of float32 is off by less
_FEW_CELLS, _MORE_CELLS = 8, 16  # to a picture's side: leave 1 in 200, and 1 in 1000


class BoundedRows(Protocol):
    """Rows by their places in a chain. Distances are what a row's next should have little of."""

    def __len__(self) -> int: ...

    def bounds_behind(self, last: int) -> Numbers:
        """Lower bounds of the distances between the row at `last` and all behind it."""

    def closer_bounds(self, last: int, places: Places) -> Numbers:
        """Lower bounds that are nearer to the distances, for the rows at `places`."""

    def distances(self, last: int, places: Places) -> Numbers:
        """The distances between the row at `last` and those at `places`."""

    def swap(self, one: int, other: int) -> None:
        """Let two rows change places."""


class HistogramRows:
    """Distances of histograms, summed over channels.

    A channel's roots are a vector of length 1, and distances grow with the angle of two. So vectors
    in fewer axes, with the length of what these leave out as one more, are never further apart.
    """

    def __init__(self, bgr_counts: NDArray[np.uint32], checkpoint: Checkpoint) -> None:
        """bgr_counts: (n, 3 * 256), not copied. checkpoint: called while preparing."""
        self._counts = bgr_counts
        self._order = np.arange(len(bgr_counts))
        axes = _main_axes(bgr_counts, checkpoint)
        # The first in the chain's order, so that those left are in one piece; the others as given.
        self._reduced = np.empty((3, _AXES + 1, len(bgr_counts)), np.float32)
        self._planes = np.empty((len(bgr_counts), 3, 256), np.float32)
        for rows in _portions(bgr_counts):
            planes = _planes(bgr_counts[rows])
            self._reduced[:, :, rows] = _reduced(planes, axes)
            self._planes[rows] = planes.transpose(1, 0, 2)
            checkpoint(0)

    def __len__(self) -> int:
        return len(self._order)

    def bounds_behind(self, last: int) -> NDArray[np.floating[Any]]:
        # Not a matrix product: BLAS spreads these over threads, which is slower where cores are
        # busy.
        left = self._reduced[:, :, last:]
        return _bounds(np.einsum("can,ca->cn", left[:, :, 1:], left[:, :, 0]))

    def closer_bounds(self, last: int, places: Places) -> NDArray[np.floating[Any]]:
        one, others = self._planes[self._order[last]], self._planes[self._order[places]]
        return _bounds(np.einsum("ncb,cb->cn", others, one))

    def distances(self, last: int, places: Places) -> NDArray[np.floating[Any]]:
        planes = _planes(self._counts[self._order[np.append(places, last)]])
        overlaps = np.einsum("cnb,cb->cn", planes[:, :-1], planes[:, -1])
        return np.asarray(distances_from_overlap(overlaps).sum(axis=0))

    def swap(self, one: int, other: int) -> None:
        swap_rows(self._order, one, other)
        swap_rows(self._reduced.T, one, other)


class PictureRows:
    """Sums of absolute differences of pictures."""

    def __init__(self, pictures_u8: NDArray[np.uint8], checkpoint: Checkpoint) -> None:
        """pictures_u8: (n, side * side * 3), not copied. checkpoint: called while preparing."""
        self._pictures_u8 = pictures_u8
        self._order = np.arange(len(pictures_u8))
        self._few = _Cells(pictures_u8, _FEW_CELLS, checkpoint)  # in the chain's order
        self._more = _Cells(pictures_u8, _MORE_CELLS, checkpoint)  # as given

    def __len__(self) -> int:
        return len(self._order)

    def bounds_behind(self, last: int) -> NDArray[np.int32]:
        return self._few.bounds(last, slice(last + 1, None))

    def closer_bounds(self, last: int, places: Places) -> NDArray[np.int32]:
        return self._more.bounds(self._order[last], self._order[places])

    def distances(self, last: int, places: Places) -> NDArray[np.int32]:
        one, others = self._order[last], self._order[places]
        return sums_of_differences(self._pictures_u8[others], self._pictures_u8[one])

    def swap(self, one: int, other: int) -> None:
        for rows in (self._order, self._few.levels_u8, self._few.rounding):
            swap_rows(rows, one, other)


class _Cells:
    """Pictures reduced to cells (n, cells * cells * 3), each its pixels' mean in a whole level.

    A cell's difference in two pictures is at most the sum of its pixels', but for its rounding.
    """

    def __init__(
        self, pictures_u8: NDArray[np.uint8], most_cells: int, checkpoint: Checkpoint
    ) -> None:
        side_px = isqrt(pictures_u8.shape[1] // 3)
        cells = most_cells if side_px % most_cells == 0 else side_px
        cell_px = side_px // cells
        self._area_px = cell_px**2
        self.levels_u8 = np.empty((len(pictures_u8), cells * cells * 3), np.uint8)
        self.rounding = np.empty(len(pictures_u8), np.int32)  # of the cells' sums, added up
        for rows in _portions(pictures_u8):
            pixels = pictures_u8[rows].reshape(-1, cells, cell_px, cells, cell_px, 3)
            sums = pixels.sum(axis=(2, 4), dtype=np.int32).reshape(len(pixels), -1)
            levels = (2 * sums + self._area_px) // (2 * self._area_px)
            self.levels_u8[rows] = levels
            self.rounding[rows] = np.abs(sums - levels * self._area_px).sum(axis=1)
            checkpoint(0)

    def bounds(self, one: int, others: slice | Places) -> NDArray[np.int32]:
        """Lower bounds of the sums of pixels' differences."""
        differences = sums_of_differences(self.levels_u8[others], self.levels_u8[one])
        rounding = self.rounding[others] + self.rounding[one]
        return np.asarray(differences * self._area_px - rounding)


def _portions(rows: NDArray[Any]) -> list[slice]:
    return [slice(at, at + _ROWS_AT_ONCE) for at in range(0, len(rows), _ROWS_AT_ONCE)]


def _main_axes(bgr_counts: NDArray[np.uint32], checkpoint: Checkpoint) -> NDArray[np.float64]:
    """(3, 256, axes): of each channel's roots, those along which they are longest."""
    moments = np.zeros((3, 256, 256))
    for rows in _portions(bgr_counts):
        planes = _planes(bgr_counts[rows])
        moments += planes.transpose(0, 2, 1) @ planes
        checkpoint(0)
    longest = 256 - _AXES, 255
    return np.stack([scipy.linalg.eigh(one, subset_by_index=longest)[1] for one in moments])


def _reduced(planes: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, axes + 1, n): each channel's roots along the axes, and the length of the rest."""
    along = planes @ axes
    rest = np.square(planes).sum(axis=2) - np.square(along).sum(axis=2)
    lengths = np.sqrt(np.maximum(rest, 0.0))
    return np.concatenate([along, lengths[:, :, None]], axis=2).transpose(0, 2, 1)


def _bounds(overlaps: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    return np.asarray(distances_from_overlap(overlaps + np.float32(_ROUNDING)).sum(axis=0))


def _planes(bgr_counts: NDArray[np.uint32]) -> NDArray[np.float64]:
    """(3, n, 256): square roots of each channel's shares."""
    roots = roots_of_shares(bgr_counts.reshape(-1, 256))
    return roots.reshape(-1, 3, 256).transpose(1, 0, 2)


def sums_of_differences(rows_u8: NDArray[np.uint8], row_u8: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(n,): the sum of absolute differences between each of the rows and one; on all cores."""
    distances, _ = cv2.batchDistance(rows_u8, row_u8[None], cv2.CV_32S, normType=cv2.NORM_L1, K=1)
    return np.asarray(distances, np.int32)[:, 0]


def swap_rows(rows: NDArray[Any], one: int, other: int) -> None:
    """Let two rows of an array change places."""
    if one != other:
        rows[[one, other]] = rows[[other, one]]
