"""How fast work goes, as viewers are told."""

from __future__ import annotations

import pytest

from engine.runtime.host import context as context_module
from engine.runtime.host.context import _Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the pace sees, in seconds."""
    now = [100.0]
    monkeypatch.setattr(context_module.time, "monotonic", lambda: now[0])
    return now


def rates(pace: _Pace, clock: list[float], *, first: int, count: int, each_s: float) -> float:
    """The last rate of `count` units that take `each_s` each."""
    rate = None
    for done in range(first, first + count):
        clock[0] += each_s
        rate = pace.rate(done)
    assert rate is not None
    return rate


def test_a_unit_after_which_the_rate_is_measured_anew_does_not_count(clock: list[float]) -> None:
    pace = _Pace()
    assert rates(pace, clock, first=1, count=20, each_s=0.5) == pytest.approx(2.0)
    clock[0] += 15.0  # it compiled
    pace.begin_anew()
    assert pace.rate(21) is None
    assert rates(pace, clock, first=22, count=10, each_s=0.25) == pytest.approx(4.0)


def test_without_that_a_long_unit_counts(clock: list[float]) -> None:
    pace = _Pace()
    rates(pace, clock, first=1, count=20, each_s=0.5)
    clock[0] += 15.0
    pace.rate(21)
    assert rates(pace, clock, first=22, count=4, each_s=0.25) < 1.0
