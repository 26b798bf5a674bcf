"""Stages that take something away from the metadata of all faces of a side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data, read_jpeg, replace_face_data
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import write_atomically
from engine.protocol.stage import StageContext
from engine.stages.kept_metadata import keep_metadata
from engine.stages.loose_faces import swept_loose_faces


@dataclass(frozen=True)
class Stripping:
    """label: of the folder in the trash. what: is taken away, in words. has: whether a face has it.
    without: the metadata of such a face without it."""

    label: str
    what: str
    has: Callable[[FaceData], bool]
    without: Callable[[FaceData], FaceData]


def strip_faces(context: StageContext, stripping: Stripping) -> None:
    """Take it away from every face of the side, each file in one step; their metadata is kept in
    the trash before.

    Raises `InputError` for a packed faceset or a full disk, `ConfirmationNeeded` if the user has
    not confirmed, before anything is written; `Stopped` with the faces done until then.
    """
    side = context.workspace.side(context.options["side"])
    paths = swept_loose_faces(side)
    having = [path for path in paths if _has(context, path, stripping)]
    if having and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(having)} of {len(paths)} faces in {side.aligned} have {stripping.what}",
            "confirm (--yes) to remove that; their metadata is kept in the workspace's trash",
        )
    trash = None
    if having:
        trash = keep_metadata(context, side, stripping.label, having)
    for number, path in enumerate(having):
        context.check_stop()
        context.progress(number, len(having), unit="faces")
        _strip(path, stripping)
    context.progress(len(having), len(having), unit="faces")
    context.result(
        faces=len(paths), removed_from=len(having), kept_in=str(trash) if trash else None
    )


def _has(context: StageContext, path: Path, stripping: Stripping) -> bool:
    context.check_stop()
    try:
        data = read_face_data(path)
    except InputError as error:
        context.warn(f"left as it is: {error.message}", error.remedy)
        return False
    return data is not None and stripping.has(data)


def _strip(path: Path, stripping: Stripping) -> None:
    """By what the file holds now: somebody may have drawn on it meanwhile."""
    jpeg_bytes = read_jpeg(path)
    data = read_face_data(jpeg_bytes)
    if data is not None and stripping.has(data):
        write_atomically(
            path, replace_face_data(jpeg_bytes, stripping.without(data)), durable=False
        )
