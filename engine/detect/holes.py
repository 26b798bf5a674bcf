"""Frames in which a face is missing that is there before and after: where to look for it again.

Tilted and blurred faces come and go in MTCNN's eyes. A face that stands in the frame before and in
one of the next three, at about the same place, is looked for between the two once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from engine.detect.boxes import overlaps
from engine.detect.detection import BoxLtrb, Detection
from engine.detect.tracks import MAX_GAP_FRAMES, MIN_OVERLAP, TrackedFrame

Label = TypeVar("Label")
Seek = Callable[[Label, list[BoxLtrb]], Sequence[Detection]]


def holes_filled(
    frames: Iterable[TrackedFrame[Label]], seek: Seek[Label]
) -> Iterator[TrackedFrame[Label]]:
    """The frames, with what `seek` finds added. It is called with a frame's label and the boxes
    where faces are expected, only where some are missing. Holds back three frames."""
    window: deque[TrackedFrame[Label]] = deque()
    before: tuple[Detection, ...] = ()
    for frame in frames:
        window.append(frame)
        if len(window) > MAX_GAP_FRAMES:
            filled = _filled(window.popleft(), before, window, seek)
            before = filled.faces
            yield filled
    while window:
        filled = _filled(window.popleft(), before, window, seek)
        before = filled.faces
        yield filled


def _filled(
    frame: TrackedFrame[Label],
    before: tuple[Detection, ...],
    later: Iterable[TrackedFrame[Label]],
    seek: Seek[Label],
) -> TrackedFrame[Label]:
    if not frame.follows:
        return frame
    missing = [face for face in before if _at_the_place(face, frame.faces) is None]
    expected = [box for face in missing if (box := _expected(face, later)) is not None]
    if not expected:
        return frame
    return replace(frame, faces=frame.faces + tuple(seek(frame.label, expected)))


def _expected(face: Detection, later: Iterable[TrackedFrame[Label]]) -> BoxLtrb | None:
    """Where the face is in the frame between, if it comes back in the same shot."""
    for distance, frame in enumerate(later, start=1):
        if not frame.follows:
            return None
        again = _at_the_place(face, frame.faces)
        if again is not None:
            # The frame before is 1 away, the later one `distance`.
            was, will = np.array(face.box_ltrb), np.array(again.box_ltrb)
            left, top, right, bottom = ((was * distance + will) / (distance + 1)).tolist()
            return (left, top, right, bottom)
    return None


def _at_the_place(face: Detection, faces: tuple[Detection, ...]) -> Detection | None:
    """The one of `faces` that overlaps the face most, if it does so enough."""
    if not faces:
        return None
    shared = overlaps(np.array([face.box_ltrb]), np.array([one.box_ltrb for one in faces]))[0]
    best = int(shared.argmax())
    return faces[best] if shared[best] >= MIN_OVERLAP else None
