from __future__ import annotations

import pytest

from tuiapp.bridge.loss_series import MAX_BUCKETS, RECENT_KEPT, LossSeries, columns


def filled(count: int) -> LossSeries:
    series = LossSeries()
    for iteration in range(1, count + 1):
        series.add(iteration, (float(iteration), 1.0))
    return series


def test_few_points_are_kept_as_they_came() -> None:
    assert filled(3).all_points() == [(1, (1.0, 1.0)), (2, (2.0, 1.0)), (3, (3.0, 1.0))]


def test_many_points_stay_bounded_and_keep_the_course() -> None:
    series = filled(50_000)
    points = series.all_points()
    assert MAX_BUCKETS / 2 <= len(points) <= MAX_BUCKETS
    assert points[-1][0] == 50_000
    for iteration, (first, second) in points:
        assert first == pytest.approx(iteration, abs=64)
        assert second == pytest.approx(1.0)


def test_the_last_points_are_kept_one_by_one() -> None:
    recent = filled(50_000).recent_points()
    assert len(recent) == RECENT_KEPT
    assert recent[-1] == (50_000, (50_000.0, 1.0))


def test_points_that_are_known_already_do_no_harm() -> None:
    series = filled(10)
    for iteration in (8, 9, 10):
        series.add(iteration, (float(iteration), 1.0))
    assert [point[0] for point in series.all_points()] == list(range(1, 11))
    assert [point[0] for point in series.recent_points()] == list(range(1, 11))


def test_a_training_that_was_rolled_back_draws_its_new_course() -> None:
    series = filled(10)
    series.add(6, (0.5, 0.5))
    assert [point[0] for point in series.all_points()] == [1, 2, 3, 4, 5, 6]
    assert series.all_points()[-1] == (6, (0.5, 0.5))


def test_columns_name_the_values_and_leave_out_points_of_another_model() -> None:
    series, iterations = columns(("src", "dst"), [(1, (0.5, 0.25)), (2, (1.0,)), (3, (0.4, 0.2))])
    assert series == {"src": [0.5, 0.4], "dst": [0.25, 0.2]}
    assert iterations == [1, 3]
