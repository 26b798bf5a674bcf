"""Which frames are rendered: all, or from one to another by number or time."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from engine.media.timing import ROUNDING_S, Timing
from engine.protocol.errors import UsageError
from engine.protocol.options import TimeCode


def span_of(options: Mapping[str, Any], timing: Timing) -> range:
    """The frames from `first` to `last`, both included, counted from 0. Raises `UsageError` where
    the video has no such frame, or the last comes before the first."""
    first = _index(options, "first", timing) if options["first"] else 0
    last = _index(options, "last", timing) if options["last"] else timing.frames - 1
    if last < first:
        raise UsageError(
            f"--first {options['first'] or 1} --last {options['last']}: the last frame comes before"
            " the first",
            "give --last a later frame, or leave it out to render to the end",
        )
    return range(first, last + 1)


def _index(options: Mapping[str, Any], name: str, timing: Timing) -> int:
    """Of the frame with that number (from 1, as their files are), or shown at that time."""
    text = options[name]
    if re.fullmatch(r"\d+", text):
        index = int(text) - 1
    else:
        time_s = Fraction(str(TimeCode().parse(text)))
        index = bisect_right(range(timing.frames), time_s + ROUNDING_S, key=timing.time_s) - 1
        if time_s >= _end_s(timing):
            index = timing.frames
    if not 0 <= index < timing.frames:
        raise UsageError(
            f"--{name} {text}: the video has the frames 1 to {timing.frames} and ends at"
            f" {float(_end_s(timing)):.3f} s",
            f"give --{name} a frame or time within it",
            code="option-value",
        )
    return index


def _end_s(timing: Timing) -> Fraction:
    """When the last frame ends: it is shown as long as the one before it."""
    last = timing.frames - 1
    if timing.rate_hz is not None or not last:
        return timing.time_s(last) + (1 / timing.rate_hz if timing.rate_hz else 1)
    return 2 * timing.time_s(last) - timing.time_s(last - 1)
