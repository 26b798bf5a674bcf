"""Chains: each face is followed by that of the remaining ones which is nearest (or farthest).

The whole faceset is one chain. A chain of n faces takes n * n / 2 comparisons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.histograms import distances_from_overlap, roots_of_shares

Checkpoint = Callable[[int], None]

_ROUNDING = 1e-2


def histogram_chain(bgr_counts: NDArray[np.uint32], checkpoint: Checkpoint) -> NDArray[np.intp]:
    """The order in which each picture is followed by the one of least distance, summed over the
    three channels. bgr_counts: (n, 3 * 256). Starts with the first."""
    bgr_counts = bgr_counts.copy()  # reordered, so that what is left stays in one piece
    planes = _planes(bgr_counts).astype(np.float32)
    order = np.arange(len(bgr_counts))
    for last in range(len(order) - 1):
        # Rounding moves distances by 3e-3 at most; what is so near the nearest is looked at again.
        rough = _distances(planes[:, last + 1 :], planes[:, last])
        candidates = last + 1 + np.flatnonzero(rough <= rough.min() + _ROUNDING)
        exact = _distances(_planes(bgr_counts[candidates]), _planes(bgr_counts[[last]])[:, 0])
        nearest = int(candidates[exact.argmin()])
        for rows in (order, bgr_counts, *planes):
            _swap(rows, last + 1, nearest)
        checkpoint(last + 1)
    return order


def pixel_chain(
    pictures_u8: NDArray[np.uint8], *, similar: bool, checkpoint: Checkpoint
) -> NDArray[np.intp]:
    """The order in which each picture is followed by the nearest (or, not `similar`, the farthest)
    by the sum of absolute differences. pictures_u8: (n, values). Starts with the first."""
    pictures_u8 = pictures_u8.copy()
    order = np.arange(len(pictures_u8))
    choose = np.argmin if similar else np.argmax
    for last in range(len(order) - 1):
        differences = _sums_of_differences(pictures_u8[last + 1 :], pictures_u8[last])
        chosen = last + 1 + int(choose(differences))
        for rows in (order, pictures_u8):
            _swap(rows, last + 1, chosen)
        checkpoint(last + 1)
    return order


def _sums_of_differences(
    rows_u8: NDArray[np.uint8], row_u8: NDArray[np.uint8]
) -> NDArray[np.int32]:
    """(n,): the sum of absolute differences between each of the rows and one; on all cores."""
    distances, _ = cv2.batchDistance(rows_u8, row_u8[None], cv2.CV_32S, normType=cv2.NORM_L1, K=1)
    return np.asarray(distances, np.int32)[:, 0]


def _planes(bgr_counts: NDArray[np.uint32]) -> NDArray[np.float64]:
    """(3, n, 256): square roots of each channel's shares."""
    return np.stack([roots_of_shares(counts) for counts in np.split(bgr_counts, 3, axis=1)])


def _distances(
    planes: NDArray[np.floating[Any]], plane: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """(n,): distances between (3, n, 256) and (3, 256), summed over channels."""
    # Not a matrix product: BLAS spreads these over threads, which is slower where cores are busy.
    overlaps = np.einsum("cnb,cb->cn", planes, plane)
    return np.asarray(distances_from_overlap(overlaps).sum(axis=0))


def _swap(rows: NDArray[np.generic], first: int, second: int) -> None:
    if first != second:
        rows[[first, second]] = rows[[second, first]]
