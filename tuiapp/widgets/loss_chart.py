"""Losses over iterations as lines of braille dots, with both axes labelled.

Each column of dots shows the least and the greatest value that fall into it, so spikes stay
visible however many points there are. Pure Python: a chart needs no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from engine.protocol.errors import UsageError
from tuiapp.widgets.braille import Canvas

_LABEL_CELLS = 7
_AXIS_ROWS = 1
_LEGEND_ROWS = 1
# More runs of points than the widest terminal has dot columns.
_RUNS_KEPT = 2000
_LEAST_WIDTH = _LABEL_CELLS + 4
_LEAST_HEIGHT = _AXIS_ROWS + _LEGEND_ROWS + 1
_DECADES_AT_MOST = 6  # below, log charts show noise: a loss of 0 would stretch the axis for ever
# Theme variables of the series by their names; others take the theme's own colours in turn.
_VARIABLES = {"src": "loss-src", "dst": "loss-dst"}
_FURTHER_VARIABLES = ("accent", "warning", "success", "error")


@dataclass(frozen=True)
class Series:
    """One line: its name and (iteration, value) points with finite values, in order."""

    name: str
    points: tuple[tuple[int, float], ...]


class LossChart(Widget):
    """Draws the series given by `set_series`; `log_scale` switches to a logarithmic value axis."""

    DEFAULT_CSS = "LossChart { height: 1fr; min-height: 3; width: 1fr; }"

    def __init__(
        self,
        *,
        log_scale: bool = False,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._log_scale = log_scale
        self._series: tuple[Series, ...] = ()
        self._rows: list[list[Segment]] | None = None

    @property
    def log_scale(self) -> bool:
        """True while the value axis is logarithmic."""
        return self._log_scale

    @log_scale.setter
    def log_scale(self, log_scale: bool) -> None:
        self._log_scale = log_scale
        self._redraw()

    def set_series(self, series: Mapping[str, Sequence[float]], iterations: Sequence[int]) -> None:
        """Shows for each name one value for each of `iterations` (ascending).

        Values that are not finite are left out. Raises UsageError where lengths differ.
        """
        for name, values in series.items():
            if len(values) != len(iterations):
                raise UsageError(
                    f"{len(values)} values of {name!r} for {len(iterations)} iterations",
                    "give one value of each series for each iteration",
                )
        self._series = tuple(
            Series(name, _finite_points(iterations, values)) for name, values in series.items()
        )
        self._redraw()

    def render_line(self, y: int) -> Strip:
        if self._rows is None:
            self._rows = self._drawn()
        width = self.size.width
        if y < len(self._rows):
            return Strip(self._rows[y]).adjust_cell_length(width, self.visual_style.rich_style)
        return Strip.blank(width, self.visual_style.rich_style)

    def on_resize(self) -> None:
        self._rows = None

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._rows = None

    def _redraw(self) -> None:
        self._rows = None
        self.refresh()

    def _drawn(self) -> list[list[Segment]]:
        width, height = self.size
        base = self.visual_style.rich_style
        shown = [series for series in self._series if series.points]
        if not shown:
            return [[Segment("no losses yet"[:width], base + Style(dim=True))]]
        if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return [self._legend(base, width)]
        scale = _scale_of(shown, self._log_scale)
        plot_rows = height - _AXIS_ROWS - _LEGEND_ROWS
        canvas = Canvas(width - _LABEL_CELLS, plot_rows)
        first, last = _iteration_range(shown)
        for number, series in enumerate(shown):
            _trace(canvas, series, scale, (first, last), number)
        styles = [base + self._style_of(series.name, i) for i, series in enumerate(shown)]
        labels = _row_labels(scale, plot_rows)
        rows = [self._legend(base, width)]
        for row in range(plot_rows):
            rows.append([Segment(labels[row], base), *canvas.segments(row, styles, base)])
        rows.append([Segment(_iteration_axis(first, last, width), base)])
        return rows

    def _legend(self, base: Style, width: int) -> list[Segment]:
        segments: list[Segment] = []
        left = width
        for number, series in enumerate(self._series):
            if not series.points:
                continue
            text = f"━ {series.name} {series.points[-1][1]:.4g}  "
            segments.append(Segment(text[:left], base + self._style_of(series.name, number)))
            left -= min(left, len(text))
        if self._log_scale and left >= 3:
            segments.append(Segment("log", base + Style(dim=True)))
        return segments

    def _style_of(self, name: str, number: int) -> Style:
        further = _FURTHER_VARIABLES[number % len(_FURTHER_VARIABLES)]
        variables = self.app.get_css_variables()
        colour = variables.get(_VARIABLES.get(name, further)) or variables[further]
        return Style(color=_rich_colour(colour))


@dataclass(frozen=True)
class Scale:
    """The value axis: `low` at the bottom, `high` at the top, in logarithms of ten if `log`."""

    low: float
    high: float
    log: bool

    def height_of(self, value: float) -> float:
        """0 at the bottom to 1 at the top."""
        position = _position(value, self.log, self.low)
        return (position - self.low) / (self.high - self.low)

    def value_at(self, height: float) -> float:
        position = self.low + height * (self.high - self.low)
        return 10.0**position if self.log else position


def _rich_colour(colour: str) -> str:
    return Color.parse(colour).hex6


def _finite_points(
    iterations: Sequence[int], values: Sequence[float]
) -> tuple[tuple[int, float], ...]:
    """Points with finite values; of very many, the least and greatest of each run of them."""
    pairs = zip(iterations, values, strict=True)
    points = [pair for pair in pairs if math.isfinite(pair[1])]
    size = len(points) // _RUNS_KEPT
    if size <= 2:
        return tuple(points)
    kept: list[tuple[int, float]] = []
    for start in range(0, len(points), size):
        run = points[start : start + size]
        extremes = {min(run, key=_value_of), max(run, key=_value_of), run[-1]}
        kept += sorted(extremes)
    return tuple(kept)


_value_of = itemgetter(1)


def _iteration_range(shown: list[Series]) -> tuple[int, int]:
    return min(s.points[0][0] for s in shown), max(s.points[-1][0] for s in shown)


def _scale_of(shown: list[Series], log: bool) -> Scale:
    values = [value for series in shown for _, value in series.points]
    if log and max(values) > 0:
        high = math.log10(max(values))
        least = min(value for value in values if value > 0)
        return _widened(max(math.log10(least), high - _DECADES_AT_MOST), high, log=True)
    return _widened(min(values), max(values), log=False)


def _widened(low: float, high: float, *, log: bool) -> Scale:
    """A scale of some height even where all values are the same."""
    if high - low < 1e-12 * max(1.0, abs(high)):
        margin = 0.5 if log else max(abs(high) * 0.5, 0.5)
        return Scale(low - margin, high + margin, log)
    return Scale(low, high, log)


def _position(value: float, log: bool, low: float) -> float:
    if not log:
        return value
    return max(low, math.log10(value)) if value > 0 else low


def _trace(
    canvas: Canvas, series: Series, scale: Scale, iterations: tuple[int, int], number: int
) -> None:
    """Joins the extremes of each dot column with those of the column before."""
    before: tuple[int, int] | None = None
    for column, extremes in _columns(series.points, iterations, canvas.width_dots).items():
        for value in extremes:
            height = min(1.0, max(0.0, scale.height_of(value)))
            dot = (column, round((1.0 - height) * (canvas.height_dots - 1)))
            canvas.line(before or dot, dot, number)
            before = dot


def _columns(
    points: Sequence[tuple[int, float]], iterations: tuple[int, int], width_dots: int
) -> dict[int, tuple[float, ...]]:
    """At most two values for each dot column: the least and the greatest, in order of time."""
    first, last = iterations
    columns: dict[int, tuple[float, ...]] = {}
    span = max(1, last - first)
    for iteration, value in points:
        column = round((iteration - first) / span * (width_dots - 1))
        seen = columns.get(column)
        if seen is None:
            columns[column] = (value,)
        elif value < min(seen):
            columns[column] = (max(seen), value)
        elif value > max(seen):
            columns[column] = (min(seen), value)
    return columns


def _row_labels(scale: Scale, rows: int) -> list[str]:
    """The greatest value at the top, the least at the bottom, the middle where there is room."""
    labels = [" " * (_LABEL_CELLS - 1) + "│"] * rows
    named = {0: 1.0, rows - 1: 0.0} if rows > 1 else {0: 1.0}
    if rows >= 7:
        middle = rows // 2
        named[middle] = 1.0 - middle / (rows - 1)
    for row, height in named.items():
        labels[row] = f"{_short(scale.value_at(height)):>{_LABEL_CELLS - 1}}┤"
    return labels


def _short(value: float) -> str:
    """A number in at most six cells."""
    for digits in (4, 3, 2, 1):
        text = f"{value:.{digits}g}"
        if len(text) <= _LABEL_CELLS - 1:
            return text
    return f"{value:.0e}"[: _LABEL_CELLS - 1]


def _iteration_axis(first: int, last: int, width: int) -> str:
    left, right = f"{first:,}", f"{last:,}"
    room = width - _LABEL_CELLS
    gap = room - len(left) - len(right)
    text = f"{left}{' ' * gap}{right}" if gap >= 1 else right[-room:].rjust(room)
    return " " * _LABEL_CELLS + text
