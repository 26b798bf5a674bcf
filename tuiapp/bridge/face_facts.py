"""Files on disk joined with what the index knows of them. Runs in threads."""

from __future__ import annotations

from dataclasses import dataclass
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
    `problem`: why an index that is there tells nothing. `packed`: they lie in a faceset.pak; those
    that the index does not know are then not among them."""

    faces: tuple[Face, ...]
    indexed: int
    problem: str = ""
    packed: bool = False


def read_faceset(workspace: Workspace, side_name: str) -> FacesetFacts:
    """One look at the folder and, if there is one, the index. Raises InputError."""
    side = workspace.side(side_name)
    packed = pack_file(side)
    if packed is not None:
        return _read_packed(index_path(workspace, side_name), packed)
    files = list_faces(side)
    rows, problem = _rows(index_path(workspace, side_name))
    known = {(row.name, row.mtime_ns, row.size_bytes): row for row in rows}
    faces = tuple(_with_row(face, known.get((face.name, *face.key[1:]))) for face in files)
    return FacesetFacts(faces, sum(face.index_id is not None for face in faces), problem)


def _read_packed(path: Path, pack: FileState) -> FacesetFacts:
    """Only the index knows where in the pack a face lies."""
    rows, problem = _rows(path)
    faces = [
        _with_row(Face(row.name, (row.pack_offset, row.mtime_ns, row.size_bytes)), row)
        for row in rows
        if row.pack_offset is not None and row.mtime_ns == pack.mtime_ns
    ]
    return FacesetFacts(tuple(faces), len(faces), problem, packed=True)


def _rows(path: Path) -> tuple[list[FaceRow], str]:
    """A damaged index is as good as none, but told."""
    try:
        with opened_index(path) as index:
            return (index.rows() if index is not None else []), ""
    except InputError as error:
        return [], error.message


def _with_row(face: Face, row: FaceRow | None) -> Face:
    if row is None:
        return face
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
