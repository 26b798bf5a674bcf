from __future__ import annotations

from array import array

import numpy as np
import pytest

from engine.protocol.loss_columns import LossColumns
from tuiapp.bridge.loss_curves import window_of
from tuiapp.bridge.loss_history import LossHistory

NAMES = ("src", "dst")


def filled(count: int) -> LossHistory:
    history = LossHistory()
    for iteration in range(1, count + 1):
        history.add(iteration, (float(iteration), 1.0))
    return history


def columns(first: int, last: int, value: float) -> LossColumns:
    iterations = array("q", range(first, last + 1))
    return LossColumns(2, iterations, array("f", [value] * 2 * len(iterations)))


def test_points_that_are_known_already_do_no_harm() -> None:
    history = filled(10)
    for iteration in (8, 9, 10):
        history.add(iteration, (float(iteration), 1.0))
    assert list(history.iterations) == list(range(1, 11))


def test_a_training_that_was_rolled_back_draws_its_new_course() -> None:
    history = filled(10)
    history.add(6, (0.5, 0.5))
    assert list(history.iterations) == [1, 2, 3, 4, 5, 6]
    assert list(history.losses[-2:]) == [0.5, 0.5]


def test_what_the_disk_says_takes_the_place_of_what_was_heard_and_newer_points_stay() -> None:
    history = filled(10)
    history.put(columns(3, 8, 0.25))
    assert list(history.iterations) == list(range(1, 11))
    assert list(history.losses[::2]) == [1, 2, *[0.25] * 6, 9, 10]


def test_points_that_nobody_heard_of_are_filled_in() -> None:
    history = LossHistory()
    history.add(9, (9.0, 9.0))
    history.put(columns(1, 8, 0.5))
    assert list(history.iterations) == list(range(1, 10))


def test_a_window_shows_the_last_iterations() -> None:
    window = window_of(filled(100), NAMES, 20)
    assert (len(window), window.first, window.last) == (20, 81, 100)
    assert len(window_of(filled(100), NAMES, None)) == 100


def test_losses_of_another_model_are_not_shown_under_wrong_names() -> None:
    assert len(window_of(filled(5), ("src",), None)) == 0


def test_curves_keep_the_extremes_and_the_mean_of_every_column() -> None:
    history = LossHistory()
    values = np.random.default_rng(1).random(10_000)
    for iteration, value in enumerate(values):
        history.add(iteration, (float(value), 0.0))
    curve = window_of(history, NAMES, None).curves(50).curves[0]
    assert list(curve.at) == list(range(50))
    column = np.rint(np.arange(10_000) / 9_999 * 49)
    for n in (1, 25, 48):
        inside = values[column == n]
        assert curve.low[n] == pytest.approx(inside.min())
        assert curve.high[n] == pytest.approx(inside.max())
    assert curve.smooth.std() < values.std() / 10
    assert curve.smooth.mean() == pytest.approx(0.5, abs=0.02)
