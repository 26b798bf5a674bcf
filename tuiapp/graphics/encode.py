"""One frame from picture to terminal sequences; runs in the encoder thread, never in the UI's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tuiapp.graphics import blocks, iterm2, kitty, sixel
from tuiapp.graphics.fit import compose
from tuiapp.graphics.frame import EncodedFrame, Part, Source, Target
from tuiapp.graphics.palette import PaletteCache
from tuiapp.graphics.quality import LADDER, Quality
from tuiapp.graphics.terminal import Colours, Protocol, TerminalGraphics

U8 = NDArray[np.uint8]

# tmux drops sequences above `input-buffer-size`, 1 MiB unless set otherwise.
_MAX_TMUX_BYTES = 900_000
# Characters need few samples: about this many a cell, with the cell's proportions.
_BLOCK_SAMPLE_WIDTH = 4


@dataclass
class Encoder:
    """Encodes for one view; keeps its palette. Used by one thread at a time."""

    kitty_ids: tuple[int, int] = (1, 2)
    palettes: PaletteCache = field(default_factory=PaletteCache)
    _turn: int = 0

    def encode(self, source: Source, target: Target, quality: Quality) -> EncodedFrame:
        """Raises InputError where the source is no picture."""
        started = time.perf_counter()
        canvas, prelude, parts, grid = self._drawn(source.rgb_u8(), target, quality)
        milliseconds = (time.perf_counter() - started) * 1000
        return EncodedFrame(target, source, quality, prelude, parts, canvas, grid, milliseconds)

    def _drawn(
        self, rgb_u8: U8, target: Target, quality: Quality
    ) -> tuple[U8 | None, str, tuple[Part, ...], blocks.CellGrid | None]:
        protocol = target.graphics.protocol
        if not protocol.has_pixels:
            return None, "", (), self._grid(rgb_u8, target)
        canvas = pixel_canvas(rgb_u8, target, quality.detail)
        if protocol is Protocol.KITTY:
            prelude, parts = self._kitty(canvas, target, quality)
            return canvas, prelude, parts, None
        if protocol is Protocol.ITERM2:
            return canvas, "", _iterm2_parts(canvas, target, quality), None
        return canvas, "", self._sixel_parts(canvas, target, quality), None

    def _grid(self, rgb_u8: U8, target: Target) -> blocks.CellGrid:
        graphics = target.graphics
        samples, _ = compose(rgb_u8, box_px(target), target.fit, target.background_rgb)
        return grid_of(samples, target, graphics.protocol, graphics.colours)

    def _kitty(self, canvas: U8, target: Target, quality: Quality) -> tuple[str, tuple[Part, ...]]:
        # kitty 0.41 lost pictures that were sent again under the same id: two ids take turns.
        self._turn = 1 - self._turn
        image_id = self.kitty_ids[self._turn]
        graphics = target.graphics
        prelude = kitty.transmission(
            _reduced(canvas, quality.detail),
            image_id,
            target.columns,
            target.rows,
            inside_tmux=graphics.inside_tmux,
        )
        truecolor = graphics.colours is Colours.TRUECOLOR
        parts = tuple(
            Part(
                row,
                row + 1,
                kitty.placeholder_row(image_id, row, target.columns, truecolor=truecolor),
            )
            for row in range(target.rows)
        )
        return prelude, parts

    def _sixel_parts(self, canvas: U8, target: Target, quality: Quality) -> tuple[Part, ...]:
        parts = self._sixels(canvas, target, quality)
        if not target.graphics.inside_tmux:
            return parts
        worse = LADDER[LADDER.index(quality) + 1 :] if quality in LADDER else ()
        for lower in worse:
            if sum(len(part.text) for part in parts) <= _MAX_TMUX_BYTES:
                break
            parts = self._sixels(canvas, target, lower)
        return parts

    def _sixels(self, canvas: U8, target: Target, quality: Quality) -> tuple[Part, ...]:
        colours = max(2, min(quality.colours, target.graphics.colour_registers))
        palette = self.palettes.palette_for(canvas, colours, target.background_rgb)
        cell = target.graphics.cell_height_px
        parts: list[Part] = []
        for first, last in target.row_spans:
            height = _whole_bands_px((last - first) * cell)
            if height:
                indices = palette.indices(canvas[first * cell : first * cell + height])
                text = sixel.encode_sixel(indices, palette.colours_rgb_u8)
                parts.append(Part(first, last, text))
        return tuple(parts)


def box_px(target: Target) -> tuple[int, int]:
    """Width and height of what a picture is fitted into: one of just this size is drawn as it is,
    from the top left corner on. Pixels of the screen, or samples that characters are made of."""
    cell = cell_box_px(target.graphics)
    height = target.rows * cell[1]
    if target.graphics.protocol.has_pixels:
        height = _usable_height_px(target, height)
    return target.columns * cell[0], height


def cell_box_px(graphics: TerminalGraphics) -> tuple[int, int]:
    """How much of the box one cell is."""
    width, height = graphics.cell_width_px, graphics.cell_height_px
    if graphics.protocol.has_pixels:
        return width, height
    return _BLOCK_SAMPLE_WIDTH, max(2, round(_BLOCK_SAMPLE_WIDTH * height / width))


def pixel_canvas(rgb_u8: U8, target: Target, detail: float) -> U8:
    """The box of `target` in pixels, (rows * cell height, columns * cell width, 3).

    The picture stays out of the rows at the bottom that sixel cannot paint.
    """
    graphics = target.graphics
    width = target.columns * graphics.cell_width_px
    height = target.rows * graphics.cell_height_px
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = target.background_rgb
    usable = box_px(target)
    if usable[1] > 0:
        canvas[: usable[1]], _ = compose(
            rgb_u8, usable, target.fit, target.background_rgb, detail=detail
        )
    return canvas


def _usable_height_px(target: Target, height_px: int) -> int:
    if not has_unpainted_rest(target):
        return height_px
    # tmux 3.5a paints the last band of a picture that ends within a cell in colour 0.
    lost = sixel.BAND_PX if target.graphics.inside_tmux else 0
    return _whole_bands_px(height_px) - lost


def has_unpainted_rest(target: Target) -> bool:
    """True where sixel cannot paint the last pixel rows of the box (no whole band of six)."""
    height = target.rows * target.graphics.cell_height_px
    return target.graphics.protocol is Protocol.SIXEL and height % sixel.BAND_PX != 0


def grid_of(rgb_u8: U8, target: Target, protocol: Protocol, colours: Colours) -> blocks.CellGrid:
    """`rgb_u8`, which fills the box of `target`, in characters."""
    fitted = blocks.fit_halves if protocol is Protocol.HALF else blocks.fit_quadrants
    return fitted(rgb_u8, target.columns, target.rows, colours)


def _whole_bands_px(height_px: int) -> int:
    # A last band that is not full shows as a coloured bar in tmux 3.5a and foot.
    return height_px - height_px % sixel.BAND_PX


def _iterm2_parts(canvas: U8, target: Target, quality: Quality) -> tuple[Part, ...]:
    cell = target.graphics.cell_height_px
    return tuple(
        Part(
            first,
            last,
            iterm2.encode_iterm2(
                _reduced(canvas[first * cell : last * cell], quality.detail),
                target.columns,
                last - first,
                jpeg_quality=quality.jpeg_quality,
            ),
        )
        for first, last in target.row_spans
    )


def _reduced(rgb_u8: U8, detail: float) -> U8:
    """Fewer pixels where the terminal itself scales the picture to its cells."""
    if detail >= 1.0:
        return rgb_u8
    size = (max(1, int(rgb_u8.shape[1] * detail)), max(1, int(rgb_u8.shape[0] * detail)))
    image = Image.fromarray(np.ascontiguousarray(rgb_u8))
    return np.asarray(image.resize(size, Image.Resampling.NEAREST))
