"""Losses over iterations as lines of braille dots, with both axes labelled.

Raw losses are faint: each column of dots shows the least and the greatest value that fall into it,
so spikes stay visible however many points there are. The smoothed ones are bold, drawn over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from engine.protocol.history import Mark
from tuiapp.widgets.braille import Canvas
from tuiapp.widgets.loss_colours import FAINT, loss_colour, mark_colour

if TYPE_CHECKING:  # numpy comes with the first losses, not with the app
    import numpy as np
    from numpy.typing import NDArray

    from tuiapp.bridge.loss_curves import Curve, Curves, LossWindow, Scale

_LABEL_CELLS = 7
_AXIS_ROWS = 1
_LEAST_WIDTH = _LABEL_CELLS + 4
_LEAST_HEIGHT = _AXIS_ROWS + 1


class LossChart(Widget):
    """Draws what `show` gives it."""

    DEFAULT_CSS = "LossChart { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._window: LossWindow | None = None
        self._log = False
        self._marks: Sequence[Mark] = ()
        self._chosen: Mark | None = None
        self._rows: list[list[Segment]] | None = None

    def show(
        self,
        window: LossWindow,
        *,
        log: bool = False,
        marks: Sequence[Mark] = (),
        chosen: Mark | None = None,
    ) -> None:
        """Show these losses; `log` with a logarithmic value axis. Of `marks` those are drawn that
        lie between the first and the last iteration, `chosen` more clearly."""
        self._window, self._log, self._marks, self._chosen = window, log, marks, chosen
        self._rows = None
        self.refresh()

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

    def _drawn(self) -> list[list[Segment]]:
        width, height = self.size
        base = self.visual_style.rich_style
        if self._window is None or not len(self._window):
            return []
        if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return []
        curves = self._window.curves((width - _LABEL_CELLS) * 2)
        if not curves.curves:
            return [[Segment("no finite losses"[:width], base + Style(dim=True))]]
        return self._plot(curves, height - _AXIS_ROWS, base)

    def _plot(self, curves: Curves, plot_rows: int, base: Style) -> list[list[Segment]]:
        from tuiapp.bridge.loss_curves import scale_of

        scale = scale_of(curves, self._log)
        count = len(curves.curves)
        canvas = Canvas(curves.columns // 2, plot_rows, first_bold=count)
        for number, curve in enumerate(curves.curves):
            _trace_raw(canvas, curve, scale, number)
        for number, curve in enumerate(curves.curves):
            _trace_smooth(canvas, curve, scale, count + number)
        styles = self._styles(curves, base)
        uprights = self._uprights(curves, base)
        labels = _row_labels(scale, plot_rows)
        rows = [
            [Segment(labels[row], base), *canvas.segments(row, styles, base, uprights)]
            for row in range(plot_rows)
        ]
        return [*rows, [Segment(iteration_axis(curves.first, curves.last, self.size.width), base)]]

    def _styles(self, curves: Curves, base: Style) -> list[Style]:
        """Of the raw curves, then of the smoothed ones."""
        variables, window = self.app.get_css_variables(), self._window
        names = window.names if window else ()
        colours = [loss_colour(variables, c.name, names.index(c.name)) for c in curves.curves]
        ground = self.background_colors[1]
        faint = [ground.blend(colour, FAINT) for colour in colours]
        return [base + _coloured(colour) for colour in (*faint, *colours)]

    def _uprights(self, curves: Curves, base: Style) -> dict[int, Segment]:
        variables = self.app.get_css_variables()
        found: dict[int, Segment] = {}
        for mark in self._marks:
            if curves.first <= mark.iteration <= curves.last:
                sign = "│" if mark == self._chosen else "┊"
                style = base + _coloured(mark_colour(variables, mark.kind))
                found[curves.column_of(mark.iteration) // 2] = Segment(sign, style)
        return found


def _coloured(colour: Color) -> Style:
    return Style(color=colour.hex6)


def _trace_raw(canvas: Canvas, curve: Curve, scale: Scale, number: int) -> None:
    """Joins the extremes of each dot column with those of the column before."""
    before: tuple[int, int] | None = None
    ends = zip(_dots(canvas, curve.low, scale), _dots(canvas, curve.high, scale), strict=True)
    for column, (low, high) in zip(curve.at.tolist(), ends, strict=True):
        near, far = (low, high) if before is None or before[1] >= low else (high, low)
        canvas.line(before or (column, near), (column, near), number)
        canvas.line((column, near), (column, far), number)
        before = (column, far)


def _trace_smooth(canvas: Canvas, curve: Curve, scale: Scale, number: int) -> None:
    heights = _dots(canvas, curve.smooth, scale)
    points = list(zip(curve.at.tolist(), heights, strict=True))
    for before, point in zip([points[0], *points], points, strict=False):
        canvas.line(before, point, number)


def _dots(canvas: Canvas, values: NDArray[np.float64], scale: Scale) -> list[int]:
    """Values as rows of dots, counted from the top."""
    rows = (1.0 - scale.heights(values)) * (canvas.height_dots - 1)
    return [round(row) for row in rows.tolist()]


def _row_labels(scale: Scale, rows: int) -> list[str]:
    """The greatest value at the top, the least at the bottom, the middle where there is room."""
    labels = [" " * (_LABEL_CELLS - 1) + "│"] * rows
    named = {0: 1.0, rows - 1: 0.0} if rows > 1 else {0: 1.0}
    if rows >= 7:
        middle = rows // 2
        named[middle] = 1.0 - middle / (rows - 1)
    for row, height in named.items():
        labels[row] = f"{short_number(scale.value_at(height)):>{_LABEL_CELLS - 1}}┤"
    return labels


def short_number(value: float) -> str:
    """A number in at most six cells."""
    for digits in (4, 3, 2, 1):
        text = f"{value:.{digits}g}"
        if len(text) <= _LABEL_CELLS - 1:
            return text
    return f"{value:.0e}"[: _LABEL_CELLS - 1]


def iteration_axis(first: int, last: int, width: int) -> str:
    """The first iteration at the left, the last one at the right."""
    left, right = f"{first:,}".replace(",", " "), f"{last:,}".replace(",", " ")
    room = width - _LABEL_CELLS
    gap = room - len(left) - len(right)
    text = f"{left}{' ' * gap}{right}" if gap >= 1 else right[-room:].rjust(room)
    return " " * _LABEL_CELLS + text
