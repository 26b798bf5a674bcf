"""A faceset's index: what is known of every face, in `.facewright/index/SIDE.sqlite`.

The engine writes it (`engine.faces.face_index`); the app and the engine read it here, also while it
is being written (SQLite's write-ahead log: readers are never blocked). It holds nothing that is not
in the face files: it may be deleted at any time, and a damaged one is as good as none.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.protocol.database_errors import DATABASE_ERRORS
from engine.protocol.errors import InputError
from engine.protocol.files import is_file, is_utf8
from engine.protocol.workspace import FACE_SUFFIXES, Side, Workspace

INDEX_VERSION = 3  # of the schema and of what the numbers mean; an index of another is made anew
SCHEMA = """
CREATE TABLE faces (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, person_name TEXT NOT NULL,
  mtime_ns INTEGER NOT NULL, size_bytes INTEGER NOT NULL, source_filename TEXT NOT NULL,
  face_type TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  pitch REAL, yaw REAL, roll REAL,
  sharpness REAL NOT NULL, brightness REAL NOT NULL, light_side REAL NOT NULL,
  mouth_open REAL NOT NULL, rect_area INTEGER NOT NULL,
  has_mask INTEGER NOT NULL, has_labels INTEGER NOT NULL, phash INTEGER NOT NULL,
  pack_offset INTEGER,
  UNIQUE (name, person_name));
CREATE TABLE details (
  face_id INTEGER PRIMARY KEY REFERENCES faces (id) ON DELETE CASCADE,
  landmarks BLOB NOT NULL, source_landmarks BLOB, thumb BLOB NOT NULL, identity BLOB);
