"""Bringing a side's index up to date: what the stages faceset-index and faceset-report share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from engine.detect.identity import identity_of_face, load_identity_net
from engine.faces.face_file import read_face_data
from engine.faces.face_index import (
    FaceFile,
    IndexWriter,
    chunks,
    files_of,
    read_files,
)
from engine.faces.faceset import LooseFace
from engine.faces.faceset_pack import PackedFace
from engine.protocol.errors import InputError
from engine.protocol.face_index import index_path
from engine.protocol.files import is_utf8
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.beside import worker_count

_IDENTITY_CHUNK = 8  # faces: under a second of work
# So few are done sooner than processes start (about 1 s).
_FEW_FILES, _FEW_FACES = 200, 20

_Wanted = tuple[int, LooseFace | PackedFace]


@dataclass(frozen=True)
class Filled:
    """What was done: files read now, faces that got an identity now."""

    read: int
    identified: int


def fill_index(context: StageContext, side: Side, *, with_identity: bool) -> Filled:
    """Read what is new or changed on that side into its index.

    Raises `InputError` for a pack that cannot be used or a disk that is full; `Stopped` with
    everything read so far kept.
    """
    _tell_odd_names(context, side)
    with IndexWriter(index_path(context.workspace, side.name)) as writer:
        files = writer.files_to_read(side)
        writer.commit()
        _read_faces(context, writer, files)
        identified = _identify(context, writer, side) if with_identity else 0
    return Filled(len(files), identified)


def _tell_odd_names(context: StageContext, side: Side) -> None:
    for path in side.aligned.iterdir() if side.aligned.is_dir() else ():
        if not is_utf8(path.name):
            shown = os.fsencode(path.name).decode(errors="replace")
            context.warn(f"{shown} is left out: its name is not UTF-8", "rename the file")


def _read_faces(context: StageContext, writer: IndexWriter, files: list[FaceFile]) -> None:
    known = writer.index.count()
    done, total = known, known + len(files)
    context.progress(done, total, unit="faces", skipped=known)
    in_processes = worker_count(context) if len(files) > _FEW_FILES else 1
    for read in context.map_in_processes(read_files, chunks(files), processes=in_processes):
        writer.add(read)
        writer.commit_if_due()
        done += len(read)
        context.progress(done, total, unit="faces", skipped=known)
    writer.commit()


def _identify(context: StageContext, writer: IndexWriter, side: Side) -> int:
    known = {face_id for face_id, _ in writer.index.blobs("identity")}
    rows = writer.index.rows()
    wanted = list(files_of(side, (row for row in rows if row.id not in known)))
    done, total = len(rows) - len(wanted), len(rows)
    in_processes = worker_count(context) if len(wanted) > _FEW_FACES else 1
    portions = (
        wanted[start : start + _IDENTITY_CHUNK] for start in range(0, len(wanted), _IDENTITY_CHUNK)
    )
    for found in context.map_in_processes(
        identities_of_files, portions, processes=in_processes, initializer=load_identity_net
    ):
        writer.add_identities((face_id, blob) for face_id, blob, _ in found if blob)
        writer.commit_if_due()
        _tell_unreadable(context, found)
        done += len(found)
        context.progress(done, total, unit="identities", skipped=total - len(wanted))
    writer.commit()
    return len(wanted)


def identities_of_files(files: Sequence[_Wanted]) -> list[tuple[int, bytes, str]]:
    """(id, identity as bytes, "") of each face, or (id, b"", why there is none)."""
    return [(face_id, *_identity(file)) for face_id, file in files]


def _identity(file: LooseFace | PackedFace) -> tuple[bytes, str]:
    try:
        jpeg_bytes = file.read_jpeg()
        data = read_face_data(jpeg_bytes)
        if data is None:
            return b"", "it has no face metadata"
        return identity_of_face(jpeg_bytes, data.landmarks).tobytes(), ""
    except InputError as error:
        return b"", error.message


def _tell_unreadable(context: StageContext, found: list[tuple[int, bytes, str]]) -> None:
    for _, blob, reason in found:
        if not blob:
            context.warn(f"a face has no identity: {reason}", "run this stage again")
