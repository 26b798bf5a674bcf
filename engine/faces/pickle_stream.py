"""Reads the items of a long pickled list or dict one by one, each in bounded memory.

Lists of packed faces and `meta.dat` are pickles of some kilobytes a face, and as many Python
objects as points. Of each item the values are handed over as soon as the next item begins, and what
the memo holds of it is forgotten: items of such files share names, no lists. The rules of
`engine.faces.restricted_pickle` hold for each item.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from engine.faces.pickle_rules import Symbol, broken, unsafe
from engine.faces.plain_values import PLAIN, PlainValue, check_expansion
from engine.faces.restricted_pickle import (
    ARRAY_DTYPES,
    OPCODES,
    STOP,
    PickleMachine,
    expansion_limit,
)

# A face file holds 64 KB of metadata at most; the lists of old packs held whole masks, some 1 MB.
LONGEST_ITEM_BYTES = 1 << 21
_MOST_REMEMBERED = 1 << 16  # names that items share come again with each of some thousand items
_LONGEST_REMEMBERED = 255  # characters of a name, bytes of an enumeration's
_LARGEST_SHAPE = 8  # sides of an array
_NUMBERS = {int}


def list_items(file: BinaryIO, size_bytes: int) -> Iterator[PlainValue]:
    """The items of the pickled list of dicts in the next `size_bytes` of `file`.

    Raises `InputError`, possibly after some items, for what `decode_pickle` refuses, for anything
    but a list, for an item of more than 2 MB and for items that share more than names and numbers.
    """
    return _ListMachine(file, size_bytes).items()


def dict_items(file: BinaryIO, size_bytes: int) -> Iterator[tuple[str, PlainValue]]:
    """The items (key, value) of the pickled dict of (shape, dict) pairs; see `list_items`."""
    return _DictMachine(file, size_bytes).items()


class _ItemMachine(PickleMachine):
    """Holds only a window of the pickle: at least one longest item, where the file has as much."""

    kind: type

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        super().__init__(b"", ARRAY_DTYPES)
        self.file = file
        self.unread_bytes = size_bytes
        self.window_start = 0
        self.item_start = 0
        self.remembered: OrderedDict[int, Any] = OrderedDict()  # of earlier items, last used last
        self.longest_item_bytes = min(size_bytes, LONGEST_ITEM_BYTES)
        self.set_limits(self.longest_item_bytes)
        self.slide_window()

    def items(self) -> Iterator[Any]:
        """Every item; see `list_items`."""
        try:
            yield from self.run_by_items()
        except (IndexError, KeyError, ValueError, OverflowError, struct.error) as error:
            raise broken(f"malformed near byte {self.window_start + self.position}") from error

    def run_by_items(self) -> Iterator[Any]:
        opcodes = OPCODES
        while True:
            code = self.data[self.position]
            self.position += 1
            opcode = opcodes.get(code)
            if opcode is not None:
                opcode(self)
            elif code == STOP:
                break
            else:
                raise unsafe(f"the opcode 0x{code:02x}, which plain data does not need")
            # Deeper than the one mark that items are collected under, an item is being made.
            if len(self.outer_stacks) < 2 and (items := self.taken_items()):
                self.finish_items(items)
                yield from items
        if self.outer_stacks or len(self.stack) != 1 or type(self.stack[0]) is not self.kind:
            raise broken(f"something else than one {self.kind.__name__} of items")

    def taken_items(self) -> list[Any]:
        """The items that are complete, taken off the stack or out of the list or dict."""
        if not self.outer_stacks:
            if len(self.stack) == 1 and type(self.stack[0]) is self.kind and self.stack[0]:
                return self.emptied(self.stack[0])
            return []
        root = self.outer_stacks[0]
        if len(root) != 1 or type(root[0]) is not self.kind or not self.begins_next():
            return []
        taken = self.stack[:-1]
        if not PLAIN.issuperset(map(type, taken)):
            raise unsafe("items that are no plain data")
        del self.stack[:-1]
        return self.as_items(taken)

    def emptied(self, root: Any) -> list[Any]:
        """The items of the list or dict itself, which is empty then."""
        raise NotImplementedError

    def begins_next(self) -> bool:
        """Whether the topmost value can only be the begin of the next item."""
        raise NotImplementedError

    def as_items(self, values: list[Any]) -> list[Any]:
        """The items that these values of the stack are."""
        raise NotImplementedError

    def finish_items(self, items: list[Any]) -> None:
        """Check what items may expand to, forget what made them, and go on to the next."""
        item_bytes = self.window_start + self.position - self.item_start
        spent = expansion_limit(self.longest_item_bytes) - self.expansion_left
        allowed = expansion_limit(item_bytes) - spent
        if allowed < 0:
            raise unsafe("a value that expands without bound")
        if self.needs_tree_check:
            check_expansion(items, allowed)
        self.forget()
        self.slide_window()
        self.set_limits(self.longest_item_bytes)
        self.needs_tree_check = False
        self.item_start = self.window_start + self.position

    def forget(self) -> None:
        remembered = self.remembered
        remembered.update(item for item in self.memo.items() if _is_small(item[1]))
        self.forgotten += len(self.memo)
        self.memo.clear()
        while len(remembered) > _MOST_REMEMBERED:
            remembered.popitem(last=False)

    def recalled(self, key: int) -> Any:
        if key in self.memo:
            return self.memo[key]
        if key not in self.remembered:
            raise broken("an item that refers to what is not there or part of an earlier item")
        self.remembered.move_to_end(key)
        return self.remembered[key]

    def slide_window(self) -> None:
        if self.unread_bytes and len(self.data) - self.position < LONGEST_ITEM_BYTES:
            read = self.file.read(min(LONGEST_ITEM_BYTES, self.unread_bytes))
            self.unread_bytes = self.unread_bytes - len(read) if read else 0
            self.data = self.data[self.position :] + read
            self.window_start += self.position
            self.position = 0


class _ListMachine(_ItemMachine):
    kind = list

    def emptied(self, root: list[Any]) -> list[Any]:
        items = root[:]
        root.clear()
        return items

    def begins_next(self) -> bool:
        stack = self.stack
        return (
            len(stack) > 1 and type(stack[-1]) is dict and not stack[-1] and type(stack[-2]) is dict
        )

    def as_items(self, values: list[Any]) -> list[Any]:
        return values


class _DictMachine(_ItemMachine):
    kind = dict

    def emptied(self, root: dict[str, Any]) -> list[Any]:
        items = list(root.items())
        root.clear()
        return items

    def begins_next(self) -> bool:
        stack = self.stack
        return (
            len(stack) > 2
            and len(stack) % 2 == 1
            and type(stack[-1]) is str
            and type(stack[-2]) is tuple
            and len(stack[-2]) == 2
            and type(stack[-2][1]) is dict
        )

    def as_items(self, values: list[Any]) -> list[Any]:
        names = values[::2]
        if not all(type(name) is str for name in names):
            raise unsafe("a dict of other things than names and plain data")
        return list(zip(names, values[1::2], strict=True))


def _is_small(value: Any) -> bool:
    """Whether a memo entry may outlive its item: names and numbers, which items do share."""
    if isinstance(value, str | bytes):
        return len(value) <= _LONGEST_REMEMBERED
    if type(value) is tuple:
        return len(value) <= _LARGEST_SHAPE and _NUMBERS.issuperset(map(type, value))
    return isinstance(value, int | float | Symbol | np.dtype)
