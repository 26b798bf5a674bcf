"""The map of head angles: where dst has faces, and where src does not cover them."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tuiapp.bridge.coverage_table import (
    COLUMNS,
    PITCH_CELLS,
    ROWS,
    CoverageTable,
    Tally,
    degrees_text,
)
from tuiapp.bridge.report_entries import FaceChoice
from tuiapp.keymap import bindings

_CELL = 5  # characters wide: four digits and a sign
_NARROW_CELL = 4  # where there is no room for more: the figures then touch each other
_LABEL = 6


class CoverageMap(Widget, can_focus=True):
    """Draws a `CoverageTable`; its cursor moves by keys."""

    BINDINGS = bindings("map")
    DEFAULT_CSS = f"""
    CoverageMap {{
        height: {ROWS + 3};
        padding: 0 1;
        background: $surface;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }}
    """

    class Chosen(Message):
        """The faces of a place are to be seen."""

        def __init__(self, faces: FaceChoice) -> None:
            super().__init__()
            self.faces = faces

    def __init__(self, table: CoverageTable) -> None:
        super().__init__()
        self.table = table

    def render(self) -> Content:
        lines = [self._head(), *map(self._row, range(ROWS)), *self._words()]
        return Content("\n").join(lines)

    def _head(self) -> Content:
        degrees = [degrees_text(self.table.yaw_deg(column)) for column in range(COLUMNS)]
        if self._cell_width == _NARROW_CELL:
            degrees = [text.rstrip("°") for text in degrees]
        words = "".join(text.rjust(self._cell_width) for text in degrees)
        return Content.styled("yaw".ljust(_LABEL) + words, "dim")

    @property
    def _cell_width(self) -> int:
        fits = self.content_size.width >= _LABEL + COLUMNS * _CELL
        return _CELL if fits else _NARROW_CELL

    def _row(self, row: int) -> Content:
        label = degrees_text(self.table.pitch_deg(row))
        if row in (0, PITCH_CELLS * 2):
            label += "up" if row == 0 else "dn"
        cells = [self._cell(row, column) for column in range(COLUMNS)]
        return Content.assemble((label.ljust(_LABEL), "dim"), *cells)

    def _cell(self, row: int, column: int) -> tuple[str, str]:
        tally = self.table.tally(row, column)
        is_here = (row, column) == (self.table.row, self.table.column)
        text, style = _tally_text(tally).rjust(self._cell_width), _tally_style(tally)
        if is_here:
            style = f"{style} {'reverse' if self.has_focus else 'underline'}".strip()
        return text, style

    def _words(self) -> list[Content]:
        table = self.table
        narrowed = f"mouth {table.mouth} (m)  light {table.light} (b)"
        legend = "  12 dst covered  3! not covered  · only src"
        return [
            Content(table.current_words()),
            Content.assemble((narrowed, "$primary"), (legend, "dim")),
        ]

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, rows: int, columns: int) -> None:
        self.table.move(rows, columns)
        self.refresh()

    def action_choose(self) -> None:
        if self.table.current.dst:
            self.post_message(self.Chosen(self.table.current_faces()))


def _tally_text(tally: Tally) -> str:
    if tally.lacking:
        return f"{_short(tally.lacking)}!"
    if tally.dst:
        return _short(tally.dst)
    return "·" if tally.src else ""


def _tally_style(tally: Tally) -> str:
    if tally.lacking:
        return "bold $warning"
    return "$success" if tally.dst else "dim"


def _short(count: int) -> str:
    """At most three digits and a k."""
    return str(count) if count < 1000 else f"{min(999, count // 1000)}k"
