"""How much landmarks shake, before and after: lines for people, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.smoothing import Floats
from engine.media.images import write_image
from engine.protocol.stage import StageContext
from engine.stages.landmarks_smooth.plan import SmoothingPlan, TrackChange

NAMED_AT_MOST = 20
_DRAWN_AT_MOST = 6
_LINE_STEPS = "▁▂▃▄▅▆▇█"
_LINE_WIDTH = 16
_ROW_WH_PX = (960, 110)
_TEXT_PX = 26
_BACKGROUND, _GREY, _BEFORE, _AFTER = (24, 22, 20), (150, 150, 150), (90, 130, 255), (120, 220, 120)


def tell_jitter(context: StageContext, plan: SmoothingPlan, frames: Sequence[Path]) -> None:
    """A note per face, the longest seen first, with a line over its frames before and after; and a
    picture of the same."""
    context.note(
        "jitter: how landmarks accelerate from frame to frame, in % of the distance of the eyes"
        " (brows, nose, eyes, mouth / jaw)"
    )
    for number, change in enumerate(plan.tracks[:NAMED_AT_MOST], start=1):
        context.note(f"face {number}: {track_line(change, frames)}")
    left = len(plan.tracks) - NAMED_AT_MOST
    if left > 0:
        context.note(f"and {left} faces that are seen for fewer frames")
    path = context.run_dir / "jitter.png"
    write_image(path, jitter_picture(plan.tracks, frames))
    context.preview("jitter", path, 0)


def track_line(change: TrackChange, frames: Sequence[Path]) -> str:
    """`00001 to 00130, 130 frames: 0.37 / 0.52 -> 0.06 / 0.07  ▃▅▂ -> ▁▁▁`"""
    first, last = (frames[int(change.track.frames[end])].stem for end in (0, -1))
    before, after = change.before, change.after
    highest = _highest(change)
    return (
        f"{first} to {last}, {len(change.track.rows)} frames:"
        f" {before.inner_pct:.2f} / {before.jaw_pct:.2f} -> {after.inner_pct:.2f} /"
        f" {after.jaw_pct:.2f}  {_line(change.shaking_before, highest)} ->"
        f" {_line(change.shaking_after, highest)}"
    )


def mean_jitter(plan: SmoothingPlan) -> tuple[float, float]:
    """The rms over all tracks' frames, before and after, of brows, nose, eyes and mouth, in %."""
    weights = np.array([change.before.frames for change in plan.tracks], np.float64)
    if not weights.sum():
        return 0.0, 0.0
    squares = [[change.before.inner_pct**2, change.after.inner_pct**2] for change in plan.tracks]
    before, after = np.sqrt(np.average(squares, axis=0, weights=weights)).tolist()
    return before, after


def jitter_picture(tracks: Sequence[TrackChange], frames: Sequence[Path]) -> NDArray[np.uint8]:
    """(h, 960, 3) uint8 BGR: a chart for each of the longest tracks, before in red, after green."""
    rows = [_chart(change, frames) for change in tracks[:_DRAWN_AT_MOST]]
    return np.vstack(rows)


def _chart(change: TrackChange, frames: Sequence[Path]) -> NDArray[np.uint8]:
    width, height = _ROW_WH_PX
    row = np.full((height, width, 3), _BACKGROUND, np.uint8)
    highest = _highest(change)
    for values, colour in ((change.shaking_before, _BEFORE), (change.shaking_after, _AFTER)):
        _plot(row[_TEXT_PX:], change, values / highest, colour)
    first, last = (frames[int(change.track.frames[end])].stem for end in (0, -1))
    text = (
        f"{first} to {last}: {change.before.inner_pct:.2f} % -> {change.after.inner_pct:.2f} %"
        f"   (top: {highest:.2f} %)"
    )
    # OpenCV's letters are ASCII.
    shown = text.encode("ascii", "replace").decode()
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(row, shown, (6, 18), font, 0.5, _GREY, 1, cv2.LINE_AA)
    return row


def _plot(
    area: NDArray[np.uint8], change: TrackChange, parts: Floats, colour: tuple[int, int, int]
) -> None:
    height, width = area.shape[:2]
    seen = np.flatnonzero(np.isfinite(parts))
    along = change.track.frames - change.track.frames[0]
    x = along[seen] / max(1, int(along[-1])) * (width - 1)
    y = (1 - np.clip(parts[seen], 0, 1)) * (height - 2)
    points = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(area, [points], False, colour, 1, cv2.LINE_AA)


def _highest(change: TrackChange) -> float:
    values = change.shaking_before[np.isfinite(change.shaking_before)]
    # One blink would leave all the rest at the bottom.
    return max(float(np.percentile(values, 95)) if len(values) else 0.0, 1e-3)


def _line(values: Floats, highest: float) -> str:
    """The values over time as bars of one line."""
    bars = []
    for part in np.array_split(values, min(_LINE_WIDTH, len(values))):
        known = part[np.isfinite(part)]
        level = float(np.sqrt((known**2).mean())) / highest if len(known) else 0.0
        bars.append(_LINE_STEPS[min(int(level * len(_LINE_STEPS)), len(_LINE_STEPS) - 1)])
    return "".join(bars)
