"""What the names in a face file's pickle may stand for: numpy's arrays and numbers, two enums.

Nothing here is looked up by a name out of a file: a `Symbol` is only compared, and each rule makes
its value itself from checked parts. `engine.faces.restricted_pickle` applies the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import InputError

_MOST_DIMENSIONS = 8
_ARRAY_MODULES = ("numpy.core", "numpy._core")  # numpy 2 writes the second


@dataclass(frozen=True)
class Symbol:
    """A name out of a pickle. It stands for nothing that exists in this process."""

    module: str
    name: str


@dataclass
class UnbuiltArray:
    """An array between its REDUCE and its BUILD, and under which keys the memo holds it."""

    memo_keys: list[int] = field(default_factory=list)


class Arguments(tuple[Any, ...]):
    """A tuple that holds more than plain data: for REDUCE and BUILD, never part of the value."""

    __slots__ = ()


def checked_symbol(module: object, name: object) -> Symbol:
    """The symbol of that name. Raises `InputError` for any name that no rule is about."""
    if isinstance(module, str) and isinstance(name, str):
        symbol = Symbol(module, name)
        if symbol in _REDUCTIONS or symbol == _NDARRAY:
            return symbol
    raise unsafe("a name that is no data type of face files")


def reduced(symbol: object, arguments: object, dtypes: frozenset[str]) -> Any:
    """What REDUCE makes of `symbol` and its arguments. dtypes: array elements that are allowed.

    Raises `InputError` for what no rule allows and `ValueError` for a wrong number of arguments.
    """
    rule = _REDUCTIONS.get(symbol) if isinstance(symbol, Symbol) else None
    if rule is None or not isinstance(arguments, tuple):
        raise unsafe("a call of something that is no data type")
    return rule(tuple(arguments), dtypes)


def built(target: object, state: object) -> Any:
    """What BUILD makes of an unbuilt array or a dtype and its state."""
    if isinstance(target, np.dtype):
        _check_dtype_state(state)
        return target
    if isinstance(target, UnbuiltArray) and isinstance(state, tuple):
        _version, shape, dtype, is_fortran, raw = state
        return _array(raw, dtype, shape, is_fortran is True)
    raise unsafe("state for something that is no array")


def unsafe(what: str) -> InputError:
    return InputError(
        f"the metadata holds {what}",
        "the file was not made by a face tool and may be hostile: do not use it",
        code="unsafe-data",
    )


def broken(what: str) -> InputError:
    return InputError(
        f"the metadata is damaged: {what}", "extract this face again", code="broken-data"
    )


def _unbuilt_array(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> UnbuiltArray:
    kind, shape, typecode = arguments
    if not isinstance(kind, Symbol) or kind != _NDARRAY or type(shape) is not tuple:
        raise unsafe("an array of an unusual kind")
    if len(shape) != 1 or type(typecode) not in (bytes, str) or len(typecode) != 1:
        raise unsafe("an array of an unusual kind")
    return UnbuiltArray()


def _dtype(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> np.dtype[Any]:
    text, _align, _copy = arguments
    if type(text) is not str or text.lstrip("<|=") not in dtypes:
        raise unsafe("an array of elements that are not plain numbers")
    return np.dtype("<" + text.lstrip("<|="))


def _check_dtype_state(state: object) -> None:
    if type(state) is not tuple:
        raise unsafe("an array of unusual elements")
    _version, byte_order, *rest = state
    if rest[:3] != [None, None, None] or len(rest) != 6:
        raise unsafe("an array of structured elements")
    if type(byte_order) is not str or byte_order not in ("<", "|", "="):
        raise unsafe("an array of big-endian numbers")


def _array_from_buffer(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> NDArray[Any]:
    raw, dtype, shape, order = arguments
    return _array(raw, dtype, shape, type(order) is str and order == "F")


def _scalar(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> int | float:
    dtype, raw = arguments
    number: int | float = _array(raw, dtype, (), is_fortran=False).item()
    return number


def _array(raw: object, dtype: object, shape: object, is_fortran: bool) -> NDArray[Any]:
    if type(raw) is not bytes or not isinstance(dtype, np.dtype) or type(shape) is not tuple:
        raise unsafe("an array of something else than bytes")
    if len(shape) > _MOST_DIMENSIONS or any(type(side) is not int or side < 0 for side in shape):
        raise broken("an array of impossible shape")
    needed = dtype.itemsize
    for side in shape:
        needed *= side
    if needed != len(raw):
        raise broken(f"an array of {needed:.3g} bytes with {len(raw)} bytes of content")
    return np.ndarray(shape, dtype, buffer=raw, order="F" if is_fortran else "C")


def _bytes_of_text(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> bytes:
    text, encoding = arguments
    if type(text) is not str or type(encoding) is not str or encoding not in ("latin1", "latin-1"):
        raise unsafe("bytes in an unusual encoding")
    return text.encode("latin-1")


def _enum_number(arguments: tuple[Any, ...], dtypes: frozenset[str]) -> int:
    (number,) = arguments
    if type(number) is not int:
        raise unsafe("an enumeration value that is no number")
    return number


_NDARRAY = Symbol("numpy", "ndarray")
# Where the list comes from: the pickles that DeepFaceLab writes with numpy 1 and 2 and Python 3.6
# (protocol 3) to 3.14 (protocol 5), and protocol 2.
_REDUCTIONS: dict[Symbol, Callable[[tuple[Any, ...], frozenset[str]], Any]] = {
    **{Symbol(f"{module}.multiarray", "_reconstruct"): _unbuilt_array for module in _ARRAY_MODULES},
    **{Symbol(f"{module}.multiarray", "scalar"): _scalar for module in _ARRAY_MODULES},
    **{Symbol(f"{module}.numeric", "_frombuffer"): _array_from_buffer for module in _ARRAY_MODULES},
    Symbol("numpy", "dtype"): _dtype,
    Symbol("_codecs", "encode"): _bytes_of_text,
    Symbol("facelib.FaceType", "FaceType"): _enum_number,
    Symbol("samplelib.Sample", "SampleType"): _enum_number,
}
