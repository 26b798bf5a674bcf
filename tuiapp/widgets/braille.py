"""A canvas of braille dots, two by four a cell, each cell in the colour drawn last."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

_FIRST_CODE_POINT = 0x2800
# Unicode numbers the dots of a cell by columns, with the fourth row added later.
_DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """`columns` x `rows` cells; dots count from the upper left."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._bits = [[0] * columns for _ in range(rows)]
        self._series = [[-1] * columns for _ in range(rows)]

    @property
    def width_dots(self) -> int:
        return self.columns * 2

    @property
    def height_dots(self) -> int:
        return self.rows * 4

    def dot(self, x: int, y: int, series: int) -> None:
        """Sets one dot inside the canvas for the series of this number."""
        self._bits[y // 4][x // 2] |= _DOT_BITS[y % 4][x % 2]
        self._series[y // 4][x // 2] = series

    def line(self, start: tuple[int, int], end: tuple[int, int], series: int) -> None:
        """A straight line of dots, both ends included."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        for step in range(steps + 1):
            part = step / steps if steps else 0.0
            x = round(start[0] + (end[0] - start[0]) * part)
            y = round(start[1] + (end[1] - start[1]) * part)
            self.dot(x, y, series)

    def segments(self, row: int, styles: Sequence[Style], blank: Style) -> list[Segment]:
        """One row as text; `styles` by series number."""
        cells: list[Segment] = []
        for bits, series in zip(self._bits[row], self._series[row], strict=True):
            text = chr(_FIRST_CODE_POINT + bits) if bits else " "
            cells.append(Segment(text, styles[series] if bits else blank))
        return list(Segment.simplify(cells))
