"""A canvas of braille dots, two by four a cell, each cell in the colour drawn last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.segment import Segment
from rich.style import Style

_FIRST_CODE_POINT = 0x2800
# Unicode numbers the dots of a cell by columns, with the fourth row added later.
_DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """`columns` x `rows` cells; dots count from the upper left. Of the series' numbers, those from
    `first_bold` on are bold: the first bold dot in a cell takes the place of all faint ones."""

    def __init__(self, columns: int, rows: int, first_bold: int = 0) -> None:
        self.columns = columns
        self.rows = rows
        self._first_bold = first_bold
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
        row, column = y // 4, x // 2
        if self._series[row][column] < self._first_bold <= series:
            self._bits[row][column] = 0
        self._bits[row][column] |= _DOT_BITS[y % 4][x % 2]
        self._series[row][column] = series

    def line(self, start: tuple[int, int], end: tuple[int, int], series: int) -> None:
        """A straight line of dots, both ends included."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        for step in range(steps + 1):
            part = step / steps if steps else 0.0
            x = round(start[0] + (end[0] - start[0]) * part)
            y = round(start[1] + (end[1] - start[1]) * part)
            self.dot(x, y, series)

    def segments(
        self, row: int, styles: Sequence[Style], blank: Style, uprights: Mapping[int, Segment]
    ) -> list[Segment]:
        """One row as text; `styles` by series number, `uprights` what stands in columns of cells
        that are empty."""
        cells: list[Segment] = []
        cells_of_row = zip(self._bits[row], self._series[row], strict=True)
        for column, (bits, series) in enumerate(cells_of_row):
            if bits:
                cells.append(Segment(chr(_FIRST_CODE_POINT + bits), styles[series]))
            else:
                cells.append(uprights.get(column) or Segment(" ", blank))
        return list(Segment.simplify(cells))
