from __future__ import annotations

import numpy as np
import pytest

from tuiapp.graphics.contact_sheet import (
    SheetColours,
    compose_sheet,
    crossed_out,
    sheet_layout,
    tile_picture,
)

COLOURS = SheetColours((1, 1, 1), (50, 50, 50), (200, 0, 0), (0, 0, 200))


def picture(edge_px: int) -> np.ndarray:
    return np.full((edge_px, edge_px, 3), 128, np.uint8)


@pytest.mark.parametrize("box", [(80, 18), (120, 34), (7, 3), (1, 1), (200, 54)])
@pytest.mark.parametrize("cell", [(4, 8), (10, 20), (7, 15)])
def test_a_sheet_fills_its_box_and_every_tile_lies_in_it(
    box: tuple[int, int], cell: tuple[int, int]
) -> None:
    layout = sheet_layout(box, (12, 6), cell)
    pictures = [picture(layout.picture_px)] * (layout.count + 3)
    sheet = compose_sheet(layout, pictures, COLOURS, 0, {layout.count - 1: True})
    assert sheet.shape == (box[1] * cell[1], box[0] * cell[0], 3)
    assert (sheet == 128).any()
    places = {layout.tile_at(x, y) for y in range(box[1]) for x in range(box[0])} - {None}
    assert places == set(range(layout.count))


def test_the_cursor_is_framed_all_round_and_marks_are_bars_above_and_below() -> None:
    layout = sheet_layout((24, 6), (12, 6), (4, 8))
    sheet = compose_sheet(layout, [None, None], COLOURS, 0, {1: True})
    for y, x in ((0, 0), (47, 0), (24, 0), (24, 47)):
        assert tuple(sheet[y, x]) == COLOURS.cursor
    assert tuple(sheet[0, 70]) == tuple(sheet[47, 70]) == COLOURS.marked
    assert tuple(sheet[24, 48]) == COLOURS.background
    assert tuple(sheet[24, 24]) == COLOURS.empty


def test_a_face_of_a_range_that_is_not_ended_has_its_bar_below_only() -> None:
    layout = sheet_layout((12, 6), (12, 6), (4, 8))
    sheet = compose_sheet(layout, [None], COLOURS, None, {0: False})
    assert tuple(sheet[47, 24]) == COLOURS.marked
    assert tuple(sheet[0, 24]) == COLOURS.background


def test_pictures_come_in_the_tiles_size_and_broken_ones_as_a_cross() -> None:
    assert tile_picture(picture(160), 40).shape == (40, 40, 3)
    cross = crossed_out(40, COLOURS)
    assert tuple(cross[20, 20]) == tuple(cross[0, 0]) == tuple(cross[0, 39]) == COLOURS.marked
    assert tuple(cross[20, 2]) == COLOURS.empty
