"""Marks of frames: which show no face, have landmarks that cannot be right, or were marked by hand.

`.facewright/marks/SIDE.json`, one frame a line, by the frame's file name. Stages write what they
find, the app what the user says, each through `change_marks`, which lets nobody's words get lost.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, write_atomically
from engine.protocol.workspace import Workspace, make_folder

NO_FACE = "no-face"  # the last extraction found none
SUSPICIOUS = "suspicious"  # the landmarks jump, or are no face's
BY_HAND = "by-hand"  # the user wants the frame extracted again
KEEP = "keep"  # the user wants the frame's landmarks left as they are
REASONS = (NO_FACE, SUSPICIOUS, BY_HAND, KEEP)

VERSION = 1
LARGEST_BYTES = 1 << 26  # a marked frame takes some 70 bytes
LONGEST_NOTE = 200
_LONGEST_NAME = 255  # of a file, on every file system that is in use
_KIND = "facewright frame marks"


@dataclass(frozen=True)
class FrameMark:
    """What is said of one frame. reasons: of `REASONS`. strength: how much its landmarks are
    smoothed, 0..1 in parts of what the stage is asked for; None as much as all others. note: why,
    in the user's or the stage's words."""

    reasons: frozenset[str] = frozenset()
    strength: float | None = None
    note: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.reasons and self.strength is None and not self.note

    def with_reason(self, reason: str, note: str = "") -> FrameMark:
        """With that reason too; a note takes the place of the one there was, and is cut short if it
        is too long."""
        kept = note[:LONGEST_NOTE] or self.note
        return replace(self, reasons=self.reasons | {reason}, note=kept)

    def without_reason(self, reason: str) -> FrameMark:
        """Without that reason; the note goes with the last one."""
        reasons = self.reasons - {reason}
        return replace(self, reasons=reasons, note=self.note if reasons else "")


Marks = dict[str, FrameMark]


def marks_path(workspace: Workspace, side_name: str) -> Path:
    """Where the marks of a side's frames lie."""
    return workspace.state / "marks" / f"{side_name}.json"


def read_marks(path: Path) -> Marks:
    """The marks by frame name; {} if there is no file.

    Raises `InputError` for a file that cannot be used; `change_marks` leaves it as it is then.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if len(data) > LARGEST_BYTES:
        raise _unusable(path, f"it is larger than {LARGEST_BYTES} bytes")
    try:
        return _marks_in(msgspec.json.decode(data))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from error


def change_marks(path: Path, change: Callable[[Marks], Mapping[str, FrameMark]]) -> Marks:
    """Read the marks, let `change` make others of them, and write these in one step; what others
    write meanwhile waits. Empty marks are left out. Returns what is there now.

    Raises `InputError` when the file cannot be used or the disk is full: it is then as it was.
    """
    make_folder(path.parent)
    with _held(path.with_suffix(".lock")):
        before = read_marks(path)
        after = {name: mark for name, mark in change(dict(before)).items() if not mark.is_empty}
        if after != before:
            write_atomically(path, _text(after))
    return after


def set_reason(
    marks: Mapping[str, FrameMark], reason: str, notes: Mapping[str, str], among: Collection[str]
) -> Marks:
    """The marks in which, of the frames `among`, exactly those in `notes` (frame to note, which may
    be "") carry the reason; frames that are not `among` stay as they are."""
    changed = dict(marks)
    for name in among:
        mark = changed.get(name, FrameMark())
        if name in notes:
            changed[name] = mark.with_reason(reason, notes[name])
        elif reason in mark.reasons:
            changed[name] = mark.without_reason(reason)
    return changed


def frames_with(marks: Mapping[str, FrameMark], *reasons: str) -> list[str]:
    """The frames that carry one of the reasons, by name."""
    return sorted(name for name, mark in marks.items() if mark.reasons & set(reasons))


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    """Nobody else changes the marks in the block, which takes some milliseconds."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise disk_error(error, lock) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _text(marks: Mapping[str, FrameMark]) -> bytes:
    lines = [
        msgspec.json.encode(name) + b": " + msgspec.json.encode(_row(mark))
        for name, mark in sorted(marks.items())
    ]
    head = f'{{"kind": "{_KIND}", "version": {VERSION}, "frames": {{\n'.encode()
    return head + b",\n".join(lines) + b"\n}}\n"


def _row(mark: FrameMark) -> dict[str, Any]:
    row: dict[str, Any] = {"reasons": sorted(mark.reasons)}
    if mark.strength is not None:
        row["strength"] = mark.strength
    if mark.note:
        row["note"] = mark.note
    return row


def _marks_in(content: object) -> Marks:
    match content:
        case {"kind": kind, "version": version, "frames": dict(rows)} if kind == _KIND:
            if version != VERSION:
                raise ValueError(f"it is of version {version!r}, this is version {VERSION}")
            return {_frame_name(name): _mark(name, row) for name, row in rows.items()}
    raise ValueError("it holds no marks of frames")


def _frame_name(name: str) -> str:
    is_plain = name == Path(name).name and "\0" not in name and len(name) <= _LONGEST_NAME
    if not is_plain:
        raise ValueError(f"{name[:80]!a} is no frame's name")
    return name


def _mark(name: str, row: object) -> FrameMark:
    match row:
        case {"reasons": list(reasons), **more} if all(reason in REASONS for reason in reasons):
            strength = _strength(name, more.get("strength"))
            return FrameMark(frozenset(reasons), strength, _note(name, more.get("note", "")))
    raise ValueError(f"the mark of {name!a} has no reasons that are known: {' '.join(REASONS)}")


def _strength(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"the strength of {name!a} is no number from 0 to 1")
    return float(value)


def _note(name: str, note: object) -> str:
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise ValueError(f"the note of {name!a} is no text of at most {LONGEST_NOTE} letters")
    return note


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"the marks of frames in {path} cannot be used: {reason}",
        "mend the file, or move it away to begin with no marks",
        code="broken-marks",
    )
