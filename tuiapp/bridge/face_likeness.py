"""Faces that are like others, by what the index holds of them. Runs in threads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.protocol.face_index import index_path, opened_index
from engine.protocol.face_likeness import (
    DUPLICATE_MOST_BITS,
    DUPLICATE_MOST_MEAN_LEVELS,
    DUPLICATE_MOST_PIXEL_LEVELS,
    SAME_PERSON,
)
from engine.protocol.workspace import Workspace
from tuiapp.bridge.face_fields import Face, FaceKey

PIXELS_A_MEAN = 24


def same_person(
    workspace: Workspace, side_name: str, faces: Iterable[Face], reference: Face
) -> frozenset[FaceKey] | None:
    """Keys of the faces whose identity is near the reference's; None if the index has no identity
    of the reference. Raises InputError."""
    keys = {face.index_id: face.key for face in faces}
    found = _blobs(workspace, side_name, "identity", keys)
    if reference.index_id not in found:
        return None
    ids = list(found)
    vectors = np.frombuffer(b"".join(found.values()), "<f4").reshape(len(ids), -1)
    distances = np.linalg.norm(vectors - vectors[ids.index(reference.index_id)], axis=1)
    near = distances <= SAME_PERSON
    return frozenset(keys[id] for id, is_near in zip(ids, near, strict=True) if is_near)


def near_duplicates(
    workspace: Workspace, side_name: str, faces: Iterable[Face]
) -> frozenset[FaceKey] | None:
    """Keys of the faces that look nearly the same as a sharper one, which is none of them: all of
    them may go. Faces that are not in the index are left out; None if all are. Raises
    InputError."""
    indexed = {face.index_id: face for face in faces}
    thumbs = _blobs(workspace, side_name, "thumb", indexed)
    known = [face for id, face in indexed.items() if id in thumbs and face.phash is not None]
    if not known:
        return None
    known.sort(key=lambda face: -(face.sharpness or 0.0))
    hashes = np.array([face.phash for face in known], np.int64).view(np.uint64)
    levels = np.frombuffer(b"".join(thumbs[face.index_id] for face in known), np.uint8)
    return _superfluous(known, hashes, levels.reshape(len(known), -1).astype(np.int16))


def _superfluous(
    faces: list[Face], hashes: NDArray[np.uint64], levels: NDArray[np.int16]
) -> frozenset[FaceKey]:
    """Of faces in order of worth, those that look like one before them that is kept."""
    # Means of few pixels differ at most as much as the pixels do in the mean: they rule out most.
    means = levels.reshape(len(faces), -1, PIXELS_A_MEAN).mean(2, dtype=np.float32)
    kept = np.empty(len(faces), np.int64)
    count, found = 0, set()
    for n, face in enumerate(faces):
        bits_apart = np.bitwise_count(hashes[kept[:count]] ^ hashes[n])
        near = kept[:count][bits_apart <= DUPLICATE_MOST_BITS]
        near = near[np.abs(means[near] - means[n]).mean(1) <= DUPLICATE_MOST_MEAN_LEVELS]
        apart = np.abs(levels[near] - levels[n])
        near_in_mean = apart.mean(1) <= DUPLICATE_MOST_MEAN_LEVELS
        near_everywhere = apart.max(1) <= DUPLICATE_MOST_PIXEL_LEVELS
        if (near_in_mean & near_everywhere).any():
            found.add(face.key)
        else:
            kept[count] = n
            count += 1
    return frozenset(found)


def _blobs(
    workspace: Workspace, side_name: str, column: str, wanted: Iterable[int | None]
) -> dict[int | None, bytes]:
    ids = frozenset(wanted)
    with opened_index(index_path(workspace, side_name)) as index:
        if index is None:
            return {}
        return {id: blob for id, blob in index.blobs(column) if id in ids}
