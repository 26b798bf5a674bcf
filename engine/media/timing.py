"""When each frame of a video is shown, exactly: a constant rate, or a time stamp per frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

# Matroska rounds time stamps to 1 ms, so a constant rate shows itself only to within that.
ROUNDING_S = Fraction(1, 1000)


@dataclass(frozen=True)
class Timing:
    """`frames` frames; frame i (from 0) is shown `time_s(i)` after the first one.

    rate_hz: exact frame rate, None for a variable one. pts: time stamps from 0 in units of
    `time_base` (seconds), strictly rising; empty when the rate is constant.
    """

    frames: int
    rate_hz: Fraction | None
    time_base: Fraction
    pts: tuple[int, ...] = ()

    def stamp(self, index: int) -> int:
        """Frame `index`'s time in units of `time_base`."""
        return self.pts[index] if self.pts else index

    def time_s(self, index: int) -> Fraction:
        """When frame `index` is shown, in seconds after the first one."""
        return self.stamp(index) * self.time_base

    def part(self, span: range) -> Timing:
        """The timing of the frames `span` (in steps of 1, not empty) alone, from 0."""
        first = self.pts[span.start] if self.pts else 0
        stamps = tuple(stamp - first for stamp in self.pts[span.start : span.stop])
        return Timing(len(span), self.rate_hz, self.time_base, stamps)

    @property
    def last_frame_s(self) -> Fraction:
        """How long the last frame is shown: as long as the one before it; a single one of a
        variable rate for 1/25 s."""
        return self._last_ticks * self.time_base

    def longer(self, more: int) -> Timing:
        """With `more` frames behind the last one, each shown as long as that one."""
        begin, ticks = (self.pts or (0,))[-1], self._last_ticks
        stamps = [begin + ticks * number for number in range(1, more + 1)] if self.pts else []
        return Timing(self.frames + more, self.rate_hz, self.time_base, (*self.pts, *stamps))

    @property
    def _last_ticks(self) -> int:
        if not self.pts:
            return 1
        if len(self.pts) == 1:
            return max(1, round(1 / (25 * self.time_base)))
        return self.pts[-1] - self.pts[-2]


def constant(frames: int, rate_hz: Fraction) -> Timing:
    """`frames` frames at a constant rate."""
    return Timing(frames, rate_hz, 1 / rate_hz)


def timing_of(pts: Sequence[int], time_base: Fraction, rates_hz: Iterable[Fraction]) -> Timing:
    """The timing of frames with the presentation stamps `pts` (units of `time_base`).

    It is constant if one of the container's claims `rates_hz` agrees with every stamp to within
    a tick or a millisecond; else the stamps themselves are kept.
    """
    for rate_hz in rates_hz:
        if rate_hz > 0 and _agrees(pts, time_base, rate_hz):
            return constant(len(pts), rate_hz)
    return Timing(len(pts), None, time_base, _rising(pts))


def _agrees(pts: Sequence[int], time_base: Fraction, rate_hz: Fraction) -> bool:
    tolerance_s = max(time_base, ROUNDING_S)
    # Compared as whole numbers: |(p - p0) * tb - i / r| <= tol, times the common denominator.
    ticks = time_base * rate_hz
    limit = tolerance_s * rate_hz * ticks.denominator
    return all(
        abs((stamp - pts[0]) * ticks.numerator - index * ticks.denominator) <= limit
        for index, stamp in enumerate(pts)
    )


def _rising(pts: Sequence[int]) -> tuple[int, ...]:
    """From 0 and strictly rising: containers with broken stamps repeat some."""
    rising: list[int] = []
    for stamp in pts:
        shifted = stamp - pts[0]
        rising.append(shifted if not rising else max(shifted, rising[-1] + 1))
    return tuple(rising)


class Sampler:
    """Chooses frames so that at most `rate_hz` of each second are kept, none twice."""

    def __init__(self, rate_hz: Fraction) -> None:
        self._rate_hz = rate_hz
        self._last_slot = -1

    def keeps(self, time_s: Fraction) -> bool:
        """Whether the frame shown at `time_s` after the first one is the first of its slot."""
        slot = int((time_s + ROUNDING_S) * self._rate_hz)
        if slot <= self._last_slot:
            return False
        self._last_slot = slot
        return True
