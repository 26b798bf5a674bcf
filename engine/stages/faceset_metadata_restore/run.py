"""The stage `faceset-metadata-restore`: metadata from `meta.dat` back into face files.

Each file is replaced in one step. Faces that are as saved already are left alone, so a run that was
stopped goes on. `meta.dat` leaves for the trash only when nothing is left to be put right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import dict_from_data
from engine.faces.face_file import encode_face_jpeg, read_face_data, read_jpeg, replace_face_data
from engine.faces.jpeg_segments import read_head
from engine.faces.loose_faces import loose_faces
from engine.faces.metadata_file import (
    META_NAME,
    SIDECAR_NAME,
    SavedFace,
    SavedMetadata,
    read_metadata,
)
from engine.media.images import decode_face_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies, keep_as
from engine.protocol.workspace import Side
from engine.stages.beside import worker_count

_NAMED_AT_MOST = 20
_RESIZED_QUALITY = 100  # as DeepFaceLab


@dataclass(frozen=True)
class _Change:
    """What a face needs. is_loss: other metadata or another picture is replaced by it. present:
    the digest of the metadata that it has now."""

    path: Path
    saved: SavedFace
    is_resize: bool
    is_loss: bool
    present: bytes


@dataclass(frozen=True)
class _Plan:
    """right: faces that are as saved. without_entry: pictures that `meta.dat` does not know.
    unreadable: pictures that are no whole JPEG files, with the reason. misnamed: faces that hold
    what was saved of another name, with that name."""

    changes: tuple[_Change, ...]
    right: int
    without_entry: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]
    misnamed: tuple[tuple[str, str], ...]


def restore_metadata(context: StageContext) -> None:
    """Restore the metadata of the side's face files.

    Raises `InputError` without `meta.dat`, for one that cannot be used or knows none of the faces;
    `ConfirmationNeeded` when faces have something to lose, both before anything is written;
    `Stopped` with what is restored kept.
    """
    side = context.workspace.side(context.options["side"])
    saved = _saved(context, side)
    paths = loose_faces(side)
    plan = _plan(context, paths, saved)
    _require_sense(side, plan, saved)
    _require_confirmation(context, plan)
    sweep_parts(side.aligned)
    failed = _restore(context, side, plan)
    _finish(context, side, plan, saved, failed, {path.name for path in paths})


def _saved(context: StageContext, side: Side) -> SavedMetadata:
    path = side.aligned / META_NAME
    if not path.is_file():
        raise InputError(
            f"there is no {META_NAME} in {side.aligned}",
            f"run faceset-metadata-save --side {side.name} before editing the pictures",
            code="no-metadata",
        )
    return read_metadata(path, context.check_stop)


def _plan(context: StageContext, paths: Sequence[Path], saved: SavedMetadata) -> _Plan:
    changes: list[_Change] = []
    without_entry: list[str] = []
    unreadable: list[tuple[str, str]] = []
    right: set[str] = set()
    for number, path in enumerate(paths):
        context.check_stop()
        note = "comparing with what was saved"
        context.progress(number, len(paths), unit="faces", note=note, skipped=number)
        if path.name in saved.unusable:
            continue
        entry = saved.faces.get(path.name)
        if entry is None:
            without_entry.append(path.name)
            continue
        try:
            change = _change(path, entry)
        except InputError as error:
            unreadable.append((path.name, error.message))
            continue
        if change is None:
            right.add(path.name)
        else:
            changes.append(change)
    misnamed = _misnamed(changes, saved, right)
    changes = [change for change in changes if change.path.name not in misnamed]
    return _Plan(
        tuple(changes), len(right), tuple(without_entry), tuple(unreadable), tuple(misnamed.items())
    )


def _misnamed(
    changes: Sequence[_Change], saved: SavedMetadata, right: Collection[str]
) -> dict[str, str]:
    """Faces whose own metadata was saved under a name that another face has now, and that name.

    After sorting, or recovering names with several faces a frame, names go to other faces: their
    metadata would be given to the wrong ones. Copies of a face have what was saved of the first.
    """
    name_of = {
        _digest(dfl_pickle(dict_from_data(entry.data))): name
        for name, entry in saved.faces.items()
        if name not in right
    }
    return {
        change.path.name: name_of[change.present]
        for change in changes
        if name_of.get(change.present, change.path.name) != change.path.name
    }


def _digest(metadata: bytes) -> bytes:
    return hashlib.blake2b(metadata, digest_size=16).digest()


def _change(path: Path, saved: SavedFace) -> _Change | None:
    jpeg_bytes = read_jpeg(path)
    size_hw = read_head(jpeg_bytes).size_hw
    present = _present_metadata(jpeg_bytes)
    wanted = dfl_pickle(dict_from_data(saved.data))
    is_resize = size_hw != saved.size_hw
    if present == wanted and not is_resize:
        return None
    return _Change(
        path, saved, is_resize, is_resize or present is not None, _digest(present or b"")
    )


def _present_metadata(jpeg_bytes: bytes) -> bytes | None:
    """The picture's metadata as it would be written; b"" where it is damaged, None without.

    Raises `InputError` for what is no whole JPEG file.
    """
    replace_face_data(jpeg_bytes, None)
    try:
        data = read_face_data(jpeg_bytes)
    except InputError:
        return b""
    return None if data is None else dfl_pickle(dict_from_data(data))


def _require_sense(side: Side, plan: _Plan, saved: SavedMetadata) -> None:
    if plan.changes or plan.right or plan.unreadable or plan.misnamed:
        return
    raise InputError(
        f"{side.aligned / META_NAME} has an entry for none of the {len(plan.without_entry)} faces",
        "give the faces the names that they had when the metadata was saved"
        if saved.faces
        else "save the metadata again",
        code="names-differ",
    )


def _require_confirmation(context: StageContext, plan: _Plan) -> None:
    losing = [change for change in plan.changes if change.is_loss]
    if losing and not context.confirmed:
        resized = sum(change.is_resize for change in losing)
        raise ConfirmationNeeded(
            f"{len(losing)} faces have other metadata or another size than was saved"
            f" ({resized} would be resized); the first: {losing[0].path.name}",
            "confirm (--yes) to replace them; as they are now they are kept in the workspace's"
            " trash",
        )


def _restore(context: StageContext, side: Side, plan: _Plan) -> dict[str, str]:
    """Make the changes. Returns the names of faces that could not be changed -> the reason."""
    copies = TrashCopies(context.workspace, f"faceset-metadata-restore-{side.name}")
    jobs = (
        (change, copies.place(change.path) if change.is_loss else None) for change in plan.changes
    )
    total = len(plan.changes) + plan.right
    failed: dict[str, str] = {}
    context.progress(plan.right, total, unit="faces", skipped=plan.right)
    # Only resizing takes longer than the start of a process.
    processes = worker_count(context) if any(change.is_resize for change in plan.changes) else 1
    problems = context.map_in_processes(_restore_one, jobs, processes=processes)
    for number, (change, problem) in enumerate(zip(plan.changes, problems, strict=True), start=1):
        if problem:
            failed[change.path.name] = problem
        context.progress(plan.right + number, total, unit="faces", skipped=plan.right)
    if copies.folder is not None:
        context.note(f"the faces as they were are kept in {copies.folder}")
    return failed


def _restore_one(job: tuple[_Change, Path | None]) -> str:
    """Change a face; before, the file gets its second name in the trash, if it is to have one.
    Returns why it cannot be changed, or "". Raises `InputError` when the disk is full."""
    change, kept = job
    try:
        restored = _restored(change)
    except InputError as error:
        return error.message
    if kept is not None:
        keep_as(change.path, kept)
    write_atomically(change.path, restored, durable=False)
    return ""


def _restored(change: _Change) -> bytes:
    """The face file's new bytes. Raises `InputError` if its picture cannot be decoded or the
    metadata does not fit."""
    jpeg_bytes = read_jpeg(change.path)
    if not change.is_resize:
        return replace_face_data(jpeg_bytes, change.saved.data)
    image = decode_face_bgr_u8(jpeg_bytes, change.path)
    resized = cv2.resize(image, change.saved.size_hw[::-1], interpolation=cv2.INTER_LANCZOS4)
    return encode_face_jpeg(np.asarray(resized, np.uint8), _RESIZED_QUALITY, change.saved.data)


def _finish(
    context: StageContext,
    side: Side,
    plan: _Plan,
    saved: SavedMetadata,
    failed: dict[str, str],
    names: set[str],
) -> None:
    problems = [*plan.unreadable, *failed.items(), *saved.unusable.items()]
    gone = sorted(saved.faces.keys() - names)
    held = "stays as it is: it holds what was saved as"
    _tell(context, [f"{name!a} is not restored: {reason}" for name, reason in problems])
    _tell(context, [f"{name!a} {held} {was!a}" for name, was in plan.misnamed])
    _tell(context, [f"{name!a} has no entry in {META_NAME}" for name in plan.without_entry])
    _tell(context, [f"there is no face {name!a} any more, which was saved" for name in gone])
    _take_away(context, side, misnamed=len(plan.misnamed), problems=len(problems))
    context.result(
        restored=len(plan.changes) - len(failed),
        resized=sum(change.is_resize for change in plan.changes if change.path.name not in failed),
        right_already=plan.right,
        without_entry=len(plan.without_entry),
        entries_without_face=len(gone),
        misnamed=len(plan.misnamed),
        failed=len(problems),
        folder=str(side.aligned),
    )


def _take_away(context: StageContext, side: Side, *, misnamed: int, problems: int) -> None:
    """Move the saved metadata to the trash, unless somebody may need it yet."""
    if misnamed:
        context.warn(
            f"{META_NAME} stays, as {misnamed} faces have the names of others since it was saved",
            "they have their metadata; if other faces lack theirs, give all the names they had",
        )
    elif problems:
        context.warn(f"{META_NAME} stays, as not all could be restored", "put it right, run again")
    else:
        # The sidecar first: if only it left, the next run still finds the metadata.
        files = [side.aligned / SIDECAR_NAME, side.aligned / META_NAME]
        trash = context.workspace.move_to_trash(files, f"faceset-metadata-{side.name}")
        context.note(f"{META_NAME} moved to {trash}")


def _tell(context: StageContext, lines: list[str]) -> None:
    for line in lines[:_NAMED_AT_MOST]:
        context.warn(line)
    if len(lines) > _NAMED_AT_MOST:
        context.warn(f"... and {len(lines) - _NAMED_AT_MOST} more")
