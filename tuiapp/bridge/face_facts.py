"""Files on disk joined with what the index knows of them. Runs in threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.face_index import (
    FaceDetails,
    FaceRow,
    FileState,
    index_path,
    opened_index,
    pack_file,
)
from engine.protocol.workspace import Workspace
from tuiapp.bridge.face_fields import Face
from tuiapp.bridge.face_folder import list_faces


@dataclass(frozen=True)
class FacesetFacts:
    """The faces of a side's folder; `indexed` of them are known to the index as they are now.
    `no_faces` are those that it left out as none. `problem`: why an index that is there tells
    nothing. `packed`: they lie in a faceset.pak; those
    that the index does not know are then not among them."""

    faces: tuple[Face, ...]
    indexed: int
    problem: str = ""
    packed: bool = False
    no_faces: int = 0


def read_faceset(workspace: Workspace, side_name: str) -> FacesetFacts:
    """One look at the folder and, if there is one, the index. Raises InputError."""
    side = workspace.side(side_name)
    packed = pack_file(side)
    if packed is not None:
        return _read_packed(index_path(workspace, side_name), packed)
    files = list_faces(side)
    known, problem = _known(index_path(workspace, side_name))
    of_face = _rows_of(files, known.rows)
    faces = tuple(
        _with_row(face, of_face.get(face.name), known.no_faces.get((face.name, *face.key[1:]), ""))
        for face in files
    )
    indexed = sum(face.index_id is not None for face in faces)
    no_faces = sum(bool(face.no_face) for face in faces)
    return FacesetFacts(faces, indexed, problem, no_faces=no_faces)


def _read_packed(path: Path, pack: FileState) -> FacesetFacts:
    """Only the index knows where in the pack a face lies."""
    known, problem = _known(path)
    faces = [
        _with_row(Face(row.name, (row.pack_offset, row.mtime_ns, row.size_bytes)), row)
        for row in known.rows
        if row.pack_offset is not None and row.mtime_ns == pack.mtime_ns
    ]
    return FacesetFacts(tuple(faces), len(faces), problem, packed=True)


@dataclass(frozen=True)
class _Known:
    """What an index holds; no_faces: why a file of that name, mtime_ns and size is none."""

    rows: list[FaceRow]
    no_faces: Mapping[tuple[str, int, int], str]


def _known(path: Path) -> tuple[_Known, str]:
    """A damaged index is as good as none, but told."""
    try:
        with opened_index(path) as index:
            if index is None:
                return _Known([], {}), ""
            reasons = index.skipped()
            files = index.known_files() if reasons else {}
            no_faces = {(name, *files[name]): why for name, why in reasons.items() if name in files}
            return _Known(index.rows(), no_faces), ""
    except InputError as error:
        return _Known([], {}), error.message


def _rows_of(files: Iterable[Face], rows: Iterable[FaceRow]) -> dict[str, FaceRow]:
    """Each file's row, by the file's name. A file that has another name since the index was made,
    as all have after a sort, is known by its time and size, where no other has these."""
    by_name = {(row.name, row.mtime_ns, row.size_bytes): row for row in rows}
    found, renamed = {}, []
    for file in files:
        row = by_name.pop((file.name, *file.key[1:]), None)
        if row is not None:
            found[file.name] = row
        else:
            renamed.append(file)
    states = Counter((row.mtime_ns, row.size_bytes) for row in by_name.values())
    files_of = Counter(file.key[1:] for file in renamed)
    by_state = {(row.mtime_ns, row.size_bytes): row for row in by_name.values()}
    for file in renamed:
        if states[file.key[1:]] == files_of[file.key[1:]] == 1:
            found[file.name] = by_state[file.key[1:]]
    return found


def _with_row(face: Face, row: FaceRow | None, no_face: str = "") -> Face:
    if row is None:
        return replace(face, no_face=no_face) if no_face else face
    return Face(
        face.name,
        face.key,
        source_filename=row.source_filename,
        yaw_rad=row.yaw_rad,
        pitch_rad=row.pitch_rad,
        roll_rad=row.roll_rad,
        sharpness=row.sharpness,
        brightness=row.brightness,
        mouth_open=row.mouth_open,
        rect_area_px=row.rect_area_px or None,
        phash=row.phash,
        index_id=row.id,
        pack_offset=row.pack_offset,
    )


def read_details(workspace: Workspace, side_name: str, face: Face) -> FaceDetails | None:
    """The face's landmarks; None where the index does not know it. Raises InputError."""
    if face.index_id is None:
        return None
    with opened_index(index_path(workspace, side_name)) as index:
        return index.details(face.index_id) if index is not None else None


def faceset_version(workspace: Workspace, side_name: str) -> tuple[int | None, ...]:
    """Changes when files come, go or are renamed, and when the index is written."""
    index = index_path(workspace, side_name)
    log = index.with_name(index.name + "-wal")
    return tuple(_mtime_ns(path) for path in (workspace.side(side_name).aligned, index, log))


def _mtime_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
