"""What was decided of each frame, and the face that is being placed: for going on after any end.

Both lie in `.facewright/manual/`. Decisions are lines of JSON, the last one of a frame counts; a
line is written in one piece, and a torn last one is cut off. The face files themselves say which
faces there are.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, write_atomically
from engine.protocol.workspace import Workspace, make_folder

Decided = Literal["kept", "skipped"]
LARGEST_BYTES = 1 << 28  # a line takes some 50 bytes
LARGEST_DRAFT_BYTES = 1 << 16


class Decision(msgspec.Struct, frozen=True):
    """What became of a frame, by its file's name."""

    frame: str
    state: Decided


class Draft(msgspec.Struct, frozen=True):
    """A face that is placed and not kept yet: 68 landmarks in pixels of the frame, and the square
    (x, y, half side, roll in degrees)."""

    frame: str
    points: tuple[tuple[float, float], ...]
    square: tuple[float, float, float, float]


_lines: msgspec.json.Decoder[Decision] = msgspec.json.Decoder(Decision)


class Decisions:
    """A side's decisions. Use as a context manager: entering opens the file to add to."""

    def __init__(self, workspace: Workspace, side_name: str) -> None:
        self._path = workspace.state / "manual" / f"{side_name}.jsonl"
        self._draft_path = self._path.with_suffix(".draft.json")
        self.known, self._kept_bytes = _read(self._path)
        self.draft = _read_draft(self._draft_path)

    def forget(self) -> None:
        """Begin anew when entered."""
        self.known, self._kept_bytes, self.draft = {}, 0, None

    def __enter__(self) -> Self:
        make_folder(self._path.parent)
        try:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.truncate(self._descriptor, self._kept_bytes)
            os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise disk_error(error, self._path) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def add(self, frame: str, state: Decided) -> None:
        """Raises `InputError` when the disk is full."""
        line = msgspec.json.encode(Decision(frame, state)) + b"\n"
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise disk_error(error, self._path) from error
        if written != len(line):  # the disk has become full: the torn line is cut off
            os.ftruncate(self._descriptor, os.lseek(self._descriptor, 0, os.SEEK_CUR) - written)
            raise InputError(f"the disk is full: cannot write {self._path}", "make room")
        self.known[frame] = state

    def keep_draft(self, draft: Draft | None) -> None:
        """Remember the face that is being placed. Raises `InputError` when the disk is full."""
        if draft == self.draft:
            return
        self.draft = draft
        write_atomically(self._draft_path, msgspec.json.encode(draft), durable=False)


def _read(path: Path) -> tuple[dict[str, Decided], int]:
    """The decisions by frame, and how many bytes of the file are sound."""
    known: dict[str, Decided] = {}
    kept_bytes = 0
    for line in _bounded(path, LARGEST_BYTES).splitlines(keepends=True):
        try:
            decision = _lines.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
        if not line.endswith(b"\n"):
            break
        known[decision.frame] = decision.state
        kept_bytes += len(line)
    return known, kept_bytes


def _read_draft(path: Path) -> Draft | None:
    """The draft; None for a file that is none: it holds no more than was not kept yet."""
    try:
        return msgspec.json.decode(_bounded(path, LARGEST_DRAFT_BYTES), type=Draft | None)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _bounded(path: Path, most_bytes: int) -> bytes:
    try:
        if path.stat().st_size > most_bytes:
            raise InputError(f"{path} is too large to be one of ours", "move it away")
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "check the disk") from error
