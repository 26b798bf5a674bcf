"""A character cell in pixels, as the kernel knows it (this passes through SSH and tmux)."""

from __future__ import annotations

import fcntl
import struct
import sys
import termios


def cell_size_px(descriptor: int | None = None) -> tuple[int, int] | None:
    """(width, height) of a cell of the terminal at `descriptor` (standard input by default).

    None where there is no terminal or it does not tell its pixels.
    """
    if descriptor is None:
        if sys.__stdin__ is None:
            return None
        descriptor = sys.__stdin__.fileno()
    try:
        packed = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return None
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    if not (rows and columns and width_px >= columns and height_px >= rows):
        return None
    return width_px // columns, height_px // rows
