"""The writing side of a faceset's index (`engine.protocol.face_index`).

`IndexWriter` finds out what changed and keeps the table; reading faces is `read_files`, made to be
run in worker processes. What is committed survives a kill; the next run goes on from there.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data
from engine.faces.face_measures import Measures, measure
from engine.faces.faceset import LooseFace
from engine.faces.faceset_pack import PackedFace, read_pack_list
from engine.protocol.database_errors import DATABASE_ERRORS
from engine.protocol.errors import InputError
from engine.protocol.face_index import (
    COLUMNS,
    INDEX_VERSION,
    PACK_BYTES,
    PACK_MTIME,
    SCHEMA,
    FaceIndex,
    FaceRow,
    FileState,
    IndexChanges,
    changes_between,
    face_files,
    opened_index,
    pack_file,
    pack_points,
)
from engine.protocol.files import disk_error, is_utf8
from engine.protocol.workspace import Side, make_folder

COMMIT_SECONDS = 1.0
_COARSE_NS = 1_000_000_000  # disks that count whole seconds tell too little by them
CHUNK_FILES = 16  # read by a worker in one go: about 0.1 s
_FACE_COLUMNS = COLUMNS[1:]  # the id is given by SQLite
_INSERT_FACE = (
    f"INSERT INTO faces ({', '.join(_FACE_COLUMNS)}) VALUES ({', '.join('?' * len(_FACE_COLUMNS))})"
)


@dataclass(frozen=True)
class FaceFile:
    """A file to be read: its state when the folder was looked at, and where it is."""

    name: str
    state: FileState
    file: LooseFace | PackedFace


@dataclass(frozen=True)
class ReadFile:
    """What came of a file: a face's values in the table's order (without the id) with its blobs
    (landmarks, source landmarks, thumb), or the reason why it is no face."""

    name: str
    state: FileState
    values: tuple[object, ...] = ()
    blobs: tuple[bytes | None, ...] = ()
    reason: str = ""


def read_files(files: Sequence[FaceFile]) -> list[ReadFile]:
    """Read and measure faces; a file that is none gives a reason, never an error."""
    return [_read_file(file) for file in files]


class IndexWriter:
    """The index at `path`, opened to be written; made anew if it is missing, damaged or of another
    version. Use as a context; one process at a time. Raises `InputError` when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        self._connection = _opened_or_new(path)
        self._committed_at = time.monotonic()

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.commit()
        finally:
            self._connection.close()

    @property
    def index(self) -> FaceIndex:
        """The same index, to read; it sees what is not committed yet."""
        return FaceIndex(self._connection)

    def files_to_read(self, side: Side) -> list[FaceFile]:
        """Forget what is gone or changed, follow what was renamed, and say which files are to be
        read.

        Raises `InputError` for a pack that cannot be used.
        """
        packed = pack_file(side)
        if packed is not None:
            return self._packed_to_read(side, packed)
        if self.index.pack_state() is not None:
            self._forget_all()
        known, present = self.index.known_files(), face_files(side.aligned)
        changes = changes_between(known, present)
        renamed = _renamed(known, present, changes)
        self._forget({*changes.changed, *changes.removed} - renamed.keys())
        self._rename(renamed)
        names = sorted({*changes.added, *changes.changed} - {*renamed.values()})
        return [FaceFile(name, present[name], LooseFace(side.aligned / name)) for name in names]

    def add(self, read: Iterable[ReadFile]) -> None:
        """Take what was read; it is on disk after the next `commit`."""
        for one in read:
            if one.reason:
                row = (one.name, *one.state, one.reason)
                self._execute("INSERT OR REPLACE INTO skipped VALUES (?,?,?,?)", row)
            else:
                face_id = self._execute(_INSERT_FACE, one.values).lastrowid
                self._execute("INSERT INTO details VALUES (?,?,?,?,NULL)", (face_id, *one.blobs))

    def add_identities(self, identities: Iterable[tuple[int, bytes]]) -> None:
        """Take identities: (`FaceRow.id`, 128 float32 as bytes)."""
        for face_id, blob in identities:
            self._execute("UPDATE details SET identity = ? WHERE face_id = ?", (blob, face_id))

    def commit_if_due(self) -> None:
        """Commit about once a second."""
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Put everything on disk, for all readers to see."""
        self._committed_at = time.monotonic()
        try:
            self._connection.commit()
        except DATABASE_ERRORS as error:
            raise _unwritable(self.path, error) from error

    def _packed_to_read(self, side: Side, packed: FileState) -> list[FaceFile]:
        """All faces of a pack that is new or changed, what is left of one that was begun."""
        if self.index.pack_state() != packed:
            self._forget_all()
            facts = ((PACK_MTIME, packed.mtime_ns), (PACK_BYTES, packed.size_bytes))
            for fact in facts:
                self._execute("INSERT INTO facts VALUES (?,?)", fact)
        known = self._packed_names()
        return [
            FaceFile(face.name, FileState(packed.mtime_ns, face.size_bytes), face)
            for face in read_pack_list(side.pack)
            if (face.person_name or "", face.name) not in known
            and is_utf8(face.name + (face.person_name or ""))
        ]

    def _packed_names(self) -> set[tuple[str, str]]:
        found = self._execute("SELECT person_name, name FROM faces", ())
        skipped = (name.rpartition("/") for name in self.index.skipped())
        return {*found} | {(person, name) for person, _, name in skipped}

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._execute("DELETE FROM faces WHERE person_name = '' AND name = ?", (name,))
            self._execute("DELETE FROM skipped WHERE name = ?", (name,))

    def _rename(self, renamed: Mapping[str, str]) -> None:
        """Names may change places, so all first get one that no file has."""
        passing = {old: f"{number}/" for number, old in enumerate(renamed)}
        for pairs in (passing.items(), [(passing[old], new) for old, new in renamed.items()]):
            for old, new in pairs:
                self._execute(
                    "UPDATE faces SET name = ? WHERE person_name = '' AND name = ?", (new, old)
                )
                self._execute("UPDATE skipped SET name = ? WHERE name = ?", (new, old))

    def _forget_all(self) -> None:
        for table in ("faces", "skipped", "facts"):
            self._execute(f"DELETE FROM {table}", ())

    def _execute(self, statement: str, values: Sequence[object]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except DATABASE_ERRORS as error:
            raise _unwritable(self.path, error) from error


def chunks(files: Iterable[FaceFile]) -> Iterator[list[FaceFile]]:
    """The files in the portions that workers read."""
    remaining = iter(files)
    while chunk := list(islice(remaining, CHUNK_FILES)):
        yield chunk


def files_of(side: Side, rows: Iterable[FaceRow]) -> Iterator[tuple[int, LooseFace | PackedFace]]:
    """(`FaceRow.id`, where the face lies) of rows that an index of that side holds; packed faces
    that are not in the pack any more are left out."""
    if pack_file(side) is None:
        yield from ((row.id, LooseFace(side.aligned / row.name)) for row in rows)
        return
    packed = {(face.person_name or "", face.name): face for face in read_pack_list(side.pack)}
    for row in rows:
        if (row.person_name, row.name) in packed:
            yield row.id, packed[row.person_name, row.name]


def _read_file(file: FaceFile) -> ReadFile:
    try:
        jpeg_bytes = file.file.read_jpeg()
        data = read_face_data(jpeg_bytes)
        if data is None:
            return ReadFile(_skipped_name(file), file.state, reason="it has no face metadata")
        return _face(file, data, measure(jpeg_bytes, data))
    except InputError as error:
        return ReadFile(_skipped_name(file), file.state, reason=error.message)


def _skipped_name(file: FaceFile) -> str:
    """Of a pack's persons PERSON/NAME: names may come again with each."""
    person = file.file.person_name if isinstance(file.file, PackedFace) else None
    return f"{person}/{file.name}" if person else file.name


