"""A frame's characters as Textual strips, the layer that is there in every terminal."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tuiapp.graphics.encode import grid_of, has_unpainted_rest
from tuiapp.graphics.terminal import Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tuiapp.graphics.blocks import CellGrid
    from tuiapp.graphics.frame import EncodedFrame


def strips_of(frame: EncodedFrame, blank: Style) -> list[Strip]:
    """One strip a row of `frame`'s box; `blank` is the style of cells without picture."""
    if frame.grid is not None:
        return _strips(frame.grid)
    if frame.canvas is None:
        return []
    graphics = frame.target.graphics
    strips = _strips(grid_of(frame.canvas, frame.target, Protocol.QUADRANT, graphics.colours))
    if has_unpainted_rest(frame.target):
        # Below the pixels, a few pixel rows of this last row stay visible.
        strips[-1] = Strip.blank(frame.target.columns, blank)
    return strips


def _strips(grid: CellGrid) -> list[Strip]:
    fore, back = _packed(grid.fore_rgb_u8), _packed(grid.back_rgb_u8)
    rows = zip(grid.glyph.tolist(), fore.tolist(), back.tolist(), strict=True)
    return [_strip(grid.glyphs, *row) for row in rows]


def _strip(glyphs: str, glyph: list[int], fore: list[int], back: list[int]) -> Strip:
    segments = []
    cells = zip(fore, back, glyph, strict=True)
    for (fore_packed, back_packed), run in groupby(cells, lambda cell: cell[:2]):
        text = "".join(glyphs[index] for _, _, index in run)
        segments.append(Segment(text, _style(fore_packed, back_packed)))
    return Strip(segments, len(glyph))


def _packed(rgb_u8: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(h, w, 3) to (h, w) 0xRRGGBB."""
    wide = rgb_u8.astype(np.uint32)
    return ((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]).astype(np.uint32)


@lru_cache(maxsize=65536)
def _style(fore_packed: int, back_packed: int) -> Style:
    return Style.from_color(_colour(fore_packed), _colour(back_packed))


@lru_cache(maxsize=65536)
def _colour(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)
