"""Which frames are extracted again, and the faces that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.faces.face_file import read_face_data
from engine.protocol.errors import InputError
from engine.protocol.frame_marks import (
    BY_HAND,
    KEEP,
    NO_FACE,
    SUSPICIOUS,
    frames_with,
    marks_path,
    read_marks,
)
from engine.protocol.stage import StageContext
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images
from engine.stages.faces_extract.records import recorded_extraction

FaceFiles = Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True)
class ChosenFrames:
    """Frames in order, and the face files of those that have some, by the frame's name."""

    frames: tuple[Path, ...]
    faces: FaceFiles


def chosen_frames(context: StageContext, side: Side, frames: Sequence[Path]) -> ChosenFrames:
    """Those of the frames that the option `frames` means.

    Raises `InputError` if there are none, for a packed faceset and for marks that cannot be used;
    `Stopped` while face files are looked at.
    """
    if side.pack.is_file():
        raise InputError(
            f"the faceset in {side.aligned} is packed, and single frames cannot be replaced in it",
            f"run faceset-unpack --side {side.name} first",
            code="packed-faceset",
        )
    which: str = context.options["frames"]
    faces = face_files_by_frame(side, frames, context)
    names = _CHOICES[which](context, side, frames, faces)
    if not names:
        raise InputError(
            f"no frame in {side.frames} is to be extracted again (frames: {which})",
            _REMEDIES[which],
            code="no-frames",
        )
    chosen = tuple(frame for frame in frames if frame.name in names)
    return ChosenFrames(chosen, {name: faces[name] for name in names if name in faces})


def face_files_by_frame(
    side: Side, frames: Sequence[Path], context: StageContext | None = None
) -> FaceFiles:
    """The face files of each frame that has some, by the frame's name: those that are named after
    it, and of others (sorted ones) those that say to be of it. context: asked for a stop."""
    names = {frame.stem: frame.name for frame in frames}
    found: dict[str, list[Path]] = {}
    for path in list_images(side.aligned, FACE_SUFFIXES):
        stem, _, place = path.stem.rpartition("_")
        name = names.get(stem) if place.isdecimal() else None
        if name is None:
            if context is not None:
                context.check_stop()
            name = names.get(_stem_inside(path))
        if name is not None:
            found.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _stem_inside(path: Path) -> str:
    """The stem of the frame that the face file says to be of; "" if it does not."""
    try:
        data = read_face_data(path)
    except InputError:
        return ""  # no face file; who works on faces tells of it
    return Path(data.source_filename).stem if data and data.source_filename else ""


def _without_faces(
    context: StageContext, side: Side, frames: Sequence[Path], faces: FaceFiles
) -> set[str]:
    """Frames whose faces were deleted by hand have none either, but are not meant."""
    recorded = recorded_extraction(context.workspace, side.name)
    lines = recorded.frames if recorded is not None else {}
    had_faces = {name for name, line in lines.items() if line.faces}
    return {frame.name for frame in frames} - faces.keys() - had_faces


def _deleted_debug(
    context: StageContext, side: Side, frames: Sequence[Path], faces: FaceFiles
) -> set[str]:
    there = {path.stem for path in list_images(side.aligned_debug)}
    if not there:
        return set()  # none were ever made
    return {frame.name for frame in frames if frame.stem not in there}


def _marked(
    context: StageContext, side: Side, frames: Sequence[Path], faces: FaceFiles
) -> set[str]:
    marks = read_marks(marks_path(context.workspace, side.name))
    kept = set(frames_with(marks, KEEP)) - set(frames_with(marks, BY_HAND))
    marked = set(frames_with(marks, NO_FACE, SUSPICIOUS, BY_HAND)) - kept
    return marked & {frame.name for frame in frames}


_CHOICES = {
    "without-faces": _without_faces,
    "deleted-debug": _deleted_debug,
    "marked": _marked,
}
_REMEDIES = {
    "without-faces": "nothing is left to do: every frame has a face, or had one that was deleted",
    "deleted-debug": "delete pictures of aligned_debug (the debug review does), or extract all"
    " frames with --debug-images yes first",
    "marked": "mark frames in the debug review, or run landmarks-check",
}
