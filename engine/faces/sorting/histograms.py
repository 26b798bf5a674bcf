"""How alike pictures are by their histograms: Bhattacharyya distances, 0 alike to 1 disjoint.

With p and q scaled to sum 1 the distance is sqrt(1 - sum(sqrt(p * q))), so that a matrix product of
square roots gives many at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Roots = NDArray[np.float64]  # (n, bins): square roots of shares; each row's squares add up to 1

_ROWS_AT_ONCE = 1024  # bounds memory: 8 bytes a distance


def roots_of_shares(counts: NDArray[np.uint32]) -> Roots:
    """The form in which histograms (n, bins) are compared."""
    sums = counts.sum(axis=1, keepdims=True, dtype=np.float64)
    return np.asarray(np.sqrt(counts / np.maximum(sums, 1.0)), np.float64)


def total_distances(
    counts: NDArray[np.uint32], checkpoint: Callable[[int], None] = lambda done: None
) -> NDArray[np.float64]:
    """(n,): each histogram's distances to all others added up. checkpoint: called with the number
    done so far."""
    roots = roots_of_shares(counts)
    totals = np.empty(len(roots))
    for start in range(0, len(roots), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        distances = distances_from_overlap(roots[rows] @ roots.T)
        distances[np.arange(len(distances)), start + np.arange(len(distances))] = 0.0
        totals[rows] = distances.sum(axis=1)
        checkpoint(start + len(distances))
    return totals


def distances_from_overlap(overlap: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Distances where the sums of sqrt(p * q) are known."""
    return np.asarray(np.sqrt(np.maximum(1.0 - overlap, 0.0)))
