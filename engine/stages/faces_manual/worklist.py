"""All frames of a side: which are to be done, how each stands, and where its face file is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Literal

from engine.protocol.errors import UsageError
from engine.protocol.events import ManualRun
from engine.protocol.frame_marks import (
    BY_HAND,
    NO_FACE,
    SUSPICIOUS,
    FrameMark,
    Marks,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
)
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images
from engine.stages.faces_extract.chosen_frames import face_files_by_frame
from engine.stages.faces_extract.plan import frames_of
from engine.stages.faces_manual.decisions import Decided

State = Literal["open", "kept", "skipped", "known", "other"]
# Frames in these states have a face that counts: others are made from it, and it is not replaced.
TRUSTED = ("kept", "known")
_TO_BE_DONE = (NO_FACE, SUSPICIOUS, BY_HAND)


@dataclass
class Worklist:
    """paths: all frames, in order. states: how each stands (see `ManualRun`). face_files: of the
    frames that have a first face, the file that it is in."""

    paths: tuple[Path, ...]
    states: list[State]
    face_files: dict[int, Path] = field(default_factory=dict)

    def known(self, frame: int) -> int:
        """The frame's number. Raises `UsageError` if there is none."""
        if not 0 <= frame < len(self.paths):
            last = len(self.paths) - 1
            raise UsageError(
                f"there is no frame number {frame}", f"frames are numbered 0 to {last}"
            )
        return frame

    def is_trusted(self, frame: int) -> bool:
        return self.states[frame] in TRUSTED

    def first_open(self) -> int:
        """The first frame to be done; the first of all if none is."""
        return self.states.index("open") if "open" in self.states else 0

    def trusted_before(self, frame: int) -> int | None:
        """The nearest frame before it with a face that counts."""
        return next((n for n in range(frame - 1, -1, -1) if self.is_trusted(n)), None)

    def trusted_after(self, frame: int) -> int | None:
        later = range(frame + 1, len(self.paths))
        return next((n for n in later if self.is_trusted(n)), None)

    def gap_at(self, frame: int) -> tuple[int, int]:
        """The frames with a face on both sides of the gap around `frame`, or of the last one before
        it. Raises `UsageError` if there is no such gap."""
        last = frame if self.is_trusted(frame) else self.trusted_after(frame)
        if last is None:
            last = self.trusted_before(frame)
        while last is not None:
            first = self.trusted_before(last)
            if first is not None and last - first > 1:
                return first, last
            last = first
        raise UsageError(
            "there are no frames between two with a face, here or before",
            "keep a face, go on some frames, keep another; then fill what lies between",
        )

    def runs(self) -> tuple[ManualRun, ...]:
        """How all frames stand, as told."""
        return tuple(ManualRun(state, sum(1 for _ in same)) for state, same in groupby(self.states))


def open_worklist(
    context: StageContext, side: Side, decided: dict[str, Decided], twins: Callable[[Path], None]
) -> Worklist:
    """The frames by the option `frames`, with what was decided before.

    twins: told of frames that are left out, as another has their stem. Raises `InputError` without
    frames, or for marks that cannot be used; `Stopped` while face files are looked at.
    """
    paths, left_out = frames_of(side)
    for path in left_out:
        twins(path)
    face_files, with_face = _face_files(context, side, paths)
    wanted = _wanted(context, side, paths, with_face)
    work = Worklist(paths, [], face_files)
    # Their pictures were deleted, or they were marked, since anything was decided of them.
    again = context.options["frames"] in ("deleted-debug", "marked")
    for number, path in enumerate(paths):
        state = decided.get(path.name)
        if state == "kept" and number not in face_files:
            state = None  # its file was removed since
        if number in wanted and (state is None or again):
            work.states.append("open")
        else:
            work.states.append(state or ("known" if number in with_face else "other"))
    return work


def unmark(context: StageContext, side: Side, frame_name: str, state: Decided) -> None:
    """Take back why the frame was to be done, now that it is: it has a face that is right, or was
    looked at because of its marks. Raises `InputError` if the marks cannot be written."""
    path = marks_path(context.workspace, side.name)
    if not path.is_file() or (state == "skipped" and context.options["frames"] != "marked"):
        return

    def without(marks: Marks) -> Marks:
        mark = marks.get(frame_name, FrameMark())
        for reason in _TO_BE_DONE:
            mark = mark.without_reason(reason)
        return {**marks, frame_name: mark}

    change_marks(path, without)


def _wanted(
    context: StageContext, side: Side, paths: Sequence[Path], with_face: set[int]
) -> set[int]:
    every = set(range(len(paths)))
    match context.options["frames"]:
        case "all":
            return every
        case "without-faces":
            return every - with_face
        case "deleted-debug":
            there = {path.stem for path in list_images(side.aligned_debug)}
            return {number for number in every if paths[number].stem not in there}
    marks = read_marks(marks_path(context.workspace, side.name))
    marked = set(frames_with(marks, *_TO_BE_DONE))
    return {number for number in every if paths[number].name in marked}


def _face_files(
    context: StageContext, side: Side, paths: Sequence[Path]
) -> tuple[dict[int, Path], set[int]]:
    """The file of each frame's first face, and all frames with a face.

    It is `FRAME_0.jpg`; in a faceset that was renamed (sorted), the first file that says to be of
    the frame.
    """
    found = face_files_by_frame(side, paths, context)
    with_face = {number for number, path in enumerate(paths) if path.name in found}
    firsts = {number: _first(paths[number].stem, found[paths[number].name]) for number in with_face}
    return {number: path for number, path in firsts.items() if path is not None}, with_face


def _first(frame_stem: str, files: Sequence[Path]) -> Path | None:
    """The first of a frame's face files that is not named after it as a further face."""
    for path in files:
        stem, _, place = path.stem.rpartition("_")
        if stem != frame_stem or not place.isdecimal() or place == "0":
            return path
    return None
