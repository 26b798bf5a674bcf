import numpy as np
import pytest

from tuiapp.graphics.blocks import CellGrid, fit_halves, fit_quadrants
from tuiapp.graphics.terminal import Colours

# Which quarters of its cell a glyph fills: upper left, upper right, lower left, lower right.
FILLED = {
    " ": (0, 0, 0, 0),
    "▘": (1, 0, 0, 0),
    "▝": (0, 1, 0, 0),
    "▀": (1, 1, 0, 0),
    "▖": (0, 0, 1, 0),
    "▌": (1, 0, 1, 0),
    "▞": (0, 1, 1, 0),
    "▛": (1, 1, 1, 0),
}


def drawn(grid: CellGrid) -> np.ndarray:
    """The grid as a picture of two by two pixels a cell."""
    rows, columns = grid.glyph.shape
    picture = np.zeros((rows * 2, columns * 2, 3), np.uint8)
    for row in range(rows):
        for column in range(columns):
            filled = FILLED[grid.glyphs[grid.glyph[row, column]]]
            for quarter, is_fore in enumerate(filled):
                at = (row * 2 + quarter // 2, column * 2 + quarter % 2)
                fore, back = grid.fore_rgb_u8, grid.back_rgb_u8
                picture[at] = (fore if is_fore else back)[row, column]
    return picture


def test_cells_of_two_colours_are_drawn_exactly() -> None:
    rng = np.random.default_rng(3)
    pairs = rng.integers(0, 256, (5, 7, 2, 3)).astype(np.uint8)
    choice = rng.integers(0, 2, (5, 7, 4))
    cells = np.take_along_axis(pairs, choice[..., None], axis=2)
    picture = cells.reshape(5, 7, 2, 2, 3).swapaxes(1, 2).reshape(10, 14, 3)
    grid = fit_quadrants(picture, 7, 5, Colours.TRUECOLOR)
    assert np.array_equal(drawn(grid), picture)


def test_no_other_glyph_would_have_fitted_better() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    grid = fit_quadrants(picture, 4, 4, Colours.TRUECOLOR)
    error = ((drawn(grid).astype(float) - picture) ** 2).sum()
    best = 0.0
    for row in range(0, 8, 2):
        for column in range(0, 8, 2):
            cell = picture[row : row + 2, column : column + 2].reshape(4, 3).astype(float)
            best += min(_two_colour_error(cell, np.array(mask)) for mask in FILLED.values())
    assert error == pytest.approx(best, rel=0.01)


def _two_colour_error(cell: np.ndarray, mask: np.ndarray) -> float:
    parts = [cell[mask == side] for side in (0, 1)]
    return sum(float(((part - part.mean(0)) ** 2).sum()) for part in parts if len(part))


def test_half_blocks_show_one_pixel_above_another() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (6, 9, 3)).astype(np.uint8)
    grid = fit_halves(picture, 9, 3, Colours.TRUECOLOR)
    assert np.array_equal(drawn(grid)[:, ::2], picture)


@pytest.mark.parametrize(("colours", "most"), [(Colours.PALETTE_256, 240), (Colours.ANSI_16, 16)])
def test_fewer_colours_are_taken_from_the_terminal_s_palette(colours: Colours, most: int) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    grid = fit_quadrants(picture, 20, 20, colours)
    assert grid.fore_index is not None
    used = {tuple(colour) for colour in grid.fore_rgb_u8.reshape(-1, 3).tolist()}
    assert 1 < len(used) <= most
    assert grid.fore_index.min() >= (16 if colours is Colours.PALETTE_256 else 0)
