"""Reads pickles in which DeepFaceLab's merger keeps objects: what it saves of its sessions.

Extends the small interpreter of `engine.faces.restricted_pickle` by three things, none of which
looks up, imports or calls anything. An object of one of the merger's classes becomes the dict of
its attributes, a path the tuple of its parts, whatever system it is of, and dicts may have numbers
as keys.
"""

from __future__ import annotations

from typing import Any, ClassVar

from engine.faces.pickle_rules import Symbol, checked_symbol, unsafe
from engine.faces.plain_values import PlainValue
from engine.faces.restricted_pickle import ARRAY_DTYPES, OPCODES, PickleMachine

_MERGER = "merger."  # the package whose modules name the classes of frames and settings
_PATHS = {
    Symbol(module, name)
    for module in ("pathlib", "pathlib._local")  # Python 3.13 writes the second
    for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
}
# How pickles before protocol 4 name a class within a class.
_PART_OF = Symbol("builtins", "getattr")
_CALLED = _PATHS | {_PART_OF}
_LONGEST_NAME = 255


def decode_with_objects(data: bytes) -> PlainValue:
    """The value in a pickle, as `engine.faces.restricted_pickle.decode_pickle` reads it, with
    objects as dicts and paths as tuples. Raises the same errors."""
    return _ObjectMachine(data, ARRAY_DTYPES).value()


class _ObjectMachine(PickleMachine):
    name_types: ClassVar[frozenset[type]] = frozenset({str, int})

    def __init__(self, data: bytes, dtypes: frozenset[str]) -> None:
        super().__init__(data, dtypes)
        self.opcodes = _OPCODES

    def name(self) -> None:
        module, name = (self.line(_LONGEST_NAME).decode("utf-8") for _ in range(2))
        self.push(_symbol(module, name))

    def find_symbol(self) -> None:
        module, name = self.pop_items(2)
        self.push(_symbol(module, name))

    def new_object(self) -> None:
        kind, arguments = self.pop_items(2)
        if not _is_object(kind) or type(arguments) is not tuple or arguments:
            raise unsafe("an object of a class that is not the merger's")
        self.push_object({})

    def reduce(self) -> None:
        symbol, arguments = self.stack[-2:]
        if not isinstance(symbol, Symbol) or symbol not in _CALLED:
            super().reduce()
            return
        self.pop_items(2)
        if symbol == _PART_OF:
            self.push_object(_part_of(arguments))
        else:
            self.push_object(_path_parts(arguments))

    def build(self) -> None:
        target, state = self.stack[-2:]
        if type(target) is not dict:
            super().build()
            return
        if type(state) is not dict:
            raise unsafe("an object whose state is no dict")
        target.update(state)
        self.stack.pop()


_OPCODES = {
    **OPCODES,
    ord("c"): _ObjectMachine.name,
    0x93: _ObjectMachine.find_symbol,
    0x81: _ObjectMachine.new_object,
    ord("R"): _ObjectMachine.reduce,
    ord("b"): _ObjectMachine.build,
}


def _symbol(module: object, name: object) -> Symbol:
    if isinstance(module, str) and isinstance(name, str):
        symbol = Symbol(module, name)
        if _is_object(symbol) or symbol in _CALLED:
            return symbol
    return checked_symbol(module, name)


def _is_object(symbol: object) -> bool:
    return isinstance(symbol, Symbol) and symbol.module.startswith(_MERGER)


def _part_of(arguments: object) -> Symbol:
    match arguments:
        case (Symbol() as owner, str() as name) if _is_object(owner):
            if len(owner.name) + len(name) < _LONGEST_NAME:
                return Symbol(owner.module, f"{owner.name}.{name}")
    raise unsafe("a part of something that is no class of the merger")


def _path_parts(arguments: object) -> tuple[Any, ...]:
    if type(arguments) is not tuple or any(type(part) is not str for part in arguments):
        raise unsafe("a path of something else than names")
    return arguments
