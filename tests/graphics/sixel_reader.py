"""A plain sixel decoder, written from DEC's description, to check the encoder by."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)")


def read_sixel(sequence: str, background: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8; pixels that the sequence leaves alone are `background`."""
    head = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\', sequence, re.DOTALL)
    assert head is not None, "not a sixel sequence"
    width, height, body = int(head[1]), int(head[2]), head[3]
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = background
    colours: dict[int, tuple[int, int, int]] = {}
    x = band = 0
    chosen = (0, 0, 0)
    position = 0
    while position < len(body):
        token = _TOKEN.match(body, position)
        assert token is not None, f"unknown at {position}: {body[position : position + 10]!r}"
        position = token.end()
        number, red, green, blue, select, count, repeated, single, home, newline = token.groups()
        if number:
            colours[int(number)] = tuple(
                round(int(level) * 255 / 100) for level in (red, green, blue)
            )
        elif select:
            chosen = colours[int(select)]
        elif home:
            x = 0
        elif newline:
            x, band = 0, band + 1
        else:
            run = int(count or 1)
            bits = ord(repeated or single) - 63
            assert x + run <= width, "drawn beyond the right edge"
            for bit in range(6):
                if bits >> bit & 1:
                    assert band * 6 + bit < height, "drawn below the bottom edge"
                    picture[band * 6 + bit, x : x + run] = chosen
            x += run
    return picture
