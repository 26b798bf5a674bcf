"""A character cell in pixels, as the kernel knows it (this passes through SSH and tmux)."""

from __future__ import annotations

import fcntl
import struct
import sys
import termios


def size_cells(descriptor: int | None = None) -> tuple[int, int] | None:
    """(columns, rows) of the terminal as it is now, perhaps not yet known to the app."""
    known = _winsize(descriptor)
    return (known[1], known[0]) if known else None


def cell_size_px(descriptor: int | None = None) -> tuple[int, int] | None:
    """(width, height) of a cell of the terminal at `descriptor` (standard input by default).

    None where there is no terminal or it does not tell its pixels.
    """
    known = _winsize(descriptor)
    if known is None:
        return None
    rows, columns, width_px, height_px = known
    if width_px < columns or height_px < rows:
        return None
    return width_px // columns, height_px // rows


def _winsize(descriptor: int | None) -> tuple[int, int, int, int] | None:
    """Rows, columns, width and height in pixels; None where there is no terminal."""
    if descriptor is None:
        if sys.__stdin__ is None:
            return None
        descriptor = sys.__stdin__.fileno()
    try:
        packed = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return None
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    return (rows, columns, width_px, height_px) if rows and columns else None
