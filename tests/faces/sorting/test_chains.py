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


def made_pictures(side_px: int) -> np.ndarray:
    """90 of 9 scenes with noise, and copies among them."""
    random = np.random.default_rng(2)
    scenes = random.integers(0, 256, (9, 4, 4, 3)).repeat(side_px // 4, 1).repeat(side_px // 4, 2)
    noisy = scenes[random.integers(0, 9, 90)] + random.normal(0, 3, (90, side_px, side_px, 3))
    pictures = np.clip(noisy, 0, 255).astype(np.uint8).reshape(90, -1)
    pictures[60:] = pictures[random.integers(0, 60, 30)]
    return pictures


@pytest.mark.parametrize("side_px", [16, 24, 64])
@pytest.mark.parametrize("similar", [True, False])
def test_a_chain_of_pictures_is_that_of_comparing_all(side_px: int, similar: bool) -> None:
    pictures = made_pictures(side_px).astype(int)
    order = list(range(90))
    for last in range(89):
        apart = np.abs(pictures[order[last + 1 :]] - pictures[order[last]]).sum(axis=1)
        chosen = last + 1 + int(apart.argmin() if similar else apart.argmax())
        order[last + 1], order[chosen] = order[chosen], order[last + 1]
    pictures_u8 = pictures.astype(np.uint8)
    assert pixel_chain(pictures_u8, similar=similar, checkpoint=ignore).tolist() == order


def test_a_stop_is_asked_for_at_every_face_and_while_a_chain_is_prepared() -> None:
    asked: list[int] = []
    histogram_chain(histograms(1100), asked.append)
    assert asked == [0] * 4 + list(range(1, 1100))


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


def test_equal_pictures_keep_their_order_when_sorted_by_unlikeness() -> None:
    counts = np.tile(histograms(300)[:, :256], (5, 1))
    order = np.argsort(-total_distances(counts), kind="stable")
    for places in order.reshape(300, 5):
        assert np.ptp(places % 300) == 0
        assert places.tolist() == sorted(places)


def test_the_more_faces_the_smaller_the_pictures_that_are_compared() -> None:
    sizes = [
        MEASURES[measures_for(["pixels"], faces)[0]].length
        for faces in (1, 1000, 10_000, 30_000, 10**6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == sizes[1] == 96 * 96 * 3
    assert sizes[-1] == 16 * 16 * 3