def _face(file: FaceFile, data: FaceData, measures: Measures) -> ReadFile:
    head = measures.head
    packed = file.file if isinstance(file.file, PackedFace) else None
    values = {
        "name": file.name,
        "person_name": (packed and packed.person_name) or "",
        "mtime_ns": file.state.mtime_ns,
        "size_bytes": file.state.size_bytes,
        "source_filename": (data.source_filename or "").encode(errors="replace").decode(),
        "face_type": data.face_type.dfl_name,
        "width": measures.size_hw[1],
        "height": measures.size_hw[0],
        "pitch": head and float(head.pitch_rad[0]),
        "yaw": head and float(head.yaw_rad[0]),
        "roll": head and float(head.roll_rad[0]),
        "sharpness": measures.sharpness,
        "brightness": measures.brightness,
        "light_side": measures.light_side,
        "mouth_open": measures.mouth_open,
        "rect_area": _rect_area(data),
        "has_mask": int(data.xseg_mask_compressed is not None),
        "has_labels": int(bool(data.seg_ie_polys)),
        "phash": measures.phash,
        "pack_offset": packed and packed.offset,
    }
    source = data.source_landmarks
    blobs = (
        pack_points(data.landmarks.tolist()),
        None if source is None else pack_points(source.tolist()),
        measures.thumb_grey.tobytes(),
    )
    return ReadFile(file.name, file.state, tuple(values[c] for c in _FACE_COLUMNS), blobs)


def _rect_area(data: FaceData) -> int:
    if data.source_rect is None:
        return 0
    left, top, right, bottom = data.source_rect
    return abs(right - left) * abs(bottom - top)


def _renamed(
    known: Mapping[str, FileState], present: Mapping[str, FileState], changes: IndexChanges
) -> dict[str, str]:
    """Old name -> new name of files that got another name and are else as they were, as after a
    sort. That is believed of a time of change that no other file of that size shares."""
    before = _by_state(known, (*changes.changed, *changes.removed))
    after = _by_state(present, (*changes.changed, *changes.added))
    return {
        before[state]: after[state]
        for state in before.keys() & after.keys()
        if state.mtime_ns % _COARSE_NS
    }


def _by_state(states: Mapping[str, FileState], names: Sequence[str]) -> dict[FileState, str]:
    """The names by their states, of those that are alone in theirs."""
    counts = Counter(states[name] for name in names)
    return {states[name]: name for name in names if counts[states[name]] == 1}


def _opened_or_new(path: Path) -> sqlite3.Connection:
    with opened_index(path) as index:
        is_sound = index is not None
    if not is_sound:
        _remove(path)
    try:
        return _connected(path, is_new=not is_sound)
    except DATABASE_ERRORS as error:
        raise _unwritable(path, error) from error


def _connected(path: Path, *, is_new: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # The index can be made again: a power cut may cost its last second, never its soundness.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if is_new:
            connection.executescript(f"{SCHEMA}PRAGMA user_version = {INDEX_VERSION};")
        elif connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            connection.close()
            _remove(path)
            return _connected(path, is_new=True)
    except DATABASE_ERRORS:
        connection.close()
        raise
    return connection


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        try:
            beside.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, beside) from error


def _unwritable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"cannot write the index {path}: {error}",
        "make room on the disk; the index may be deleted, it is then made anew",
        code="index",
    )
