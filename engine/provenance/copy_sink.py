"""Where the library writes the copy of a file that it signs beside: nowhere.

It copies the signed file to an output also where the manifest goes to a side-car; held in memory,
that would be as large as the film.
"""

from __future__ import annotations

import io
import os
from typing import BinaryIO


class CopySink(io.RawIOBase):
    """Takes what is written, which must be the bytes of `source` in their places, and holds none of
    it; what is read comes from `source`, whose own position does not move."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source.fileno()
        self._at = 0
        self._bytes = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        count = memoryview(data).nbytes  # type: ignore[arg-type]
        self._at += count
        self._bytes = max(self._bytes, self._at)
        return count

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        wanted = min(len(view), max(0, self._bytes - self._at))
        data = os.pread(self._source, wanted, self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._bytes}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at
