"""Sixel pictures: palette indices to the DEC sixel stream, in numpy.

The method sorts one key per pixel (band, colour, column, bit), so that all pixels of one sixel
character lie together; run lengths follow from the sorted keys. About 20 ms for 512x512 pixels.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]

BAND_PX = 6
_REPEAT_FROM = 4  # "!4?" is as short as "????"; up to three are written out
_TOKEN_BYTES = 6  # the widest: "!", four digits, the character


def encode_sixel(indices: U8, palette_rgb_u8: U8) -> str:
    """A whole sixel sequence for `indices` (h, w) into `palette_rgb_u8` (n, 3), n <= 256.

    Pixels that no band covers stay as they are on the screen (P2=1). w is at most 9999.
    """
    height, width = indices.shape
    if not 1 <= width <= 9999 or height < 1:
        raise ValueError(f"a sixel picture of {width}x{height} pixels; 1x1 to 9999 wide expected")
    body = _characters(indices)
    head = f'\x1bP0;1;0q"1;1;{width};{height}'
    return head + _palette_definition(palette_rgb_u8) + body + "\x1b\\"


def _palette_definition(palette_rgb_u8: U8) -> str:
    # Sixel colours are percentages. All are defined before the first pixel: colours defined in the
    # stream show as coloured specks in xterm 379.
    percent = (palette_rgb_u8.astype(np.int32) * 100 + 127) // 255
    return "".join(f"#{i};2;{r};{g};{b}" for i, (r, g, b) in enumerate(percent.tolist()))


def _characters(indices: U8) -> str:
    band, colour, column, bits = _sixels(indices)
    starts = np.flatnonzero(
        _changes(band) | _changes(colour) | (_steps(column) != 1) | _changes(bits)
    )
    length = np.diff(np.r_[starts, len(bits)])
    band, colour, column, bits = band[starts], colour[starts], column[starts], bits[starts]
    new_colour = _changes(band) | _changes(colour)
    end = np.r_[0, (column + length)[:-1]]
    gap = np.where(new_colour, column, column - end)
    tokens = np.hstack(
        [
            _selectors(new_colour, _changes(band), colour),
            _runs(gap, np.full(len(gap), 63, np.uint8)),
            _runs(length, (bits + 63).astype(np.uint8)),
        ]
    ).ravel()
    text: str = tokens[tokens != 0].tobytes().decode("ascii")
    return text


def _sixels(
    indices: U8,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], U8]:
    """Band, colour, column and the six bits of every sixel character, in drawing order."""
    height, width = indices.shape
    bands = -(-height // BAND_PX)
    key_type = np.uint32 if bands * 256 * width * 8 < 2**32 else np.uint64
    row = np.arange(height, dtype=key_type)[:, None]
    key = (row // BAND_PX * 256 + indices.astype(key_type)) * key_type(width)
    key = (key + np.arange(width, dtype=key_type)) << key_type(3) | (row % BAND_PX)
    key = np.sort(key, axis=None)
    place = key >> key_type(3)
    starts = np.flatnonzero(_changes(place))
    bits = np.bitwise_or.reduceat(np.uint8(1) << (key & key_type(7)).astype(np.uint8), starts)
    band_colour, column = np.divmod(place[starts].astype(np.int64), width)
    return band_colour >> 8, band_colour & 255, column, bits


def _changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """True where a value differs from the one before it, and at the first."""
    changed: NDArray[np.bool_] = np.r_[True, values[1:] != values[:-1]]
    return changed


def _steps(values: NDArray[np.int64]) -> NDArray[np.int64]:
    steps: NDArray[np.int64] = np.r_[1, values[1:] - values[:-1]]
    return steps


def _selectors(
    new_colour: NDArray[np.bool_], new_band: NDArray[np.bool_], colour: NDArray[np.int64]
) -> U8:
    """(n, 6): "-" before the first colour of a band, "$" before its others, then "#colour"."""
    tokens = np.zeros((len(colour), _TOKEN_BYTES), np.uint8)
    separator = np.where(new_band, ord("-"), ord("$"))
    separator[0] = 0
    tokens[new_colour, 0] = separator[new_colour]
    tokens[new_colour, 1] = ord("#")
    tokens[new_colour, 2:6] = _digits()[colour[new_colour]]
    return tokens


def _runs(count: NDArray[np.int64], character: U8) -> U8:
    """(n, 6): each character `count` times, written out or as "!count character"."""
    tokens = np.zeros((len(count), _TOKEN_BYTES), np.uint8)
    for place in range(_REPEAT_FROM - 1):
        written = (count > place) & (count < _REPEAT_FROM)
        tokens[written, place] = character[written]
    repeated = count >= _REPEAT_FROM
    tokens[repeated, 0] = ord("!")
    tokens[repeated, 1:5] = _digits()[count[repeated]]
    tokens[repeated, 5] = character[repeated]
    return tokens


@cache
def _digits() -> U8:
    """(10000, 4): decimal digits without leading zeros, absent digits as 0 bytes."""
    text = "".join(f"{number:4d}" for number in range(10000)).encode()
    digits = np.frombuffer(text, np.uint8).reshape(-1, 4).copy()
    digits[digits == ord(" ")] = 0
    return digits
