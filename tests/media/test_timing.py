"""Constant or variable, and exact."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.media.timing import Sampler, timing_of

NTSC_HZ = Fraction(30000, 1001)
MILLISECOND_S = Fraction(1, 1000)


@given(st.integers(2, 2000), st.sampled_from([NTSC_HZ, Fraction(24000, 1001), Fraction(25)]))
def test_a_constant_rate_shows_through_stamps_rounded_to_milliseconds(
    frames: int, rate_hz: Fraction
) -> None:
    stamps = [round(index / rate_hz * 1000) for index in range(frames)]
    assert timing_of(stamps, MILLISECOND_S, [rate_hz]).rate_hz == rate_hz


def test_a_wrong_claim_is_not_believed_and_the_next_one_tried() -> None:
    stamps = [index * 1001 for index in range(100)]
    timing = timing_of(stamps, Fraction(1, 30000), [Fraction(60), NTSC_HZ])
    assert timing.rate_hz == NTSC_HZ


def test_one_frame_out_of_step_makes_the_rate_variable() -> None:
    stamps = [index * 40 for index in range(50)]
    stamps[20] += 10
    timing = timing_of(stamps, MILLISECOND_S, [Fraction(25)])
    assert timing.rate_hz is None
    assert timing.pts == tuple(stamps)


def test_stamps_that_repeat_are_told_apart_by_a_tick() -> None:
    timing = timing_of([7, 7, 7, 107], MILLISECOND_S, [Fraction(25)])
    assert timing.pts == (0, 1, 2, 100)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=200), st.integers(1, 60))
def test_no_second_keeps_more_frames_than_asked_for(durations_ms: list[int], rate_hz: int) -> None:
    sampler = Sampler(Fraction(rate_hz))
    times_s = [Fraction(sum(durations_ms[:index]), 1000) for index in range(len(durations_ms))]
    kept_s = [time_s for time_s in times_s if sampler.keeps(time_s)]
    assert kept_s[0] == 0
    assert len(kept_s) <= rate_hz * (times_s[-1] + MILLISECOND_S) + 1


def test_half_the_frames_are_every_other_frame_whatever_the_rounding() -> None:
    sampler = Sampler(Fraction(15))
    times_s = [Fraction(round(index * 1000 / 30), 1000) for index in range(300)]
    kept = [index for index, time_s in enumerate(times_s) if sampler.keeps(time_s)]
    assert kept == list(range(0, 300, 2))
