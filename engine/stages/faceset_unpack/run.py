"""The stage `faceset-unpack`: `faceset.pak` back into face files.

Files are written one by one; the pack leaves for the trash only when every face is a file. A face
that is a file already, byte by byte, is not written again, so a run that was stopped goes on.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.faces.face_file import read_jpeg
from engine.faces.faceset_pack import PackedFace, read_pack_list
from engine.faces.jpeg_segments import read_segments
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import is_utf8, sweep_parts, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import FACE_SUFFIXES, Side, make_folder

_NAMED_AT_MOST = 20
_LONGEST_NAME_BYTES = 255  # what file systems allow; Windows counts characters


@dataclass(frozen=True)
class _Plan:
    """present: faces that are files already. to_write: the others, with where they go.
    differing: files of other content in their places. damaged: faces that are no whole JPEG, with
    the reason."""

    present: int
    to_write: tuple[tuple[PackedFace, Path], ...]
    differing: tuple[Path, ...]
    damaged: tuple[tuple[PackedFace, str], ...]


def unpack_faceset(context: StageContext) -> None:
    """Write the faces of the side's pack as files, then move the pack to the trash.

    Raises `InputError` without a pack, for one that cannot be used, or when the disk is too small;
    `ConfirmationNeeded` when other files have the faces' names, both before anything is written;
    `Stopped` with what is written kept.
    """
    side = context.workspace.side(context.options["side"])
    places = _places(context, side)
    plan = _plan(context, places)
    _require_confirmation(context, plan)
    _require_room(side, plan)
    _make_way(context, side, plan)
    _write(context, plan, len(places))
    _finish(context, side, plan, len(places))


def _places(context: StageContext, side: Side) -> list[tuple[PackedFace, Path]]:
    """Each packed face with the path it is unpacked to."""
    if not side.pack.is_file():
        raise InputError(
            f"there is no {side.pack.name} in {side.aligned}",
            "nothing needs unpacking, or choose the other --side",
            code="no-pack",
        )
    context.progress(0, None, unit="faces", note="reading the pack's list")
    faces = read_pack_list(side.pack, context.check_stop)
    for face in faces:
        _check_names(side, face)
    places = [(face, side.aligned / (face.person_name or "") / face.name) for face in faces]
    twice = [path for path, count in Counter(path for _, path in places).items() if count > 1]
    if twice:
        raise InputError(
            f"{side.pack} holds more than one face called {twice[0].name}",
            "one would replace the other: use the pack as it is",
            code="broken-pack",
        )
    return places


def _check_names(side: Side, face: PackedFace) -> None:
    """Refuse names that lists of faces would not show again, or that are not those of faces."""
    is_face_name = Path(face.name).suffix.lower() in FACE_SUFFIXES
    if not is_face_name or not all(map(_is_shown, (face.name, face.person_name or "nobody"))):
        raise InputError(
            f"{side.pack} holds a face called {face.name!a}, which is no name of a face file",
            "use the pack as it is, or pack the faceset again",
            code="broken-pack",
        )


def _is_shown(name: str) -> bool:
    """Whether a file or folder can have that name and is not hidden then."""
    return is_utf8(name) and len(name.encode()) <= _LONGEST_NAME_BYTES and not name.startswith(".")


def _plan(context: StageContext, places: Sequence[tuple[PackedFace, Path]]) -> _Plan:
    to_write: list[tuple[PackedFace, Path]] = []
    differing: list[Path] = []
    damaged: list[tuple[PackedFace, str]] = []
    for number, (face, path) in enumerate(places):
        context.check_stop()
        note = "looking at what is there"
        context.progress(number, len(places), unit="faces", note=note, skipped=number)
        if path.is_dir():
            raise InputError(f"{path} is a folder", "rename it", code="in-the-way")
        problem = _problem(face)
        if problem:
            damaged.append((face, problem))
        elif not path.exists():
            to_write.append((face, path))
        elif path.stat().st_size != face.size_bytes or read_jpeg(path) != face.read_jpeg():
            differing.append(path)
            to_write.append((face, path))
    present = len(places) - len(to_write) - len(damaged)
    return _Plan(present, tuple(to_write), tuple(differing), tuple(damaged))


def _problem(face: PackedFace) -> str:
    """Why the face is no whole JPEG file; "" if it is one."""
    try:
        read_segments(face.read_jpeg())
    except InputError as error:
        return error.message
    return ""


def _require_confirmation(context: StageContext, plan: _Plan) -> None:
    if plan.differing and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(plan.differing)} files have the names of packed faces and another content, the"
            f" first: {plan.differing[0]}",
            "confirm (--yes) to move those files to the workspace's trash, or move them away",
        )


def _require_room(side: Side, plan: _Plan) -> None:
    needed_bytes = sum(face.size_bytes for face, _ in plan.to_write)
    free_bytes = shutil.disk_usage(side.aligned).free
    if needed_bytes > free_bytes:
        raise InputError(
            f"the disk is too small: {needed_bytes / 1e6:,.1f} MB of faces,"
            f" {free_bytes / 1e6:,.1f} MB are free",
            "make room",
            code="disk-full",
        )


def _make_way(context: StageContext, side: Side, plan: _Plan) -> None:
    for folder in {side.aligned, *(path.parent for _, path in plan.to_write)}:
        make_folder(folder)
        sweep_parts(folder)
    label = f"faceset-unpack-{side.name}"
    trash = context.workspace.move_to_trash(list(plan.differing), label)
    if trash is not None:
        context.note(f"{len(plan.differing)} files that differ moved to {trash}")


def _write(context: StageContext, plan: _Plan, total: int) -> None:
    for number, (face, path) in enumerate(plan.to_write):
        context.check_stop()
        context.progress(plan.present + number, total, unit="faces", skipped=plan.present)
        write_atomically(path, face.read_jpeg(), durable=False)


def _finish(context: StageContext, side: Side, plan: _Plan, total: int) -> None:
    for face, reason in plan.damaged[:_NAMED_AT_MOST]:
        context.warn(
            f"{face.name} in the pack is damaged and stays there: {reason}",
            "copy the pack here again if it is from elsewhere, or extract this face again",
        )
    if plan.damaged:
        context.warn(
            f"{side.pack.name} stays, as {len(plan.damaged)} faces in it are damaged; it hides the"
            " unpacked files from the next stages",
            "move the pack away to work with the files",
        )
    else:
        label = f"faceset-unpack-{side.name}"
        trash = context.workspace.move_to_trash([side.pack], label)
        context.note(f"{side.pack.name} moved to {trash}")
    context.progress(total, total, unit="faces", skipped=plan.present)
    context.result(
        faces=total - len(plan.damaged),
        written=len(plan.to_write),
        there_already=plan.present,
        damaged=len(plan.damaged),
        folder=str(side.aligned),
    )
