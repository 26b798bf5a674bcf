"""Many pictures in one: a page of tiles on whole character cells, with a cursor and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuiapp.graphics.frame import Rgb

U8 = NDArray[np.uint8]


@dataclass(frozen=True)
class SheetLayout:
    """Where tiles lie: `columns` x `rows` of them, each a rectangle of whole cells. The room that
    is left over at the right and below stays empty."""

    columns: int
    rows: int
    tile_cells: tuple[int, int]
    box_cells: tuple[int, int]
    cell_px: tuple[int, int]

    @property
    def count(self) -> int:
        return self.columns * self.rows

    @property
    def tile_px(self) -> tuple[int, int]:
        return self.tile_cells[0] * self.cell_px[0], self.tile_cells[1] * self.cell_px[1]

    @property
    def margin_px(self) -> tuple[int, int]:
        """Around each picture: half a cell, so that frames are also seen in block characters."""
        return self.cell_px[0] // 2, self.cell_px[1] // 2

    @property
    def picture_px(self) -> int:
        """The edge of the square that a tile's picture gets."""
        margin_x, margin_y = self.margin_px
        return max(1, min(self.tile_px[0] - 2 * margin_x, self.tile_px[1] - 2 * margin_y))

    def tile_at(self, column_cell: int, row_cell: int) -> int | None:
        """Which tile lies under a cell of the box; None beside them."""
        column, row = column_cell // self.tile_cells[0], row_cell // self.tile_cells[1]
        inside = 0 <= column < self.columns and 0 <= row < self.rows
        return row * self.columns + column if inside else None


def sheet_layout(
    box_cells: tuple[int, int], wish_cells: tuple[int, int], cell_px: tuple[int, int]
) -> SheetLayout:
    """As many tiles of at least the wished size (in cells, like the box) as fit, at least one; the
    columns share the whole width."""
    width, height = max(1, box_cells[0]), max(1, box_cells[1])
    columns, rows = max(1, width // wish_cells[0]), max(1, height // wish_cells[1])
    tile = (width // columns, height // rows)
    return SheetLayout(columns, rows, tile, (width, height), cell_px)


@dataclass(frozen=True)
class SheetColours:
    """What frames and empty places are drawn in."""

    background: Rgb
    empty: Rgb
    cursor: Rgb
    marked: Rgb


def compose_sheet(
    layout: SheetLayout,
    pictures: Sequence[U8 | None],
    colours: SheetColours,
    cursor: int | None,
    marked: Mapping[int, bool],
) -> U8:
    """(box height, box width, 3) uint8 RGB with the page's pictures; None is one that is not there
    yet. The cursor's tile has a frame all round. `marked` tiles have bars above and below; with
    False (a range that is being chosen) only below."""
    height, width = layout.box_cells[1] * layout.cell_px[1], layout.box_cells[0] * layout.cell_px[0]
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = colours.background
    for place, picture in enumerate(pictures[: layout.count]):
        tile = _tile_of(sheet, layout, place)
        _fill_frame(tile, layout, colours, place == cursor, marked.get(place))
        _put(tile, layout, picture, colours.empty)
    return sheet


def _tile_of(sheet: U8, layout: SheetLayout, place: int) -> U8:
    row, column = divmod(place, layout.columns)
    width, height = layout.tile_px
    return sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]


def _fill_frame(
    tile: U8, layout: SheetLayout, colours: SheetColours, is_cursor: bool, mark: bool | None
) -> None:
    margin_x, margin_y = layout.margin_px
    if is_cursor:
        tile[:] = colours.cursor
    if mark is not None:
        inside = slice(margin_x, -margin_x) if is_cursor else slice(None)
        tile[-margin_y:, inside] = colours.marked
        if mark:
            tile[:margin_y, inside] = colours.marked
    tile[margin_y:-margin_y, margin_x:-margin_x] = colours.background


def _put(tile: U8, layout: SheetLayout, picture: U8 | None, empty: Rgb) -> None:
    edge = layout.picture_px
    left, top = (tile.shape[1] - edge) // 2, (tile.shape[0] - edge) // 2
    place = tile[top : top + edge, left : left + edge]
    place[:] = empty if picture is None else picture


def tile_picture(square_rgb_u8: U8, edge_px: int) -> U8:
    """A square picture (n, n, 3) at the size of a tile's."""
    if len(square_rgb_u8) == edge_px:
        return square_rgb_u8
    image = Image.fromarray(square_rgb_u8)
    return np.asarray(image.resize((edge_px, edge_px), Image.Resampling.BILINEAR, reducing_gap=2.0))


def crossed_out(edge_px: int, colours: SheetColours) -> U8:
    """What stands for a file that is no picture: two diagonals."""
    picture = np.empty((edge_px, edge_px, 3), np.uint8)
    picture[:] = colours.empty
    across = np.arange(edge_px)
    for shift in range(-(edge_px // 24), edge_px // 24 + 1):
        down = (across + shift).clip(0, edge_px - 1)
        picture[down, across] = picture[down, edge_px - 1 - across] = colours.marked
    return picture
