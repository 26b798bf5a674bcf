"""The stage `faceset-pack`: face files into `faceset.pak`.

The originals leave only after the pack stands and was read back. A note in the stage state says
that they are leaving, so that a run killed in between goes on with the rest instead of taking the
few that are left for the faceset.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.faces.face_file import read_face_data, read_jpeg
from engine.faces.faceset_pack import PackedFace, read_pack_list
from engine.faces.pack_writer import FaceToPack, write_pack
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts, write_atomically
from engine.protocol.needs import no_faces_in
from engine.protocol.stage import StageContext
from engine.protocol.survey import stage_state_of
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images, make_folder
from engine.stages.loose_faces import NO_FACE_REMEDY

_NAMED_AT_MOST = 20


def pack_faceset(context: StageContext) -> None:
    """Pack the side's faces, and move the packed files to the trash if asked to.

    Raises `InputError` without faces or room; `ConfirmationNeeded` when a pack of other faces is in
    the way, or originals are to leave without the user's word; `Stopped` with everything as it was.
    No face is only in a file that is being written.
    """
    side = context.workspace.side(context.options["side"])
    sweep_parts(side.aligned)
    faces = _faces_to_pack(context, side)
    there_already = _packed_already(context, side, faces)
    _require_confirmation(context, side, faces if there_already is None else there_already)
    if there_already is None:
        _make_way(context, side)
        packed = written = _pack(context, side, faces)
    else:
        packed, written = there_already, []
        context.note(f"{side.pack} holds these faces already")
    if context.options["delete_originals"]:
        _remove_originals(context, side, packed)
    _report(context, side, written=len(written), packed=len(packed), pictures=len(faces))


def _faces_to_pack(context: StageContext, side: Side) -> list[FaceToPack]:
    faces = [FaceToPack(path) for path in list_images(side.aligned, FACE_SUFFIXES)]
    folders = side.person_folders()
    if context.options["persons"]:
        faces += [
            FaceToPack(path, folder.name)
            for folder in folders
            for path in list_images(folder, FACE_SUFFIXES)
        ]
    elif folders:
        context.note(f"{len(folders)} sub-folders with pictures are left alone")
    if not faces and not side.pack.is_file():
        raise no_faces_in(side)
    return faces


def _packed_already(
    context: StageContext, side: Side, faces: Sequence[FaceToPack]
) -> list[FaceToPack] | None:
    """Those of `faces` that are in the pack, if it needs no writing; else None.

    It needs none if there are no face files beside it, if it holds these faces and no others, or
    these and more because an earlier run was killed while the originals left.
    """
    if not side.pack.is_file():
        return None
    entries = (
        _readable_list(context, side) if faces else read_pack_list(side.pack, context.check_stop)
    )
    in_pack = {(entry.person_name, entry.name): entry for entry in entries}
    matching = []
    for number, face in enumerate(faces):
        context.check_stop()
        note = "comparing with the pack"
        context.progress(number, len(faces), unit="faces", note=note, skipped=number)
        entry = in_pack.get((face.person_name, face.path.name))
        if entry is not None and _is_same(face.path, entry):
            matching.append(face)
        elif _is_face(face.path):
            return None
    if len(matching) in (0, len(in_pack)):
        return matching if in_pack else None
    was_leaving = stage_state_of(context.workspace, _state_name(side)) == _identity(side.pack)
    return matching if was_leaving else None


def _readable_list(context: StageContext, side: Side) -> list[PackedFace]:
    try:
        return read_pack_list(side.pack, context.check_stop)
    except InputError as error:
        context.warn(error.message, "it is replaced once you confirm")
        return []


def _is_same(path: Path, entry: PackedFace) -> bool:
    return path.stat().st_size == entry.size_bytes and read_jpeg(path) == entry.read_jpeg()


def _is_face(path: Path) -> bool:
    try:
        return read_face_data(path) is not None
    except InputError:
        return False


def _require_confirmation(context: StageContext, side: Side, leaving: Sequence[FaceToPack]) -> None:
    if context.options["delete_originals"] and leaving and not context.confirmed:
        raise ConfirmationNeeded(
            f"up to {len(leaving)} packed files in {side.aligned} are to go to the trash",
            "confirm (--yes), or leave out --delete-originals",
        )


def _make_way(context: StageContext, side: Side) -> None:
    if not side.pack.is_file():
        return
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"{side.pack} is there already and holds other faces than the files in"
            f" {side.aligned.name}",
            "confirm (--yes) to move it to the workspace's trash, or run faceset-unpack first to"
            " bring both together",
        )
    copies = TrashCopies(context.workspace, f"faceset-pack-{side.name}")
    copies.keep(side.pack)
    context.note(f"the earlier pack is kept in {copies.folder}")


def _pack(context: StageContext, side: Side, faces: Sequence[FaceToPack]) -> list[FaceToPack]:
    def tell(done: int, total: int) -> None:
        context.check_stop()
        context.progress(done // 2, total // 2, unit="faces")

    outcome = write_pack(side.pack, faces, tell)
    for face, reason in outcome.left_out[:_NAMED_AT_MOST]:
        context.warn(f"{face.path.name} is left out and stays: {reason}", NO_FACE_REMEDY)
    if len(outcome.left_out) > _NAMED_AT_MOST:
        context.warn(f"{len(outcome.left_out)} pictures are left out in all")
    context.progress(len(faces), len(faces), unit="faces")
    return list(outcome.packed)


def _remove_originals(context: StageContext, side: Side, packed: Sequence[FaceToPack]) -> None:
    state = context.workspace.stage_state / f"{_state_name(side)}.json"
    make_folder(state.parent)
    write_atomically(state, json.dumps(_identity(side.pack)).encode())
    label = f"faceset-pack-{side.name}"
    trash = context.workspace.move_to_trash([face.path for face in packed], label)
    for folder in {face.path.parent for face in packed if face.person_name is not None}:
        if not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    state.unlink()
    if trash is not None:
        context.note(f"{len(packed)} packed files moved to {trash}")


def _state_name(side: Side) -> str:
    return f"faceset-pack-{side.name}"


def _identity(pack: Path) -> dict[str, Any]:
    status = pack.stat()
    return {"pack_bytes": status.st_size, "pack_mtime_ns": status.st_mtime_ns}


def _report(context: StageContext, side: Side, *, written: int, packed: int, pictures: int) -> None:
    """written: faces packed by this run. packed: those of the `pictures` beside it that the pack
    holds."""
    entries = read_pack_list(side.pack, context.check_stop)
    persons = Counter(entry.person_name for entry in entries if entry.person_name is not None)
    context.progress(pictures, pictures, unit="faces")
    context.result(
        faces=len(entries),
        written=written,
        left_out=pictures - packed,
        persons=len(persons),
        bytes=side.pack.stat().st_size,
        originals_to_trash=packed if context.options["delete_originals"] else 0,
        pack=str(side.pack),
    )
