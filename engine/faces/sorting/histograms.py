"""How alike pictures are by their histograms: Bhattacharyya distances, 0 alike to 1 disjoint.

With p and q scaled to sum 1 the distance is sqrt(1 - sum(sqrt(p * q))), so that a matrix product of
square roots gives many at once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

Roots = NDArray[np.float64]  # (n, bins): square roots of shares; each row's squares add up to 1

_ROWS_AT_ONCE = 1024  # bounds memory: 8 bytes a distance, squared
_CERTAIN_DECIMALS = 6


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
    totals = np.zeros(len(roots))
    starts = range(0, len(roots), _ROWS_AT_ONCE)
    pairs = list(combinations_with_replacement(starts, 2))
    for done, (start, other) in enumerate(pairs, 1):
        rows, columns = (slice(at, at + _ROWS_AT_ONCE) for at in (start, other))
        distances = distances_from_overlap(roots[rows] @ roots[columns].T)
        if start == other:
            np.fill_diagonal(distances, 0.0)
        else:
            totals[columns] += distances.sum(axis=0)
        totals[rows] += distances.sum(axis=1)
        checkpoint(len(roots) * done // len(pairs))
    # Equal histograms come out unequal by some 1e-8: a product of matrices may add up in any order,
    # and the root of what then lacks to 1 is the larger.
    return np.round(totals, _CERTAIN_DECIMALS)


def distances_from_overlap(overlap: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Distances where the sums of sqrt(p * q) are known."""
    apart = np.maximum(1.0 - overlap, 0.0)
    return np.asarray(np.sqrt(apart, out=apart))
