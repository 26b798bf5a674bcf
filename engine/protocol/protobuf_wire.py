"""Walks through a protobuf message in a file without loading it: what is not asked for is skipped.

https://protobuf.dev/programming-guides/encoding. Nothing is made of the bytes but numbers, texts
and places in the file, and a file can ask for no more work than `FIELDS_AT_MOST` fields.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

FIELDS_AT_MOST = 1_000_000  # of a large net: some 500 nodes and tensors with 20 fields each
TEXT_AT_MOST_BYTES = 4096
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_AT_MOST_BITS = 70
# Of a field's number with its kind. Readers of protobuf drop what is beyond: a longer key would be
# one field here, and another one there.
_KEY_AT_MOST_BITS = 32
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


class WireError(ValueError):
    """Bytes that are no protobuf message."""


@dataclass(frozen=True)
class Span:
    """A part of the file: from byte `start` up to `end`."""

    start: int
    end: int


@dataclass(frozen=True)
class Field:
    """One field of a message. value: a number, or where its bytes (a text, a message) lie."""

    number: int
    value: int | Span


class WireReader:
    """Reads fields of messages anywhere in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = FIELDS_AT_MOST
        self.whole = Span(0, file.seek(0, os.SEEK_END))

    def fields(self, span: Span) -> Iterator[Field]:
        """The fields of the message there. Raises `WireError` if it is none."""
        place = span.start
        while place < span.end:
            self._left -= 1
            if self._left < 0:
                raise WireError(f"more than {FIELDS_AT_MOST} fields")
            field, place = self._field(place)
            if place > span.end:
                raise WireError("a field is longer than what it is in")
            yield field

    def messages(self, span: Span, *numbers: int) -> Iterator[Span]:
        """Where the messages lie that these fields of the message hold."""
        for field in self.fields(span):
            if field.number in numbers and isinstance(field.value, Span):
                yield field.value

    def text(self, span: Span) -> str:
        """The text there. Raises `WireError` if it is none, or longer than a name can be."""
        if span.end - span.start > TEXT_AT_MOST_BYTES:
            raise WireError(f"a name of {span.end - span.start} bytes")
        self._file.seek(span.start)
        try:
            return self._file.read(span.end - span.start).decode()
        except UnicodeDecodeError as error:
            raise WireError("a name is no text") from error

    def _field(self, place: int) -> tuple[Field, int]:
        """The field that begins there, and where the next one does."""
        self._file.seek(place)
        key = self._varint()
        number, kind = key >> 3, key & 7
        if number == 0 or key >> _KEY_AT_MOST_BITS:
            raise WireError("a field without a number that there can be")
        if kind == _VARINT:
            return Field(number, self._varint()), self._file.tell()
        if kind == _BYTES:
            size_bytes = self._varint()
            start = self._file.tell()
        elif kind in _FIXED_SIZES:
            size_bytes, start = _FIXED_SIZES[kind], self._file.tell()
        else:
            raise WireError(f"a field of the unknown kind {kind}")
        end = start + size_bytes
        return Field(number, Span(start, end)), end

    def _varint(self) -> int:
        value = 0
        for shift in range(0, _VARINT_AT_MOST_BITS, 7):
            byte = self._file.read(1)
            if not byte:
                raise WireError("it ends in the middle of a number")
            value |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                return value
        raise WireError("a number without an end")
