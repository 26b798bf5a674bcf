from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.train.orders import EvenOverBins, ShuffledRounds, yaw_bins

SEEDS = (5, 0)


def drawn(order, count, first=0):
    return [order.at(place) for place in range(first, first + count)]


def test_every_number_comes_once_per_round_and_each_round_is_another():
    order = ShuffledRounds(7, SEEDS)
    rounds = [tuple(drawn(order, 7, 7 * number)) for number in range(6)]
    assert all(sorted(one) == list(range(7)) for one in rounds)
    assert len(set(rounds)) == 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: ShuffledRounds(5, SEEDS),
        lambda: EvenOverBins([np.array([0, 3]), np.array([1]), np.array([2, 4, 5])], SEEDS),
    ],
)
def test_a_place_far_ahead_is_the_same_whether_reached_step_by_step_or_at_once(make):
    walked = drawn(make(), 200)
    order = make()
    assert [order.at(place) for place in reversed(range(200))][::-1] == walked
    assert make().at(3_000_000_000) == order.at(3_000_000_000)


def test_bins_come_equally_often_and_so_do_the_faces_of_a_bin():
    bins = [np.array([4]), np.array([0, 1, 2, 3]), np.array([5, 6])]
    counts = Counter(drawn(EvenOverBins(bins, SEEDS), 3 * 4 * 10))
    assert counts == {4: 40, 5: 20, 6: 20, 0: 10, 1: 10, 2: 10, 3: 10}


def test_every_bin_comes_once_per_round():
    bins = [np.array([0, 1]), np.array([2, 3, 4]), np.array([5])]
    order = EvenOverBins(bins, SEEDS)
    bin_of = [0, 0, 1, 1, 1, 2]
    for number in range(20):
        assert sorted(bin_of[face] for face in drawn(order, 3, 3 * number)) == [0, 1, 2]


def test_yaws_fall_into_128_bins_whose_outermost_are_open():
    width = 2.4 / 128
    yaws = np.array([-1.5, -1.2, 0.0, width / 2, 1.19999, 1.4, -width / 2, -1.2 + width / 2])
    bins = [sorted(faces.tolist()) for faces in yaw_bins(yaws)]
    assert bins == [[0, 1, 7], [6], [2, 3], [4, 5]]


def test_no_bin_is_empty_and_every_face_is_in_one():
    yaws = np.random.default_rng(0).normal(0, 0.4, 500)
    bins = yaw_bins(yaws)
    assert all(len(faces) for faces in bins)
    assert sorted(np.concatenate(bins).tolist()) == list(range(500))
