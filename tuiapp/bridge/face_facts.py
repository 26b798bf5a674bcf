"""Files on disk joined with what the index knows of them. Runs in threads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.protocol.face_index import FaceDetails, FaceRow, index_path, opened_index
from engine.protocol.workspace import Workspace
from tuiapp.bridge.face_fields import Face, FaceKey
from tuiapp.bridge.face_folder import list_faces

# Distance of two identity vectors up to which they are taken for one person, and bits by which
# perceptual hashes of nearly equal pictures may differ.
SAME_PERSON_DISTANCE = 0.5
SAME_PICTURE_BITS = 4
_HASH_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class FacesetFacts:
    """The faces of a side's folder; `indexed` of them are known to the index as they are now."""

    faces: tuple[Face, ...]
    indexed: int


def read_faceset(workspace: Workspace, side_name: str) -> FacesetFacts:
    """One look at the folder and, if there is one, the index. Raises InputError."""
    files = list_faces(workspace.side(side_name))
    with opened_index(index_path(workspace, side_name)) as index:
        rows = index.rows() if index is not None else []
    known = {(row.name, row.mtime_ns, row.size_bytes): row for row in rows}
    faces = tuple(
        _with_row(face, known.get((face.name, face.mtime_ns, face.size_bytes))) for face in files
    )
    return FacesetFacts(faces, sum(face.index_id is not None for face in faces))


def _with_row(face: Face, row: FaceRow | None) -> Face:
    if row is None:
        return face
    return replace(
        face,
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
    )


def read_details(workspace: Workspace, side_name: str, face: Face) -> FaceDetails | None:
    """The face's landmarks; None where the index does not know it. Raises InputError."""
    if face.index_id is None:
        return None
    with opened_index(index_path(workspace, side_name)) as index:
        return index.details(face.index_id) if index is not None else None


def same_person(
    workspace: Workspace, side_name: str, faces: Iterable[Face], reference: Face
) -> frozenset[FaceKey] | None:
    """Keys of the faces whose identity is near the reference's; None if the index has no identity
    of the reference. Raises InputError."""
    import numpy as np

    keys = {face.index_id: face.key for face in faces if face.index_id is not None}
    with opened_index(index_path(workspace, side_name)) as index:
        found = dict(index.identities(list(keys))) if index is not None else {}
    if reference.index_id not in found:
        return None
    ids = list(found)
    vectors = np.frombuffer(b"".join(found.values()), "<f4").reshape(len(ids), -1)
    distances = np.linalg.norm(vectors - vectors[ids.index(reference.index_id)], axis=1)
    return frozenset(
        keys[id] for id, near in zip(ids, distances <= SAME_PERSON_DISTANCE, strict=True) if near
    )


def near_duplicates(faces: Iterable[Face]) -> frozenset[FaceKey]:
    """Keys of the faces that look nearly like another of them, by the index's picture hashes.

    Compares all pairs: 20 000 faces take about a second.
    """
    import numpy as np

    hashed = [face for face in faces if face.phash is not None]
    hashes = np.array([face.phash for face in hashed], np.int64).view(np.uint64)
    alike = np.zeros(len(hashes), np.int64)
    for first in range(0, len(hashes), _HASH_ROWS_AT_ONCE):
        rows = hashes[first : first + _HASH_ROWS_AT_ONCE, None]
        near = np.bitwise_count(rows ^ hashes[None]) <= SAME_PICTURE_BITS
        alike[first : first + len(rows)] = near.sum(1)
    return frozenset(face.key for face, count in zip(hashed, alike, strict=True) if count > 1)


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
