"""Reads the pickles in face files and packs without running anything in them.

DeepFaceLab keeps metadata as Python pickles, and a pickle is a program. This module is a small
interpreter of its own for the opcodes that plain data needs: it never imports a name, never calls
what a pickle names and never makes an object of a class that a pickle names. Everything else is
refused with `InputError`. Memory stays proportional to the input (some 15 times at worst): lengths
are checked against the bytes that are there, objects and memo entries are counted, and values used
again through the memo count each time.

`engine.faces.pickle_stream` reads long pickles item by item, `engine.faces.inert_objects` those
with objects of DeepFaceLab's classes; `engine.faces.dfl_pickle` is the way back.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from engine.faces.pickle_rules import (
    Arguments,
    UnbuiltArray,
    broken,
    built,
    checked_symbol,
    reduced,
    unsafe,
)
from engine.faces.plain_values import (
    CONTAINERS,
    DEEPEST,
    PLAIN,
    PlainValue,
    check_expansion,
    holds_containers,
)

ARRAY_DTYPES = frozenset({"u1", "i4", "i8", "f4", "f8"})
_HIGHEST_PROTOCOL = 5
_LONGEST_NUMBER = 32  # characters of a number written as text
_LONGEST_INTEGER = 8  # bytes
_BEYOND_INTEGERS = 1 << 63
_EXPANSION = 32  # memo references may make the value this many times larger than the pickle ...
_EXPANSION_FLOOR = 1 << 16  # ... or this many bytes if that is more
_BYTES_PER_OBJECT = 16  # a pickle has no more containers than one in 16 bytes (points: in 22) ...
_BYTES_PER_MEMO_ENTRY = (
    8  # ... and no more memo entries than one in 8 (file names take some 15) ...
)
_OBJECTS_FLOOR = 4096  # ... or this many of each


def decode_pickle(data: bytes, dtypes: frozenset[str] = ARRAY_DTYPES) -> PlainValue:
    """The value in a pickle of protocol 0 to 5; numpy arrays are read-only, little endian.

    dtypes: element types that arrays may have. Bytes after the pickle's end are ignored.
    Raises `InputError` with code `unsafe-data` for anything but plain data, `broken-data` for a
    pickle that is cut short or malformed.
    """
    return PickleMachine(data, dtypes).value()


def expansion_limit(size_bytes: int) -> int:
    """How many bytes the value in a pickle of that length may take when it is written out."""
    return max(_EXPANSION * size_bytes, _EXPANSION_FLOOR)


class PickleMachine:
    """The state of one reading. Methods named after opcodes do what pickle's do, for plain data.

    opcodes: what each opcode does. name_types: what may be a dict's key.
    forgotten: memo entries that a reader item by item dropped; they were numbered all the same.
    """

    name_types: ClassVar[frozenset[type]] = frozenset({str})

    def __init__(self, data: bytes, dtypes: frozenset[str]) -> None:
        self.data = data
        self.dtypes = dtypes
        self.opcodes = OPCODES
        self.position = 0
        self.stack: list[Any] = []
        self.outer_stacks: list[list[Any]] = []  # one for each open mark
        self.memo: dict[int, Any] = {}
        self.forgotten = 0
        self.needs_tree_check = False
        self.set_limits(len(data))

    def set_limits(self, size_bytes: int) -> None:
        """What a pickle of that length may take."""
        self.expansion_left = expansion_limit(size_bytes)
        self.objects_left = size_bytes // _BYTES_PER_OBJECT + _OBJECTS_FLOOR
        self.memo_room = size_bytes // _BYTES_PER_MEMO_ENTRY + _OBJECTS_FLOOR

    def value(self) -> PlainValue:
        """The whole pickle's value; see `decode_pickle`."""
        try:
            value = self.run()
        except (IndexError, KeyError, ValueError, OverflowError, struct.error) as error:
            raise broken(f"malformed near byte {self.position}") from error
        if self.needs_tree_check:
            check_expansion(value, self.expansion_left)
        return value

    def run(self) -> PlainValue:
        data, opcodes = self.data, self.opcodes
        while True:
            code = data[self.position]
            self.position += 1
            opcode = opcodes.get(code)
            if opcode is not None:
                opcode(self)
            elif code == STOP:
                break
            else:
                raise unsafe(f"the opcode 0x{code:02x}, which plain data does not need")
        value = self.stack.pop()
        if type(value) not in PLAIN:
            raise unsafe("a value that is no plain data")
        return value

    def take(self, count: int) -> bytes:
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise broken(f"{count} bytes announced, {len(self.data) - self.position} left")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def number(self, layout: struct.Struct) -> Any:
        (value,) = layout.unpack_from(self.data, self.position)
        self.position += layout.size
        return value

    def line(self, longest: int) -> bytes:
        end = self.data.index(b"\n", self.position, self.position + longest + 1)
        line = self.data[self.position : end]
        self.position = end + 1
        return line

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def push_object(self, value: Any) -> None:
        self.objects_left -= 1
        if self.objects_left < 0:
            raise unsafe("more objects than face data needs")
        self.stack.append(value)

    def mark(self) -> None:
        if len(self.outer_stacks) >= DEEPEST:
            raise unsafe("data that is nested too deep")
        self.outer_stacks.append(self.stack)
        self.stack = []

    def pop_to_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self.outer_stacks.pop()
        return items

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_to_mark()

    def pop_items(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise broken("a tuple of more items than there are")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def push_tuple(self, items: list[Any]) -> None:
        if not PLAIN.issuperset(map(type, items)):
            self.push_object(Arguments(items))
            return
        if not CONTAINERS.isdisjoint(map(type, items)):
            # Tuples are built from the inside, so their depth does not show in open marks.
            self.needs_tree_check |= any(map(holds_containers, items))
        self.push_object(tuple(items))

    def append(self) -> None:
        item = self.stack.pop()
        self.needs_tree_check |= type(item) in CONTAINERS
        self.extend_list([item])

    def extend_list(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise broken("items for something that is no list")
        if not PLAIN.issuperset(map(type, items)):
            raise unsafe("a list of other things than plain data")
        target.extend(items)

    def set_item(self) -> None:
        pair = self.pop_items(2)
        self.needs_tree_check |= type(pair[1]) in CONTAINERS
        self.set_items(pair)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise broken("items for something that is no dict")
        if not PLAIN.issuperset(map(type, items)) or not self.name_types.issuperset(
            map(type, items[::2])
        ):
            raise unsafe("a dict of other things than names and plain data")
        target.update(zip(items[::2], items[1::2], strict=True))

    def put(self, key: int) -> None:
        top = self.memo[key] = self.stack[-1]
        if len(self.memo) > self.memo_room:
            raise unsafe("more memo entries than face data needs")
        if type(top) is UnbuiltArray:
            top.memo_keys.append(key)

    def get(self, key: int) -> None:
        value = self.recalled(key)
        kind = type(value)
        if kind is str or kind is bytes:
            self.spend(len(value))
        elif kind is np.ndarray:
            self.spend(value.nbytes)
        elif kind in CONTAINERS:
            self.needs_tree_check = True
        self.stack.append(value)

    def recalled(self, key: int) -> Any:
        return self.memo[key]

    def memoize(self) -> None:
        self.put(self.forgotten + len(self.memo))

    def spend(self, byte_count: int) -> None:
        self.expansion_left -= byte_count
        if self.expansion_left < 0:
            raise unsafe("a value that expands without bound")

    def find_symbol(self) -> None:
        module, name = self.pop_items(2)
        self.stack.append(checked_symbol(module, name))

    def reduce(self) -> None:
        symbol, arguments = self.pop_items(2)
        value = reduced(symbol, arguments, self.dtypes)
        if isinstance(value, bytes | np.ndarray):
            self.spend(len(value) if isinstance(value, bytes) else value.nbytes)
        self.push_object(value)

    def build(self) -> None:
        target, state = self.pop_items(2)
        value = built(target, state)
        if isinstance(target, UnbuiltArray):
            self.spend(value.nbytes)
            self.memo.update(dict.fromkeys(target.memo_keys, value))
        self.push_object(value)


_U1, _U2, _I4, _U4, _U8 = (struct.Struct(layout) for layout in ("<B", "<H", "<i", "<I", "<Q"))
_F8 = struct.Struct(">d")
_POINT = struct.Struct(">3xdxdx")  # MEMOIZE MARK BINFLOAT x BINFLOAT y APPENDS
STOP = ord(".")


def _read_protocol(machine: PickleMachine) -> None:
    protocol = machine.number(_U1)
    if protocol > _HIGHEST_PROTOCOL:
        raise broken(f"pickle protocol {protocol}, the highest known is {_HIGHEST_PROTOCOL}")


def _read_decimal(machine: PickleMachine) -> None:
    text = machine.line(_LONGEST_NUMBER)
    flags = {b"00": False, b"01": True}  # how protocols 0 and 1 write a bool
    machine.push(flags[text] if text in flags else _integer(text))


def _read_long_decimal(machine: PickleMachine) -> None:
    machine.push(_integer(machine.line(_LONGEST_NUMBER).removesuffix(b"L")))


def _integer(text: bytes) -> int:
    number = int(text)
    if not -_BEYOND_INTEGERS <= number < _BEYOND_INTEGERS:
        raise unsafe("a huge integer")
    return number


def _read_long(machine: PickleMachine, byte_count: int) -> None:
    if not 0 <= byte_count <= _LONGEST_INTEGER:
        raise unsafe("a huge integer")
    machine.push(int.from_bytes(machine.take(byte_count), "little", signed=True))


def _read_text(machine: PickleMachine, byte_count: int) -> None:
    machine.push(machine.take(byte_count).decode("utf-8", "surrogatepass"))


def _read_text_line(machine: PickleMachine) -> None:
    machine.push(machine.line(len(machine.data)).decode("raw-unicode-escape"))


def _read_name(machine: PickleMachine) -> None:
    module, name = (machine.line(_LONGEST_NUMBER).decode("ascii") for _ in range(2))
    machine.push(checked_symbol(module, name))


def _read_dict(machine: PickleMachine) -> None:
    items = machine.pop_to_mark()
    machine.push_object({})
    machine.set_items(items)


def _read_list_start(machine: PickleMachine) -> None:
    # Nearly all of a face's pickle are points `]` MEMOIZE `(` `G` x `G` y `e`. Taking runs of them
    # at once reads a face twice as fast.
    data, memo, position = machine.data, machine.memo, machine.position
    forgotten = machine.forgotten
    while (
        data.startswith(b"\x94(G", position)
        and data.startswith(b"G", position + 11)
        and data.startswith(b"e", position + 20)
    ):
        point = list(_POINT.unpack_from(data, position))
        machine.stack.append(point)
        memo[forgotten + len(memo)] = point
        position += _POINT.size
        machine.position = position
        if not data.startswith(b"]", position):
            return
        position += 1
    machine.position = position
    machine.push_object([])


def _read_list(machine: PickleMachine) -> None:
    items = machine.pop_to_mark()
    machine.push_object([])
    machine.extend_list(items)


# Pickle's opcodes for plain data, by their codes in Python's pickletools. Left out on purpose:
# persistent ids, extension codes, objects and classes (INST OBJ NEWOBJ), sets, buffers outside the
# pickle, DUP and Python 2 strings.
OPCODES: dict[int, Callable[[Any], object]] = {
    0x80: _read_protocol,
    0x95: lambda m: m.number(_U8),  # FRAME: only a hint for buffering
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("I"): _read_decimal,
    ord("J"): lambda m: m.push(m.number(_I4)),
    ord("K"): lambda m: m.push(m.number(_U1)),
    ord("M"): lambda m: m.push(m.number(_U2)),
    ord("L"): _read_long_decimal,
    0x8A: lambda m: _read_long(m, m.number(_U1)),
    0x8B: lambda m: _read_long(m, m.number(_I4)),
    ord("F"): lambda m: m.push(float(m.line(_LONGEST_NUMBER))),
    ord("G"): lambda m: m.push(m.number(_F8)),
    ord("V"): _read_text_line,
    ord("X"): lambda m: _read_text(m, m.number(_U4)),
    0x8C: lambda m: _read_text(m, m.number(_U1)),
    0x8D: lambda m: _read_text(m, m.number(_U8)),
    ord("B"): lambda m: m.push(m.take(m.number(_U4))),
    ord("C"): lambda m: m.push(m.take(m.number(_U1))),
    0x8E: lambda m: m.push(m.take(m.number(_U8))),
    0x96: lambda m: m.push(m.take(m.number(_U8))),  # BYTEARRAY8: protocol 5 holds arrays in it
    ord("]"): _read_list_start,
    ord("a"): PickleMachine.append,
    ord("e"): lambda m: m.extend_list(m.pop_to_mark()),
    ord("l"): _read_list,
    ord("}"): lambda m: m.push_object({}),
    ord("s"): PickleMachine.set_item,
    ord("u"): lambda m: m.set_items(m.pop_to_mark()),
    ord("d"): _read_dict,
    ord(")"): lambda m: m.push(()),
    0x85: lambda m: m.push_tuple(m.pop_items(1)),
    0x86: lambda m: m.push_tuple(m.pop_items(2)),
    0x87: lambda m: m.push_tuple(m.pop_items(3)),
    ord("t"): lambda m: m.push_tuple(m.pop_to_mark()),
    ord("("): PickleMachine.mark,
    ord("0"): PickleMachine.pop,
    ord("1"): PickleMachine.pop_to_mark,
    ord("p"): lambda m: m.put(int(m.line(_LONGEST_NUMBER))),
    ord("q"): lambda m: m.put(m.number(_U1)),
    ord("r"): lambda m: m.put(m.number(_U4)),
    0x94: PickleMachine.memoize,
    ord("g"): lambda m: m.get(int(m.line(_LONGEST_NUMBER))),
    ord("h"): lambda m: m.get(m.number(_U1)),
    ord("j"): lambda m: m.get(m.number(_U4)),
    ord("c"): _read_name,
    0x93: PickleMachine.find_symbol,
    ord("R"): PickleMachine.reduce,
    ord("b"): PickleMachine.build,
}
