"""`facewright show PICTURE`: one still picture into the scroll of a terminal, then the prompt."""

from __future__ import annotations

import random
import shutil
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from engine.protocol.errors import InputError
from tuiapp.graphics.choice import AUTO
from tuiapp.graphics.frame import Fit, Rgb, Target
from tuiapp.graphics.probe import probe_terminal
from tuiapp.graphics.quality import BEST
from tuiapp.graphics.terminal import Colours, Protocol, TerminalGraphics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuiapp.graphics.blocks import CellGrid

_MOST_BYTES = 256 * 1024 * 1024
_PROMPT_ROWS = 2  # left below the picture
_BLACK: Rgb = (0, 0, 0)


def show_picture(path: Path, stdout: TextIO, graphics: TerminalGraphics | None = None) -> None:
    """Prints the JPEG, PNG or WebP at `path`, as large as fits, at most its own size in pixels.

    `graphics` None: the terminal is asked. Raises InputError where the file is no readable picture.
    """
    from tuiapp.graphics.decode import decode

    graphics = graphics or probe_terminal(AUTO)
    rgb_u8 = decode(_file_bytes(path))
    size = shutil.get_terminal_size()
    columns, rows = _cells_for(rgb_u8, graphics, size.columns, max(1, size.lines - _PROMPT_ROWS))
    stdout.write(_sequences(rgb_u8, graphics, columns, rows))
    stdout.flush()


def _file_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(
                f"{path} is larger than {_MOST_BYTES // 2**20} MiB", "show a smaller picture"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check the path") from error


def _cells_for(
    rgb_u8: NDArray[np.uint8], graphics: TerminalGraphics, columns: int, rows: int
) -> tuple[int, int]:
    """The smallest box of cells that holds the picture at its own size or as large as fits."""
    height, width = rgb_u8.shape[:2]
    cell_width, cell_height = graphics.cell_width_px, graphics.cell_height_px
    scale = min(1.0, columns * cell_width / width, rows * cell_height / height)
    if graphics.protocol is Protocol.SIXEL and graphics.max_picture_px:
        # xterm leaves out what is beyond its limit (1000x1000 unless set otherwise).
        widest, highest = graphics.max_picture_px
        scale = min(scale, widest / width, highest / height)
    shown_columns = max(1, min(columns, -(-round(width * scale) // cell_width)))
    shown_rows = max(1, min(rows, -(-round(height * scale) // cell_height)))
    return shown_columns, shown_rows


def _sequences(
    rgb_u8: NDArray[np.uint8], graphics: TerminalGraphics, columns: int, rows: int
) -> str:
    from tuiapp.graphics.encode import Encoder
    from tuiapp.graphics.frame import Source

    if graphics.protocol is Protocol.SIXEL and not graphics.inside_tmux:
        return _by_sixel_package(rgb_u8, graphics, columns, rows)
    if graphics.protocol is Protocol.OFF:
        return ""
    target = Target(graphics, columns, rows, Fit.CONTAIN, _BLACK, ((0, rows),))
    few_ids = graphics.colours is not Colours.TRUECOLOR  # the id must fit the 256-colour palette
    first_id = random.randrange(1, 256) if few_ids else random.randrange(2**16, 2**24)
    encoder = Encoder(kitty_ids=(first_id, first_id))
    frame = encoder.encode(Source(rgb_u8=rgb_u8), target, BEST)
    if frame.grid is not None:
        return _characters(frame.grid, graphics.colours)
    if graphics.protocol is Protocol.KITTY:
        return frame.prelude + "".join(f"{part.text}\n" for part in frame.parts)
    return "".join(part.text for part in frame.parts) + "\n"


def _by_sixel_package(
    rgb_u8: NDArray[np.uint8], graphics: TerminalGraphics, columns: int, rows: int
) -> str:
    """The `sixel` package: slower than the app's own encoder, which is no matter for a still."""
    from PIL import Image
    from sixel.converter import SixelConverter

    from tuiapp.graphics.fit import place

    box = (columns * graphics.cell_width_px, rows * graphics.cell_height_px)
    left, top, right, bottom = place(rgb_u8.shape[1::-1], box, Fit.CONTAIN).target
    png, out = BytesIO(), StringIO()
    picture = Image.fromarray(rgb_u8).resize((right - left, bottom - top), reducing_gap=2.0)
    picture.save(png, "PNG")
    png.seek(0)
    SixelConverter(png, ncolor=min(256, graphics.colour_registers)).write(out)
    return out.getvalue() + "\n"


def _characters(grid: CellGrid, colours: Colours) -> str:
    """A grid of characters as lines of plain terminal text."""
    lines = []
    for row in range(grid.glyph.shape[0]):
        cells = [
            f"\x1b[{_sgr(grid, colours, row, column)}m{grid.glyphs[grid.glyph[row, column]]}"
            for column in range(grid.glyph.shape[1])
        ]
        lines.append("".join(cells) + "\x1b[0m\n")
    return "".join(lines)


def _sgr(grid: CellGrid, colours: Colours, row: int, column: int) -> str:
    if colours is Colours.TRUECOLOR or grid.fore_index is None or grid.back_index is None:
        fore = ";".join(map(str, grid.fore_rgb_u8[row, column].tolist()))
        back = ";".join(map(str, grid.back_rgb_u8[row, column].tolist()))
        return f"38;2;{fore};48;2;{back}"
    fore_index, back_index = int(grid.fore_index[row, column]), int(grid.back_index[row, column])
    if colours is Colours.PALETTE_256:
        return f"38;5;{fore_index};48;5;{back_index}"
    return f"{_ansi(fore_index, 30)};{_ansi(back_index, 40)}"


def _ansi(index: int, base: int) -> int:
    """SGR number of one of 16 colours: 30..37 and 90..97, 40..47 and 100..107."""
    return base + index if index < 8 else base + 60 + index - 8