CREATE TABLE skipped (
  name TEXT PRIMARY KEY, mtime_ns INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
PACK_MTIME, PACK_BYTES = "pack_mtime_ns", "pack_size_bytes"  # facts of an index of a faceset.pak
_LANDMARKS = struct.Struct("<136f")


class FaceRow(NamedTuple):
    """One face, in the table's order (an SQL column is the name without its unit).

    person_name: "" but in packs of several persons. Angles as in `engine.faces.head_fit`, signs as
    in `engine.faces.pose`; None where the landmarks are no head. sharpness: variance of the
    Laplacian inside the face's outline. brightness: mean luma inside it, 0..1. light_side: -1..1,
    positive when the picture's right half of the face is the brighter one. mouth_open: gap of the
    inner lips in lengths of the nose: 0 closed, above 0.3 open. rect_area_px: of the detector's
    rectangle in the frame, 0 if unknown.
    phash: 64 bits that nearly equal pictures share, as a signed number. pack_offset: where in the
    `faceset.pak` the face file begins, size_bytes long; None for a file of its own.
    """

    id: int
    name: str
    person_name: str
    mtime_ns: int
    size_bytes: int
    source_filename: str
    face_type: str
    width_px: int
    height_px: int
    pitch_rad: float | None
    yaw_rad: float | None
    roll_rad: float | None
    sharpness: float
    brightness: float
    light_side: float
    mouth_open: float
    rect_area_px: int
    has_mask: int
    has_labels: int
    phash: int
    pack_offset: int | None


COLUMNS = (
    *("id", "name", "person_name", "mtime_ns", "size_bytes", "source_filename", "face_type"),
    *("width", "height", "pitch", "yaw", "roll", "sharpness", "brightness"),
    *("light_side", "mouth_open", "rect_area", "has_mask", "has_labels", "phash"),
    "pack_offset",
)
BLOB_COLUMNS = ("landmarks", "source_landmarks", "thumb", "identity")
RANGE_COLUMNS = frozenset(
    {"pitch", "yaw", "roll", "sharpness", "brightness", "light_side", "mouth_open", "rect_area"}
    | {"width", "height", "size_bytes", "has_mask", "has_labels"}
)

Range = tuple[float | None, float | None]  # from, to; both included, None: no limit


@dataclass(frozen=True)
class FaceDetails:
    """A face's landmarks: 68 points (x, y), in its own picture and (if known) in its frame."""

    landmarks_xy: tuple[tuple[float, float], ...]
    source_landmarks_xy: tuple[tuple[float, float], ...] | None


class FileState(NamedTuple):
    """What tells whether a file changed."""

    mtime_ns: int
    size_bytes: int


@dataclass(frozen=True)
class IndexChanges:
    """What happened to a faceset since its index was made, by file name. A changed pack counts as
    one changed file."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def index_path(workspace: Workspace, side_name: str) -> Path:
    """Where the side's index lies."""
    return workspace.state / "index" / f"{side_name}.sqlite"


class FaceIndex:
    """An index to read. Make it with `opened_index`; each call sees what is written by then."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self) -> int:
        """How many faces are in it."""
        return int(self._connection.execute("SELECT count(*) FROM faces").fetchone()[0])

    def rows(
        self,
        ranges: Mapping[str, Range] | None = None,
        *,
        order_by: str = "name",
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[FaceRow]:
        """The faces whose columns lie within `ranges` (column to from-to; faces without a pose lie
        in no range of angles), in the order of a column, then by name.

        Raises `ValueError` for a column that is not one of `RANGE_COLUMNS` (to order: `COLUMNS`).
        """
        conditions, values = _conditions(ranges or {})
        if order_by not in COLUMNS:
            raise ValueError(f"no column {order_by!r} to order by: {' '.join(COLUMNS)}")
        direction = "DESC" if descending else "ASC"
        # By name, the order is that of the table's own index, and nothing needs to be sorted.
        ties = f"person_name {direction}" if order_by == "name" else "name, person_name"
        found = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM faces {conditions}"
            f" ORDER BY {order_by} {direction}, {ties} LIMIT ? OFFSET ?",
            (*values, -1 if limit is None else limit, offset),
        )
        try:
            return msgspec.convert(found.fetchall(), list[FaceRow])
        except msgspec.ValidationError as error:
            raise sqlite3.DatabaseError(f"a row is damaged: {error}") from error

    def details(self, face_id: int) -> FaceDetails | None:
        """The landmarks of the face of that `FaceRow.id`; None if it is gone."""
        found = self._connection.execute(
            "SELECT landmarks, source_landmarks FROM details WHERE face_id = ?", (face_id,)
        ).fetchone()
        if found is None:
            return None
        return FaceDetails(_points(found[0]), _points(found[1]) if found[1] else None)

    def skipped(self) -> dict[str, str]:
        """Files of the folder that are no faces, with the reason."""
        return dict(self._connection.execute("SELECT name, reason FROM skipped ORDER BY name"))

    def identities(self, ids: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """(id, identity) of those of these faces that have one, by id; see `blobs`."""
        wanted = frozenset(ids)
        return ((key, blob) for key, blob in self.blobs("identity") if key in wanted)

    def blobs(self, column: str) -> Iterator[tuple[int, bytes]]:
        """(id, blob) of the faces that have one, by id. Columns: `landmarks`, `source_landmarks`
        (136 float32), `thumb` (a grey picture of `engine.faces.face_measures.THUMB_PX` squared
        bytes), `identity` (128 float32). Raises `ValueError` for another column."""
        if column not in BLOB_COLUMNS:
            raise ValueError(f"no column {column!r} of blobs: {' '.join(BLOB_COLUMNS)}")
        return self._connection.execute(
            f"SELECT face_id, {column} FROM details WHERE {column} IS NOT NULL ORDER BY face_id"
        )

    def known_files(self) -> dict[str, FileState]:
        """Every file that was read, faces and others, as it was then."""
        found = self._connection.execute(
            "SELECT name, mtime_ns, size_bytes FROM faces"
            " UNION ALL SELECT name, mtime_ns, size_bytes FROM skipped"
        )
        return {name: FileState(mtime_ns, size) for name, mtime_ns, size in found}

    def pack_state(self) -> FileState | None:
        """The `faceset.pak` that was read, as it was then; None for loose faces."""
        facts = dict(self._connection.execute("SELECT name, value FROM facts"))
        if PACK_MTIME not in facts or PACK_BYTES not in facts:
            return None
        return FileState(facts[PACK_MTIME], facts[PACK_BYTES])

    def changes(self, side: Side) -> IndexChanges:
        """What was added, changed and removed since: one look at the folder, no file is opened."""
        packed, known_pack = pack_file(side), self.pack_state()
        if packed is not None:
            name = side.pack.name
            if known_pack is None:
                return IndexChanges(added=(name,))
            return IndexChanges(changed=(name,) if packed != known_pack else ())
        present = face_files(side.aligned)
        if known_pack is not None:
            return IndexChanges(added=tuple(sorted(present)), removed=(side.pack.name,))
        return changes_between(self.known_files(), present)


@contextmanager
def opened_index(path: Path) -> Iterator[FaceIndex | None]:
    """The index at `path` to read in the block; None if there is none that can be read (missing,
    damaged, of another version): then it is to be made anew. Blocks nobody.

    Raises `InputError` when it turns out to be damaged in the block.
    """
    connection = _connect(path)
    if connection is None:
        yield None
        return
    with closing(connection):
        try:
            yield FaceIndex(connection)
        except DATABASE_ERRORS as error:
            raise InputError(
                f"the index {path} cannot be read: {error}", "run faceset-index", code="index"
            ) from error


def face_files(folder: Path) -> dict[str, FileState]:
    """The visible JPEG files of a folder as they are now; {} if there is no such folder. Those
    that no index can hold (`is_utf8`) are left out."""
    if not folder.is_dir():
        return {}
    present = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - 100k names
            is_face = suffix in FACE_SUFFIXES and not entry.name.startswith(".")
            if is_face and is_utf8(entry.name) and is_file(entry):
                status = entry.stat()
                present[entry.name] = FileState(status.st_mtime_ns, status.st_size)
    return present


def pack_file(side: Side) -> FileState | None:
    """The side's `faceset.pak` as it is now; None if there is none."""
    try:
        status = side.pack.stat()
    except OSError:
        return None
    return FileState(status.st_mtime_ns, status.st_size)


def changes_between(
    known: Mapping[str, FileState], present: Mapping[str, FileState]
) -> IndexChanges:
    """What leads from the known files to the present ones."""
    return IndexChanges(
        added=tuple(sorted(present.keys() - known.keys())),
        changed=tuple(sorted(n for n, s in present.items() if n in known and known[n] != s)),
        removed=tuple(sorted(known.keys() - present.keys())),
    )


def pack_points(points: Sequence[Sequence[float]]) -> bytes:
    """68 points as the blob that the index holds: little-endian float32, x and y in turn."""
    return _LANDMARKS.pack(*(number for point in points for number in point))


def _points(blob: bytes) -> tuple[tuple[float, float], ...]:
    try:
        numbers = _LANDMARKS.unpack(blob)
    except (struct.error, TypeError) as error:
        raise sqlite3.DatabaseError("landmarks are damaged") from error
    return tuple(zip(numbers[0::2], numbers[1::2], strict=True))


def _connect(path: Path) -> sqlite3.Connection | None:
    if not path.is_file():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute("SELECT id FROM faces LIMIT 1").fetchone()
    except DATABASE_ERRORS:
        version = None  # damaged, or made this moment: no tables yet
    if version == INDEX_VERSION:
        return connection
    connection.close()
    return None


def _conditions(ranges: Mapping[str, Range]) -> tuple[str, list[float]]:
    parts: list[str] = []
    values: list[float] = []
    for column, (lowest, highest) in ranges.items():
        if column not in RANGE_COLUMNS:
            raise ValueError(f"no column {column!r} with ranges: {' '.join(sorted(RANGE_COLUMNS))}")
        for sign, limit in ((">=", lowest), ("<=", highest)):
            if limit is not None:
                parts.append(f"{column} {sign} ?")
                values.append(limit)
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), values
