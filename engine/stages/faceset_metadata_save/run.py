"""The stage `faceset-metadata-save`: the metadata of all faces into `meta.dat`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.faces.loose_faces import loose_faces
from engine.faces.metadata_file import (
    META_NAME,
    SIDECAR_NAME,
    SavedFace,
    saved_face,
    write_metadata,
)
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import is_utf8, sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import Side
from engine.stages.loose_faces import NO_FACE_REMEDY

_NAMED_AT_MOST = 20


def save_metadata(context: StageContext) -> None:
    """Save the metadata of the side's face files.

    Raises `InputError` without faces, `ConfirmationNeeded` when a `meta.dat` is there already,
    `Stopped` with nothing changed.
    """
    side = context.workspace.side(context.options["side"])
    paths = loose_faces(side)
    _require_confirmation(context, side)
    sweep_parts(side.aligned)
    _keep_earlier(context, side)
    left_out: list[tuple[str, str]] = []
    write_metadata(side.aligned, _entries(context, paths, left_out))
    _report(context, side, len(paths), left_out)


def _require_confirmation(context: StageContext, side: Side) -> None:
    if (side.aligned / META_NAME).exists() and not context.confirmed:
        raise ConfirmationNeeded(
            f"{side.aligned / META_NAME} is there from an earlier save",
            "confirm (--yes) to move it to the workspace's trash, or run faceset-metadata-restore"
            " first",
        )


def _keep_earlier(context: StageContext, side: Side) -> None:
    copies = TrashCopies(context.workspace, f"faceset-metadata-save-{side.name}")
    for name in (META_NAME, SIDECAR_NAME):
        if (side.aligned / name).is_file():
            copies.keep(side.aligned / name)
    if copies.folder is not None:
        context.note(f"metadata saved earlier is kept in {copies.folder}")


def _entries(
    context: StageContext, paths: list[Path], left_out: list[tuple[str, str]]
) -> Iterator[tuple[str, SavedFace]]:
    for number, path in enumerate(paths):
        context.check_stop()
        context.progress(number, len(paths), unit="faces")
        try:
            yield path.name, _entry(path)
        except InputError as error:
            left_out.append((path.name, error.message))
    if len(left_out) == len(paths):
        raise InputError(
            f"none of the {len(paths)} pictures is a face; the first: {left_out[0][1]}",
            "extract faces first",
            code="no-faces",
        )


def _entry(path: Path) -> SavedFace:
    if not is_utf8(path.name):
        raise InputError("its name is not UTF-8", "rename it")
    return saved_face(path)


def _report(context: StageContext, side: Side, total: int, left_out: list[tuple[str, str]]) -> None:
    for name, reason in left_out[:_NAMED_AT_MOST]:
        context.warn(f"{name!a} is left out: {reason}", NO_FACE_REMEDY)
    if len(left_out) > _NAMED_AT_MOST:
        context.warn(f"{len(left_out)} pictures are left out in all")
    context.progress(total, total, unit="faces")
    context.result(
        faces=total - len(left_out),
        left_out=len(left_out),
        file=str(side.aligned / META_NAME),
        readable=str(side.aligned / SIDECAR_NAME),
    )
