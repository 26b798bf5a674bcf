"""The stage `faceset-index`: a side's index brought up to date."""

from __future__ import annotations

import time

from engine.protocol.errors import InputError
from engine.protocol.face_index import index_path, opened_index
from engine.protocol.stage import StageContext
from engine.stages.faceset_index.fill import fill_index

_NAMED_AT_MOST = 20


def run(context: StageContext) -> None:
    """Read new and changed faces into the index.

    Raises `InputError` when no file is a face, a pack cannot be used or the disk is full;
    `Stopped` with everything read so far kept.
    """
    side = context.workspace.side(context.options["side"])
    started = time.monotonic()
    filled = fill_index(context, side, with_identity=context.options["identity"])
    seconds = time.monotonic() - started
    path = index_path(context.workspace, side.name)
    with opened_index(path) as index:
        faces = index.count() if index else 0
        skipped = index.skipped() if index else {}
    _tell_skipped(context, skipped)
    if not faces:
        raise InputError(
            f"none of the {len(skipped)} files in {side.aligned} is a face file",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    context.result(
        faces=faces,
        read_now=filled.read,
        identified_now=filled.identified,
        no_faces=len(skipped),
        faces_per_s=round(filled.read / seconds, 1) if filled.read else None,
        index=str(path),
    )


def _tell_skipped(context: StageContext, skipped: dict[str, str]) -> None:
    for name, reason in list(skipped.items())[:_NAMED_AT_MOST]:
        context.warn(f"{name} is left out: {reason}", "move it out of the faceset")
    if len(skipped) > _NAMED_AT_MOST:
        context.warn(f"{len(skipped) - _NAMED_AT_MOST} more files are left out")
