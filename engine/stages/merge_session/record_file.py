"""Records in a file that nobody else sees: a second memory, larger and slower."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import IO


class RecordFile:
    """Records of one size in a file without a name, which goes with the process: those used last,
    within `limit_bytes`, and taking no more of the disk than they leave free.

    A disk that is full or fails is no error: less is kept. Thread-safe.
    """

    def __init__(self, folder: Path, record_bytes: int, limit_bytes: int) -> None:
        self._folder = folder
        self._record_bytes = record_bytes
        self._most_places = limit_bytes // record_bytes
        self._places: OrderedDict[bytes, int] = (
            OrderedDict()
        )  # by key, the one used last at the end
        self._empty_places: list[int] = []
        self._places_made = 0
        self._file: IO[bytes] | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        """Give the disk back. Nothing is kept from now on."""
        with self._turn:
            self._most_places = self._places_made = 0
            self._places.clear()
            self._empty_places.clear()
            if self._file is not None:
                self._file.close()

    @property
    def bytes_on_disk(self) -> int:
        return self._places_made * self._record_bytes

    def get(self, key: bytes) -> bytes | None:
        """The record of that key, if it is kept and can be read."""
        with self._turn:
            if key not in self._places:
                return None
            self._places.move_to_end(key)
            record = self._read(self._places[key])
            if record is None:
                self._empty_places.append(self._places.pop(key))
            return record

    def put(self, key: bytes, record: bytes) -> None:
        """Keep the record, in place of the one used longest ago where there is no more room."""
        with self._turn:
            if key in self._places:
                return
            place = self._place()
            if place is None:
                return
            if self._write(place, record):
                self._places[key] = place
                self._places_made = max(self._places_made, place + 1)
            elif place < self._places_made:
                self._empty_places.append(place)
            else:
                self._most_places = self._places_made  # the disk gives no more than this

    def _place(self) -> int | None:
        """Where the next record goes; None where nothing can be kept."""
        if self._empty_places:
            return self._empty_places.pop()
        if self._places_made < self._most_places and self._leaves_enough():
            return self._places_made
        return self._places.popitem(last=False)[1] if self._places else None

    def _leaves_enough(self) -> bool:
        """Whether the file, one record longer, takes no more than is free then."""
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize >= self.bytes_on_disk + 2 * self._record_bytes

    def _read(self, place: int) -> bytes | None:
        if self._file is None:
            return None
        try:
            record = os.pread(self._file.fileno(), self._record_bytes, self._start(place))
        except OSError:
            return None
        return record if len(record) == self._record_bytes else None

    def _write(self, place: int, record: bytes) -> bool:
        """Whether it was written."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            return os.pwrite(self._file.fileno(), record, self._start(place)) == len(record)
        except OSError:
            return False

    def _start(self, place: int) -> int:
        return place * self._record_bytes
