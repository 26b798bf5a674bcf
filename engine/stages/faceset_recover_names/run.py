"""The stage `faceset-recover-names`: faces named after their frames again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.faces.face_file import read_face_data
from engine.faces.loose_faces import loose_faces
from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.faceset_recover_names.names import Renaming, plan_renaming, stem_of_source
from engine.stages.loose_faces import NO_FACE_REMEDY

_NAMED_AT_MOST = 20


def recover_names(context: StageContext) -> None:
    """Rename the side's faces to `FRAME_N.jpg`, replacing no file.

    Raises `InputError` without faces or when the folder is not writable; `Stopped` before the first
    face is renamed (renaming 10 000 faces takes under a second and is not interrupted).
    """
    side = context.workspace.side(context.options["side"])
    paths = loose_faces(side)
    sources, nameless = _sources(context, paths)
    others = {entry.name for entry in side.aligned.iterdir()} - sources.keys()
    renamings = plan_renaming(sources, others)
    _rename(side, renamings)
    _report(context, side, len(sources), renamings, nameless)


def _sources(
    context: StageContext, paths: Sequence[Path]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The stem of each face's frame by the face's file name; and the pictures without one."""
    sources: dict[str, str] = {}
    nameless: list[tuple[str, str]] = []
    for number, path in enumerate(paths):
        context.check_stop()
        context.progress(number, len(paths), unit="faces")
        try:
            data = read_face_data(path)
        except InputError as error:
            nameless.append((path.name, error.message.removeprefix(f"{path}: ")))
            continue
        stem = stem_of_source(data.source_filename) if data is not None else None
        if stem is None:
            nameless.append((path.name, "it does not say which frame it comes from"))
        else:
            sources[path.name] = stem
    return sources, nameless


def _rename(side: Side, renamings: Sequence[Renaming]) -> None:
    for renaming in renamings:
        _rename_one(side.aligned / renaming.old, side.aligned / renaming.between)
    for renaming in renamings:
        _rename_one(side.aligned / renaming.between, side.aligned / renaming.new)


def _rename_one(old: Path, new: Path) -> None:
    if old == new:
        return
    if new.exists():
        raise InputError(
            f"{new} appeared while faces were being renamed",
            "leave the folder alone and run this again",
            code="in-the-way",
        )
    try:
        old.rename(new)
    except OSError as error:
        raise disk_error(error, new) from error


def _report(
    context: StageContext,
    side: Side,
    faces: int,
    renamings: Sequence[Renaming],
    nameless: Sequence[tuple[str, str]],
) -> None:
    for name, reason in nameless[:_NAMED_AT_MOST]:
        context.warn(f"{name!a} keeps its name: {reason}", NO_FACE_REMEDY)
    if len(nameless) > _NAMED_AT_MOST:
        context.warn(f"{len(nameless)} pictures keep their names in all")
    total = faces + len(nameless)
    context.progress(total, total, unit="faces")
    context.result(
        renamed=len(renamings),
        right_already=faces - len(renamings),
        without_source=len(nameless),
        folder=str(side.aligned),
    )
