"""Which frames are filled from which: what `ManualFill` asks for, as faces to be made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.detect.detection import PointsXY
from engine.protocol.errors import UsageError
from engine.stages.faces_manual.filling import Faces, Known, faces_after, faces_between
from engine.stages.faces_manual.worklist import Worklist


def between_of(work: Worklist, frame: int, points_of: Callable[[int], PointsXY]) -> Faces:
    """Faces for the gap around the frame, or the last one before it; skipped frames have none.

    points_of: the landmarks of a frame that has a face. Raises `UsageError` if there is no gap,
    `InputError` if the faces beside it do not say where they are.
    """
    first, last = work.gap_at(frame)
    wanted = [n for n in range(first + 1, last) if work.states[n] != "skipped"]
    ends = Known(first, points_of(first)), Known(last, points_of(last))
    return partial(faces_between, work.paths, *ends, wanted)


def after_of(work: Worklist, start: Known, frames: int) -> Faces:
    """Faces for up to `frames` frames after `start`, before the first that has one that counts.

    Raises `UsageError` if that is the next one, or if there is none."""
    stop = min(len(work.paths), start.frame + 1 + max(0, frames))
    trusted = work.trusted_after(start.frame)
    wanted = range(start.frame + 1, stop if trusted is None else min(stop, trusted))
    if start.frame + 1 == len(work.paths):
        raise UsageError("this is the last frame", "there is none to follow the face into")
    if not wanted:
        raise UsageError("the next frame has a face that counts already", "go on from there")
    return partial(faces_after, work.paths, start, wanted)
