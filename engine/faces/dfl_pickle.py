"""Writes metadata so that DeepFaceLab, old and new, reads it: pickle protocol 4, numpy 1 names.

Only plain data is written: None, bool, int, float, str, bytes, lists, tuples, dicts with text keys
and numpy arrays of plain numbers. Written by hand, as `pickle` would write the running numpy's
module names, which older ones do not have.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.faces.plain_values import DEEPEST
from engine.protocol.errors import InputError

_RECONSTRUCT = ("numpy.core.multiarray", "_reconstruct")
_NDARRAY = ("numpy", "ndarray")
_DTYPE = ("numpy", "dtype")
_SCALAR = ("numpy.core.multiarray", "scalar")


def dfl_pickle(value: dict[str, Any]) -> bytes:
    """The pickle (protocol 4, no memo, one frame) of a dict of plain data.

    Raises `InputError` for a value of any other type, nested deeper than 64, or an integer beyond
    64 bits.
    """
    body = _value(value, DEEPEST) + b"."
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


def _value(value: Any, depth_left: int) -> bytes:
    if depth_left == 0:
        raise InputError("metadata is nested too deep to be written", "simplify it")
    # The order of the checks matters: a bool is an int.
    if value is None:
        return b"N"
    if isinstance(value, bool | np.bool_):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int | np.integer):
        return _integer(int(value))
    if isinstance(value, float | np.floating):
        return b"G" + struct.pack(">d", float(value))
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    return _container(value, depth_left - 1)


def _container(value: Any, depth_left: int) -> bytes:
    if isinstance(value, list):
        return b"](" + b"".join(_value(item, depth_left) for item in value) + b"e"
    if isinstance(value, tuple):
        return b"(" + b"".join(_value(item, depth_left) for item in value) + b"t"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = (_text(key) + _value(item, depth_left) for key, item in value.items())
        return b"}(" + b"".join(items) + b"u"
    raise InputError(f"metadata cannot hold a {type(value).__name__}", "store plain data only")


def _integer(value: int) -> bytes:
    if 0 <= value < 1 << 8:
        return b"K" + struct.pack("<B", value)
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    if -(1 << 63) <= value < 1 << 63:
        return b"\x8a\x08" + struct.pack("<q", value)
    raise InputError(f"metadata cannot hold the integer {value:.3g}", "store smaller numbers")


def _text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    if len(encoded) < 1 << 8:
        return b"\x8c" + struct.pack("<B", len(encoded)) + encoded
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _bytes(value: bytes) -> bytes:
    return _bytes_head(len(value)) + value


def _bytes_head(count: int) -> bytes:
    if count < 1 << 8:
        return b"C" + struct.pack("<B", count)
    if count < 1 << 32:
        return b"B" + struct.pack("<I", count)
    return b"\x8e" + struct.pack("<Q", count)


def _array(value: NDArray[Any]) -> bytes:
    return b"".join(pushed_array(value))


def pushed_array(value: NDArray[Any]) -> tuple[bytes, memoryview, bytes]:
    """The opcodes that push an array, in three pieces of which the second are its values: so that
    a large one is written without a copy of it. Raises `InputError` if it holds no numbers."""
    if value.dtype.kind not in "uif":
        raise InputError(f"metadata cannot hold an array of {value.dtype}", "store numbers")
    plain = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    empty = b"".join(
        (_name(_RECONSTRUCT), _name(_NDARRAY), _value((0,), 2), _bytes(b"b"), b"\x87R")
    )
    state = (_value(1, 1), _value(value.shape, 2), _dtype(value.dtype), b"\x89")
    head = empty + b"(" + b"".join(state) + _bytes_head(plain.nbytes)
    return head, plain.reshape(-1).view(np.uint8).data, b"tb"


def pushed_scalar(value: NDArray[Any]) -> bytes:
    """The opcodes that push an array of no dimensions as one of numpy's numbers."""
    raw = value.astype(value.dtype.newbyteorder("<")).tobytes()
    return _name(_SCALAR) + _dtype(value.dtype) + _bytes(raw) + b"\x86R"


def _dtype(dtype: np.dtype[Any]) -> bytes:
    byte_order = "|" if dtype.itemsize == 1 else "<"
    state = _value((3, byte_order, None, None, None, -1, -1, 0), 2)
    kind = dtype.kind + str(dtype.itemsize)
    return _name(_DTYPE) + _value((kind, False, True), 2) + b"R" + state + b"b"


def _name(module_and_name: tuple[str, str]) -> bytes:
    return b"".join(map(_text, module_and_name)) + b"\x93"
