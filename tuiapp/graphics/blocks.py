"""Pictures made of block characters: for each cell the two colours and the glyph that fit best.

Works in every terminal whose font has the block elements; the quadrant glyphs are in all common
fonts, sextants are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuiapp.graphics.terminal import Colours

U8 = NDArray[np.uint8]

# Bit 0 upper left, 1 upper right, 2 lower left, 3 lower right is the foreground. A glyph and its
# complement differ only by swapped colours, so the eight masks without bit 3 suffice.
QUADRANT_GLYPHS = " ▘▝▀▖▌▞▛"
HALF_GLYPHS = " ▀"


@dataclass(frozen=True)
class CellGrid:
    """`glyph` (rows, columns) indexes `glyphs`; `fore_rgb_u8` and `back_rgb_u8` (rows, columns, 3).

    With fewer colours than truecolor, `fore_index` and `back_index` name terminal palette entries.
    """

    glyphs: str
    glyph: U8
    fore_rgb_u8: U8
    back_rgb_u8: U8
    fore_index: U8 | None = None
    back_index: U8 | None = None


def fit_quadrants(rgb_u8: U8, columns: int, rows: int, colours: Colours) -> CellGrid:
    """Best fit of a picture (h, w, 3) by 2x2 blocks a cell; least squares over all masks."""
    samples = _resized(rgb_u8, columns * 2, rows * 2)
    cells = samples.reshape(rows, 2, columns, 2, 3).swapaxes(1, 2).reshape(-1, 4, 3)
    pixels = cells.astype(np.float32)
    total = pixels.sum(1)
    weights = _quadrant_masks()
    fore_sum = np.einsum("mk,nkc->mnc", weights, pixels)
    fore_count = weights.sum(1)[:, None, None]
    fore = fore_sum / np.maximum(fore_count, 1)
    back = (total - fore_sum) / (4 - fore_count)
    # Maximal sum of squares of the means is minimal squared error.
    gain = (fore * fore * fore_count + back * back * (4 - fore_count)).sum(-1)
    best = gain.argmax(0)
    at = np.arange(len(best))
    shape = (rows, columns, 3)
    return _coloured(
        QUADRANT_GLYPHS,
        best.astype(np.uint8).reshape(rows, columns),
        _rounded(fore[best, at]).reshape(shape),
        _rounded(back[best, at]).reshape(shape),
        colours,
    )


def fit_halves(rgb_u8: U8, columns: int, rows: int, colours: Colours) -> CellGrid:
    """A picture (h, w, 3) by an upper and a lower half a cell."""
    samples = _resized(rgb_u8, columns, rows * 2)
    glyph = np.ones((rows, columns), np.uint8)
    return _coloured(HALF_GLYPHS, glyph, samples[0::2], samples[1::2], colours)


def _resized(rgb_u8: U8, width_px: int, height_px: int) -> U8:
    if rgb_u8.shape[:2] == (height_px, width_px):
        return rgb_u8
    image = Image.fromarray(np.ascontiguousarray(rgb_u8))
    return np.asarray(image.resize((width_px, height_px), Image.Resampling.BOX))


@cache
def _quadrant_masks() -> NDArray[np.float32]:
    """(8, 4) float32, 1 where a quarter has the foreground colour."""
    bits = np.arange(8)[:, None] >> np.arange(4)[None, :]
    return (bits & 1).astype(np.float32)


def _rounded(values: NDArray[np.float32]) -> U8:
    return (values + 0.5).clip(0, 255).astype(np.uint8)


def _coloured(glyphs: str, glyph: U8, fore: U8, back: U8, colours: Colours) -> CellGrid:
    if colours is Colours.TRUECOLOR:
        return CellGrid(glyphs, glyph, fore, back)
    nearest, palette = _terminal_palette(colours)
    fore_index = nearest[_code(fore)]
    back_index = nearest[_code(back)]
    return CellGrid(glyphs, glyph, palette[fore_index], palette[back_index], fore_index, back_index)


def _code(rgb_u8: U8) -> NDArray[np.uint16]:
    high = (rgb_u8 >> 3).astype(np.uint16)
    return ((high[..., 0] << 10) | (high[..., 1] << 5) | high[..., 2]).astype(np.uint16)


@cache
def _terminal_palette(colours: Colours) -> tuple[U8, U8]:
    """The entry nearest to each 5-bit colour (32768,), and all 256 (or 16) colours (n, 3)."""
    palette = _xterm_palette()
    # The first 16 of 256 differ between terminals and themes: only the fixed ones are used.
    first = 16 if colours is Colours.PALETTE_256 else 0
    last = 256 if colours is Colours.PALETTE_256 else 16
    axis = np.arange(32, dtype=np.float32) * 8 + 3.5
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    choice = palette[first:last].astype(np.float32)
    distance = (choice * choice).sum(1) - 2.0 * (points @ choice.T)
    nearest = (distance.argmin(1) + first).astype(np.uint8)
    return nearest, palette


def _xterm_palette() -> U8:
    """(256, 3): xterm's standard 16, the 6x6x6 cube, 24 greys."""
    standard = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)]
    standard += [(0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)]
    standard += [(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)]
    standard += [(92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)]
    levels = (0, 95, 135, 175, 215, 255)
    cube = [(r, g, b) for r in levels for g in levels for b in levels]
    greys = [(8 + 10 * i,) * 3 for i in range(24)]
    return np.array(standard + cube + greys, np.uint8)
