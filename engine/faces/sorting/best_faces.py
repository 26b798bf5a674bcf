"""The best faces: about so many as wanted, spread over how the head is turned, sharp, and unlike
each other.

Yaw bins get equal shares. Each keeps its sharpest (or largest) faces, which are spread over pitch
bins; from these they are taken in turn, most unusual first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.histograms import total_distances
from engine.faces.sorting.ranking import Checkpoint, Ranking, SortSettings, indices
from engine.faces.sorting.scores import MeasuredFaces

_YAW_BINS = 128
_LARGEST_YAW_RAD = 1.2
_LEAST_SHARE = 3  # a third of the target at least
_CANDIDATES_PER_FACE = 10  # so many of a yaw bin's sharpest faces compete for one place
_NO_FACE = "it has no face metadata"
_NOT_CHOSEN = "better or more unlike faces are there for this pose"

Rows = NDArray[np.intp]


def best_faces(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint, *, quality: str
) -> Ranking:
    """Rank by yaw bins from the picture's left to its right. quality: the measure of which a face
    should have much."""
    pitch_rad, yaw_rad = faces.column("pitch_yaw_rad").T
    usable = np.isfinite(yaw_rad) & np.isfinite(faces.column(quality))
    yaw_bins = _yaw_bins(yaw_rad, np.flatnonzero(usable), settings.target)
    wanted = _wanted_per_bin(yaw_bins, settings.target)
    chosen: list[int] = []
    for done, rows in enumerate(yaw_bins):
        sharpest = _descending(rows, faces.column(quality)[rows])[: wanted * _CANDIDATES_PER_FACE]
        pitch_bins = _binned(sharpest, pitch_rad[sharpest], -np.pi / 2, np.pi / 2, wanted)
        unusual_first = [_most_unusual_first(faces, bin_rows) for bin_rows in pitch_bins]
        chosen += list(_in_turn(unusual_first))[:wanted]
        checkpoint(len(faces) * (done + 1) // len(yaw_bins))
    kept = set(chosen)
    unchosen = {row: _NOT_CHOSEN for row in indices(np.flatnonzero(usable)) if row not in kept}
    return Ranking(
        tuple(chosen), dict.fromkeys(indices(np.flatnonzero(~usable)), _NO_FACE) | unchosen
    )


def _yaw_bins(yaw_rad: NDArray[np.float64], rows: Rows, target: int) -> list[Rows]:
    """128 bins, or where DeepFaceLab's rule would leave a bin no face at all (targets up to 64) as
    many bins as faces are wanted."""
    bins = _YAW_BINS if round(target / _YAW_BINS) else target
    return _binned(rows, -yaw_rad[rows], -_LARGEST_YAW_RAD, _LARGEST_YAW_RAD, bins)


def _wanted_per_bin(bins: Sequence[Rows], target: int) -> int:
    """DeepFaceLab's share of the target; where that would keep far too few, the largest with which
    no more than the target are kept."""
    sizes = [len(rows) for rows in bins]
    share = max(1, round(target / len(bins)))
    # It shares what short bins leave over among all bins, the short ones as well: of faces that all
    # look the same way, one in a hundred of the target is kept.
    share += sum(max(0, share - size) for size in sizes) // len(bins)
    is_enough = _kept(sizes, share) * _LEAST_SHARE >= min(target, sum(sizes))
    if is_enough and len(bins) == _YAW_BINS:
        return share
    shares = range(1, max(sizes) + 1)
    return max(1, bisect_right(shares, target, key=lambda share: _kept(sizes, share)))


def _kept(sizes: Sequence[int], share: int) -> int:
    return sum(min(size, share) for size in sizes)


def _binned(
    rows: Rows, values: NDArray[np.float64], lowest: float, highest: float, bins: int
) -> list[Rows]:
    """The rows by value; `bins` lower edges are spread evenly over lowest..highest, and the first
    bin takes all that is below the second's."""
    upper_edges = np.linspace(lowest, highest, bins)[1:]
    numbers = np.searchsorted(upper_edges, values, side="right")
    return [rows[numbers == number] for number in range(bins)]


def _descending(rows: Rows, values: NDArray[np.float64]) -> Rows:
    return rows[np.argsort(-values, kind="stable")]


def _most_unusual_first(faces: MeasuredFaces, rows: Rows) -> tuple[int, ...]:
    if len(rows) < 2:
        return indices(rows)
    return indices(_descending(rows, total_distances(faces.column("grey_histogram")[rows])))


def _in_turn(bins: Sequence[Sequence[int]]) -> Iterator[int]:
    """The first of every bin, then the second of every bin, and so on."""
    for place in range(max((len(rows) for rows in bins), default=0)):
        yield from (rows[place] for rows in bins if place < len(rows))
