"""A few threads with a bound on what waits."""

from __future__ import annotations

import pytest

from engine.media.bounded_pool import BoundedPool


def test_every_call_is_made_before_the_block_is_left() -> None:
    made: list[int] = []
    with BoundedPool(3) as pool:
        for number in range(50):
            pool.submit(lambda number=number: made.append(number))
    assert sorted(made) == list(range(50))


def test_an_error_of_a_call_reaches_whoever_submits() -> None:
    def fail() -> None:
        raise RuntimeError("the disk bit me")

    with pytest.raises(RuntimeError, match="the disk bit me"), BoundedPool(1) as pool:
        for _ in range(10):
            pool.submit(fail)


def test_the_last_calls_error_is_raised_at_the_end() -> None:
    def fail() -> None:
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"), BoundedPool(2) as pool:
        pool.submit(fail)


def test_no_more_calls_wait_than_the_bound() -> None:
    waiting = []
    with BoundedPool(2) as pool:
        for _ in range(100):
            pool.submit(lambda: sum(range(100_000)) and None)
            waiting.append(pool.unfinished)
    assert max(waiting) <= 4  # two at work and two waiting
