"""Chains: each face is followed by that of the remaining ones which is nearest (or farthest).

The whole faceset is one chain. A chain of n faces takes n * n / 2 comparisons.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.histograms import distances_from_overlap, roots_of_shares

# Distances from the row `index` to all rows from `start` on; of the shape (rows - start,).
Distances = Callable[[int, int], NDArray[np.float64]]
Checkpoint = Callable[[int], None]


def histogram_chain(bgr_counts: NDArray[np.uint32], checkpoint: Checkpoint) -> NDArray[np.intp]:
    """The order in which each picture is followed by the one of least distance, summed over the
    three channels. bgr_counts: (n, 3 * 256). Starts with the first."""
    planes = np.stack([roots_of_shares(counts) for counts in np.split(bgr_counts, 3, axis=1)])
    order = np.arange(len(bgr_counts))
    for last in range(len(order) - 1):
        overlaps = np.matmul(planes[:, last + 1 :], planes[:, last, :, None])[:, :, 0]
        nearest = last + 1 + int(distances_from_overlap(overlaps).sum(axis=0).argmin())
        for rows in (order, *planes):
            _swap(rows, last + 1, nearest)
        checkpoint(last + 1)
    return order


def pixel_chain(
    pictures_u8: NDArray[np.uint8], *, similar: bool, checkpoint: Checkpoint
) -> NDArray[np.intp]:
    """The order in which each picture is followed by the nearest (or, not `similar`, the farthest)
    by the sum of absolute differences. pictures_u8: (n, values), reordered in place. Starts with
    the first."""
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


def _swap(rows: NDArray[np.generic], first: int, second: int) -> None:
    if first != second:
        rows[[first, second]] = rows[[second, first]]
