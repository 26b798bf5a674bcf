"""Which faces a model has masked: a line per face, appended as it is done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from engine.protocol.files import disk_error, is_utf8, write_atomically
from engine.protocol.workspace import Side, Workspace, make_folder

_MOST_BYTES = 1 << 27  # a million faces


class Masked(msgspec.Struct, frozen=True, array_like=True):
    """A face file as it was left."""

    name: str
    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Masked:
        status = path.stat()
        name = path.name if is_utf8(path.name) else ascii(path.name)
        return cls(name, status.st_size, status.st_mtime_ns)


class Ledger:
    """The faces of a side that were masked by `made_by`: a model and how it was used. What another
    one did is forgotten, also with `fresh`."""

    def __init__(self, workspace: Workspace, side: Side, made_by: str, *, fresh: bool) -> None:
        self._path = workspace.stage_state / f"xseg-apply-{side.name}.jsonl"
        self._head = msgspec.json.encode(made_by)
        self._masked = frozenset() if fresh else frozenset(self._read())
        make_folder(self._path.parent)
        self._write(self._masked)

    def has(self, path: Path) -> bool:
        """The face is as it was left."""
        return Masked.of(path) in self._masked

    def add(self, paths: Iterable[Path]) -> None:
        """These faces are masked. Raises `InputError` when the disk is full."""
        lines = b"".join(msgspec.json.encode(Masked.of(path)) + b"\n" for path in paths)
        try:
            with self._path.open("ab") as file:
                file.write(lines)
        except OSError as error:
            raise disk_error(error, self._path) from error

    def _read(self) -> Iterable[Masked]:
        """What is there of the same head; a line that a kill cut off is left out."""
        try:
            with self._path.open("rb") as file:
                head, *lines = file.read(_MOST_BYTES).splitlines() or [b""]
        except OSError:
            return
        if head != self._head:
            return
        for line in lines:
            try:
                yield msgspec.json.decode(line, type=Masked)
            except msgspec.DecodeError:
                continue

    def _write(self, masked: Iterable[Masked]) -> None:
        lines = [self._head, *map(msgspec.json.encode, masked), b""]
        write_atomically(self._path, b"\n".join(lines))
