"""The stage `xseg-fetch`: labelled faces copied, or moved, to `aligned_xseg`."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from pathlib import Path

from engine.faces.face_file import read_face_data, read_jpeg
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts, sync, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import make_folder
from engine.stages.loose_faces import swept_loose_faces

FOLDER = "aligned_xseg"


def run(context: StageContext) -> None:
    """Copy the side's labelled faces, going on where an earlier run stopped.

    Raises `InputError` for a packed faceset, if no face has labels, or for a full disk;
    `ConfirmationNeeded` when faces would leave `aligned` or be replaced in the folder, before
    anything is written; `Stopped` with what is copied kept.
    """
    side = context.workspace.side(context.options["side"])
    labelled = _labelled(context, swept_loose_faces(side))
    if not labelled:
        raise InputError(
            f"no face in {side.aligned} has drawn labels", "draw some first", code="no-labels"
        )
    folder = side.frames / FOLDER
    differing = [face for face in labelled if _differs(face, folder / face.name)]
    _require_confirmation(context, labelled, differing, folder)
    make_folder(folder)
    sweep_parts(folder)
    context.workspace.move_to_trash([folder / face.name for face in differing], "xseg-fetch")
    copied = _copy(context, labelled, folder)
    moved_to = _take_out(context, labelled) if context.options["move"] else None
    context.result(labelled=len(labelled), copied=copied, folder=str(folder), originals=moved_to)


def _labelled(context: StageContext, paths: Sequence[Path]) -> list[Path]:
    found = []
    for path in paths:
        context.check_stop()
        try:
            data = read_face_data(path)
        except InputError as error:
            context.warn(f"left as it is: {error.message}", error.remedy)
            continue
        if data is not None and data.seg_ie_polys:
            found.append(path)
    return found


def _differs(face: Path, copy: Path) -> bool:
    return copy.exists() and not filecmp.cmp(face, copy, shallow=False)


def _require_confirmation(
    context: StageContext, labelled: Sequence[Path], differing: Sequence[Path], folder: Path
) -> None:
    if context.confirmed:
        return
    if context.options["move"]:
        raise ConfirmationNeeded(
            f"{len(labelled)} labelled faces are to leave {labelled[0].parent}",
            "confirm (--yes): the originals go to the workspace's trash; or leave out --move",
        )
    if differing:
        raise ConfirmationNeeded(
            f"{folder} holds {len(differing)} faces of the same names that are others",
            "confirm (--yes) to move those to the workspace's trash",
        )


def _copy(context: StageContext, labelled: Sequence[Path], folder: Path) -> int:
    copied = 0
    for number, face in enumerate(labelled):
        context.check_stop()
        context.progress(number, len(labelled), unit="faces")
        if not (folder / face.name).exists():
            write_atomically(folder / face.name, read_jpeg(face), durable=False)
            copied += 1
    context.progress(len(labelled), len(labelled), unit="faces")
    return copied


def _take_out(context: StageContext, labelled: Sequence[Path]) -> str:
    """Where the originals are now. The copies are on the disk before they leave."""
    folder = labelled[0].parent.parent / FOLDER
    for face in labelled:
        sync(folder / face.name)
    trash = context.workspace.move_to_trash(list(labelled), "xseg-fetch")
    return str(trash)
