"""A frame on its way to the screen, as plain data: the UI thread needs no numpy to handle it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

from tuiapp.graphics.quality import Quality
from tuiapp.graphics.terminal import TerminalGraphics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuiapp.graphics.blocks import CellGrid

    U8: TypeAlias = NDArray[np.uint8]

Rgb: TypeAlias = tuple[int, int, int]


class Fit(StrEnum):
    """How a picture fills its box. All but STRETCH keep its proportions."""

    CONTAIN = "contain"  # whole picture, as large as the box allows
    COVER = "cover"  # whole box, what sticks out is cut off
    STRETCH = "stretch"  # whole picture in the whole box
    ACTUAL = "actual"  # one picture pixel on one screen pixel, cut to the box


class Source:
    """A picture as it was given: pixels, or the bytes of a file, decoded when first needed."""

    def __init__(self, rgb_u8: U8 | None = None, encoded: bytes | None = None) -> None:
        self._rgb_u8 = rgb_u8
        self._encoded = encoded

    def rgb_u8(self) -> U8:
        """(h, w, 3) uint8. Raises InputError where the bytes are no picture."""
        if self._rgb_u8 is None:
            from tuiapp.graphics.decode import decode

            self._rgb_u8 = decode(self._encoded or b"")
            self._encoded = None
        return self._rgb_u8


@dataclass(frozen=True)
class Target:
    """Where and how a frame is to be shown. `row_spans`: the rows (first, last+1) that are free."""

    graphics: TerminalGraphics
    columns: int
    rows: int
    fit: Fit
    background_rgb: Rgb
    row_spans: tuple[tuple[int, int], ...]

    @property
    def geometry(self) -> tuple[str, int, int, int, int]:
        """All that must be the same for a frame's sequences to be drawn again."""
        graphics = self.graphics
        cell = (graphics.cell_width_px, graphics.cell_height_px)
        return (graphics.protocol, self.columns, self.rows, *cell)


@dataclass(frozen=True)
class Part:
    """A sequence to be written with the cursor at the picture's left, `first_row` rows down."""

    first_row: int
    last_row: int  # exclusive
    text: str


@dataclass(frozen=True)
class EncodedFrame:
    """What the UI thread writes. `prelude` is sent once, `parts` at every repaint.

    `canvas` is the whole box in pixels (None when drawn in characters); `picture_px` is
    (left, top, right, bottom) of the picture in it.
    """

    target: Target
    source: Source
    quality: Quality
    prelude: str
    parts: tuple[Part, ...]
    canvas: U8 | None
    grid: CellGrid | None
    encode_ms: float

    @property
    def encoded_bytes(self) -> int:
        return len(self.prelude) + sum(len(part.text) for part in self.parts)


def free_spans(rows: int, occupied: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Runs (first, last+1) of 0..rows-1 outside all `occupied` runs."""
    free = [True] * rows
    for first, last in occupied:
        for row in range(max(0, first), min(rows, last)):
            free[row] = False
    edges = [row for row in range(rows + 1) if ([*free, False])[row] != ([False, *free])[row]]
    return tuple(zip(edges[0::2], edges[1::2], strict=True))


def band_aligned(
    spans: tuple[tuple[int, int], ...], cell_height_px: int
) -> tuple[tuple[int, int], ...]:
    """Spans shortened to whole sixel bands of six pixels, so that no row is painted in part."""
    step = 6 // gcd(cell_height_px, 6)
    shortened = [(first, last - (last - first) % step) for first, last in spans]
    return tuple((first, last) for first, last in shortened if last > first)
