"""Chains: what follows what, whatever the number of faces."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faces.sorting.chains import histogram_chain, pixel_chain
from engine.faces.sorting.histograms import total_distances
from engine.faces.sorting.scores import MEASURES, measures_for


def ignore(done: int) -> None:
    """Nothing to stop, nothing to show."""


def histograms(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 99, (count, 768)).astype(np.uint32)


def test_each_histogram_is_followed_by_the_nearest_that_is_left() -> None:
    counts = histograms(30)
    order = histogram_chain(counts, ignore)
    assert sorted(order) == list(range(30))
    assert order[0] == 0
    shares = np.sqrt(counts.reshape(30, 3, 256) / counts.reshape(30, 3, 256).sum(2, keepdims=True))
    for place, row in enumerate(order[:-1]):
        left = order[place + 1 :]
        overlaps = (shares[left] * shares[row]).sum(axis=2)
        distances = np.sqrt(np.maximum(1 - overlaps, 0)).sum(axis=1)
        assert distances[0] == pytest.approx(distances.min(), abs=1e-12)


def test_equal_pictures_stay_side_by_side() -> None:
    counts = np.repeat(histograms(10), 3, axis=0)[np.random.default_rng(1).permutation(30)]
    order = histogram_chain(counts, ignore)
    groups = [counts[row].tobytes() for row in order]
    assert all(groups[at] == groups[at + 1] == groups[at + 2] for at in range(0, 30, 3))


def test_pixels_are_chained_by_the_least_or_the_largest_difference() -> None:
    levels = np.array([10, 200, 30, 90, 20], np.uint8)
    pictures = np.repeat(levels[:, None], 48, axis=1)
    near = levels[pixel_chain(pictures, similar=True, checkpoint=ignore)]
    far = levels[pixel_chain(pictures, similar=False, checkpoint=ignore)]
    assert near.tolist() == [10, 20, 30, 90, 200]
    assert far.tolist() == [10, 200, 20, 90, 30]


def test_total_distances_are_those_to_all_others_also_beyond_one_block() -> None:
    counts = histograms(1500)[:, :256]
    roots = np.sqrt(counts / counts.sum(axis=1, keepdims=True))
    for row in (0, 1023, 1024, 1499):
        distances = np.sqrt(np.maximum(1 - roots @ roots[row], 0))
        distances[row] = 0
        assert total_distances(counts)[row] == pytest.approx(distances.sum(), rel=1e-6)


def test_the_more_faces_the_smaller_the_pictures_that_are_compared() -> None:
    sizes = [
        MEASURES[measures_for(["pixels"], faces)[0]].length
        for faces in (1, 1000, 10_000, 30_000, 10**6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == sizes[1] == 96 * 96 * 3
    assert sizes[-1] == 16 * 16 * 3
