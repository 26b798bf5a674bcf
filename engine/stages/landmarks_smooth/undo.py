"""The faces that the last smoothing replaced, put back.

Each goes back in one step, and the one that was there goes to the trash. The folder that they come
from is renamed at the end; an interrupted undo goes on with those that are left in it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data, read_jpeg, replace_face_data
from engine.faces.jpeg_segments import read_head
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import disk_error, move, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images
from engine.stages.landmarks_smooth.faces import is_smoothed
from engine.stages.landmarks_smooth.recut import carried_labels

UNDONE = "-undone"


@dataclass
class Undone:
    """What came of the faces. labelled: put back with labels or masks that are newer than they.
    left: not put back, as another face has their name by now, or none."""

    restored: int = 0
    labelled: int = 0
    left: list[str] = field(default_factory=list)


def undo_last(context: StageContext, side: Side, label: str) -> Undone:
    """Put back what the last smoothing (whose trash folder bears the label) replaced.

    Raises `InputError` if there is none or the disk is full, `ConfirmationNeeded`, `Stopped` with
    each face whole, smoothed or not.
    """
    inside = side.aligned.relative_to(context.workspace.root)
    folder = _newest(context, label, inside)
    originals = list_images(folder / inside, FACE_SUFFIXES)
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(originals)} faces in {side.aligned} are to be replaced by those in {folder}",
            "confirm (--yes): the smoothed ones go to the workspace's trash",
        )
    trash = TrashCopies(context.workspace, f"{label}-undo")
    undone = Undone()
    for number, original in enumerate(originals, start=1):
        context.check_stop()
        _put_back(original, side.aligned / original.name, trash, undone)
        context.progress(number, len(originals), unit="faces", note="putting back")
    _rename(folder)
    return undone


def _newest(context: StageContext, label: str, inside: Path) -> Path:
    """The newest of the label's trash folders that holds replaced faces; others hold pictures that
    were never put in place."""
    trash = context.workspace.trash
    stamped = (*trash.glob(f"*-{label}"), *trash.glob(f"*-{label}-[0-9]*"))
    found = [
        path for path in stamped if (path / inside).is_dir() and not path.name.endswith(UNDONE)
    ]
    if not found:
        raise InputError(
            f"no smoothing to undo: {trash} holds no folder that ends with {label}",
            "smooth with --strength 0 to cut the faces by the landmarks as found",
            code="nothing-to-undo",
        )
    return max(found, key=lambda path: (path.name[: len("20260101-000000")], len(path.name)))


def _put_back(original: Path, target: Path, trash: TrashCopies, undone: Undone) -> None:
    try:
        smoothed = read_face_data(target) if target.is_file() else None
    except InputError:
        smoothed = None
    if smoothed is None or not is_smoothed(smoothed):
        undone.left.append(original.name)  # deleted, renamed or extracted again since
        return
    trash.keep(target)
    original_bytes = read_jpeg(original)
    relabelled = _with_newer_labels(original_bytes, smoothed)
    if relabelled is None:
        _move(original, target)
        undone.restored += 1
        return
    write_atomically(target, replace_face_data(original_bytes, relabelled))
    undone.labelled += 1


def _with_newer_labels(original_bytes: bytes, smoothed: FaceData) -> FaceData | None:
    """The original's data with the labels of the smoothed face, if these were drawn or applied
    since; None if they are the same in another crop."""
    original, size_hw = read_face_data(original_bytes), read_head(original_bytes).size_hw
    if original is None or size_hw is None:
        return None
    if _labels(carried_labels(smoothed, original, size_hw)) == _labels(smoothed):
        return None
    return carried_labels(original, smoothed, size_hw)


def _labels(data: FaceData) -> tuple[object, ...]:
    polygons = tuple((one.is_include, one.points_xy.tobytes()) for one in data.seg_ie_polys)
    return polygons, data.xseg_mask_compressed


def _move(original: Path, target: Path) -> None:
    try:
        move(original, target)
        os.utime(target)  # as of now: what other stages made of the smoothed one is out of date
    except OSError as error:
        raise disk_error(error, target) from error


def _rename(folder: Path) -> None:
    try:
        folder.rename(folder.with_name(folder.name + UNDONE))
    except OSError as error:
        raise disk_error(error, folder) from error
