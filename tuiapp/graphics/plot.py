"""Loss curves in pixels: drawn by Pillow at twice the size and shrunk, so that lines are smooth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tuiapp.bridge.loss_curves import Curve, Curves, Scale, scale_of
from tuiapp.graphics.frame import Rgb

U8 = NDArray[np.uint8]

_OVERSAMPLED = 2
_LABEL_CHARACTERS = 6
_FONT_SHARE = 0.72  # of a character cell's height: what terminals' own text looks like
_GRID_LINES = 5
_LINE_PX = 1.6


@dataclass(frozen=True)
class PlotColours:
    """`raw` and `smooth` by the curve's name."""

    background: Rgb
    text: Rgb
    grid: Rgb
    raw: dict[str, Rgb]
    smooth: dict[str, Rgb]


@dataclass(frozen=True)
class PlotMark:
    """An upright line at an iteration."""

    iteration: int
    colour: Rgb
    is_chosen: bool


@dataclass(frozen=True)
class _Frame:
    """Where curves are drawn, in pixels of the enlarged picture."""

    left: int
    top: int
    right: int
    bottom: int

    def x(self, column: float, columns: int) -> float:
        return self.left + column / max(1, columns - 1) * (self.right - self.left)

    def y(self, height: float) -> float:
        return self.bottom - height * (self.bottom - self.top)


def plot_columns(size_px: tuple[int, int], cell_height_px: int) -> int:
    """How many columns of values a plot of (width, height) pixels has room for."""
    return max(2, size_px[0] - _label_width_px(cell_height_px))


def draw_plot(
    curves: Curves,
    size_px: tuple[int, int],
    cell_height_px: int,
    colours: PlotColours,
    *,
    log: bool,
    marks: Sequence[PlotMark],
) -> U8:
    """(height, width, 3) uint8 RGB of `curves`, of which there is at least one; `cell_height_px` is
    that of the terminal's characters, whose size the labels have."""
    width, height = (_OVERSAMPLED * edge for edge in size_px)
    image = Image.new("RGB", (width, height), colours.background)
    draw = ImageDraw.Draw(image)
    font = _font(round(_OVERSAMPLED * cell_height_px * _FONT_SHARE))
    margin = _OVERSAMPLED * cell_height_px // 2
    frame = _Frame(
        _OVERSAMPLED * _label_width_px(cell_height_px), margin, width - 4, height - 3 * margin
    )
    scale = scale_of(curves, log)
    _draw_values(draw, frame, scale, colours, font)
    _draw_iterations(draw, frame, curves, colours, font)
    _draw_marks(draw, frame, curves, [mark for mark in marks if not mark.is_chosen])
    for curve in curves.curves:
        _draw_raw(draw, frame, curve, curves.columns, scale, colours.raw[curve.name])
    for curve in curves.curves:
        _draw_smooth(draw, frame, curve, curves.columns, scale, colours.smooth[curve.name])
    _draw_marks(draw, frame, curves, [mark for mark in marks if mark.is_chosen])
    return np.asarray(image.resize(size_px, Image.Resampling.BOX))


def _label_width_px(cell_height_px: int) -> int:
    return round(cell_height_px * _FONT_SHARE * 0.62 * _LABEL_CHARACTERS)


@lru_cache(maxsize=8)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _draw_values(
    draw: ImageDraw.ImageDraw, frame: _Frame, scale: Scale, colours: PlotColours, font: _Font
) -> None:
    for value in value_ticks(scale):
        y = frame.y(float(scale.heights(np.array([value]))[0]))
        draw.line((frame.left, y, frame.right, y), colours.grid, _OVERSAMPLED)
        draw.text((frame.left - 8, y), f"{value:g}", colours.text, font, anchor="rm")


def _draw_iterations(
    draw: ImageDraw.ImageDraw, frame: _Frame, curves: Curves, colours: PlotColours, font: _Font
) -> None:
    width = frame.right - frame.left
    room = draw.textlength("0 000 000", font) * 1.6
    for iteration in iteration_ticks(curves.first, curves.last, max(2, int(width / room))):
        x = frame.x(curves.column_of(iteration), curves.columns)
        draw.line((x, frame.top, x, frame.bottom), colours.grid, _OVERSAMPLED)
        text = f"{iteration:,}".replace(",", " ")
        half = draw.textlength(text, font) / 2
        middle = min(max(x, frame.left + half), frame.right - half)
        draw.text((middle, frame.bottom + 6), text, colours.text, font, anchor="mt")


def _draw_marks(
    draw: ImageDraw.ImageDraw, frame: _Frame, curves: Curves, marks: Sequence[PlotMark]
) -> None:
    dash = 4 * _OVERSAMPLED
    for mark in marks:
        if not curves.first <= mark.iteration <= curves.last:
            continue
        x = frame.x(curves.column_of(mark.iteration), curves.columns)
        if mark.is_chosen:
            draw.line((x, frame.top, x, frame.bottom), mark.colour, _OVERSAMPLED)
        else:
            for y in range(frame.top, frame.bottom, 2 * dash):
                draw.line((x, y, x, min(y + dash, frame.bottom)), mark.colour, _OVERSAMPLED)
        point = (x, frame.top + dash)
        draw.polygon(
            [(x - dash, frame.top - dash), (x + dash, frame.top - dash), point], mark.colour
        )


def _draw_raw(
    draw: ImageDraw.ImageDraw, frame: _Frame, curve: Curve, columns: int, scale: Scale, colour: Rgb
) -> None:
    """Upright strokes from the least to the greatest value, joined from column to column."""
    points: list[tuple[float, float]] = []
    lows, highs = scale.heights(curve.low).tolist(), scale.heights(curve.high).tolist()
    for column, low, high in zip(curve.at.tolist(), lows, highs, strict=True):
        x = frame.x(column, columns)
        points += [(x, frame.y(low)), (x, frame.y(high))]
    draw.line(points, colour, _OVERSAMPLED)


def _draw_smooth(
    draw: ImageDraw.ImageDraw, frame: _Frame, curve: Curve, columns: int, scale: Scale, colour: Rgb
) -> None:
    heights = scale.heights(curve.smooth).tolist()
    pairs = zip(curve.at.tolist(), heights, strict=True)
    points = [(frame.x(column, columns), frame.y(height)) for column, height in pairs]
    if len(points) == 1:
        x, y = points[0]
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
    else:
        draw.line(points, colour, round(_LINE_PX * _OVERSAMPLED), joint="curve")


def value_ticks(scale: Scale) -> list[float]:
    """Round values that lie on the axis; powers of ten and their double and fivefold if `log`."""
    if not scale.log:
        return _round_steps(scale.low, scale.high, _GRID_LINES)
    decades = range(math.floor(scale.low), math.ceil(scale.high) + 1)
    wanted = (1, 2, 5) if len(decades) <= _GRID_LINES else (1,)
    values = [factor * 10.0**decade for decade in decades for factor in wanted]
    return [value for value in values if scale.low <= math.log10(value) <= scale.high]


def iteration_ticks(first: int, last: int, count: int) -> list[int]:
    """At most about `count` round iterations from `first` to `last`."""
    if last - first < 2:
        return [first]
    return sorted({round(step) for step in _round_steps(first, last, count)})


def _round_steps(low: float, high: float, count: int) -> list[float]:
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]
