"""Pieces of pickles, to write long ones face by face; `engine.faces.dfl_pickle` makes whole ones.

Protocol 4 without frames and without memo, which every Python since 3.4 reads; DeepFaceLab's own
files have frames, a hint for buffering only.
"""

from __future__ import annotations

import struct
from typing import Any

from engine.faces.dfl_pickle import dfl_pickle

PROTOCOL = b"\x80\x04"
STOP = b"."
EMPTY_LIST, APPENDS = b"]", b"e"
EMPTY_DICT, SETITEMS = b"}", b"u"
MARK = b"("
_WHOLE_HEAD_BYTES = 11  # PROTO and FRAME, before the opcodes that make the value


def pushed_dict(fields: dict[str, Any]) -> bytes:
    """The opcodes that push a dict of plain data. Raises `InputError` as `dfl_pickle` does."""
    return dfl_pickle(fields)[_WHOLE_HEAD_BYTES : -len(STOP)]


def pushed_text(text: str) -> bytes:
    """The opcodes that push a text. Raises `UnicodeEncodeError` for what is no UTF-8."""
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def pushed_enum(module: str, name: str, number: int) -> bytes:
    """The opcodes that push `module.name(number)`, number in 0..255, as DeepFaceLab's Python
    pickles a member of an enumeration."""
    call = b"\x93K" + struct.pack("<B", number) + b"\x85R"
    return pushed_text(module) + pushed_text(name) + call


def pushed_shape(size_hw: tuple[int, int]) -> bytes:
    """The opcodes that push the tuple (h, w, 3)."""
    return b"".join(b"J" + struct.pack("<i", side) for side in (*size_hw, 3)) + b"\x87"


def pushed_pair(first: bytes, second: bytes) -> bytes:
    """The opcodes that push a tuple of two values, given as what pushes them."""
    return first + second + b"\x86"
