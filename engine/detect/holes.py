"""Frames in which a face is missing that the frames around have: where to look for it again.

Tilted and blurred faces come and go in a detector's eyes. A face that stands in the frame before
and in one of the next three, at about the same place, is looked for between the two once more; one
that does not come back where it was last, until it stays away; and one that has just come
where it came to, in the three frames before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
    known: list[_Known] = []
    for frame in frames:
        window.append(frame)
        if len(window) > MAX_GAP_FRAMES:
            filled = _filled(window.popleft(), known, window, seek)
            known = _known_after(filled, known)
            yield filled
    while window:
        filled = _filled(window.popleft(), known, window, seek)
        known = _known_after(filled, known)
        yield filled


@dataclass(frozen=True)
class _Known:
    """A face of a frame before, and for how many frames it was not found since."""

    face: Detection
    missing_frames: int = 0


def _known_after(frame: TrackedFrame[Label], known: list[_Known]) -> list[_Known]:
    """The faces to be expected in the next frame of the shot."""
    lost = [
        replace(one, missing_frames=one.missing_frames + 1)
        for one in known
        if frame.follows
        and one.missing_frames < MAX_GAP_FRAMES
        and _at_the_place(one.face, frame.faces) is None
    ]
    return [_Known(face) for face in frame.faces] + lost


def _filled(
    frame: TrackedFrame[Label],
    known: list[_Known],
    later: Iterable[TrackedFrame[Label]],
    seek: Seek[Label],
) -> TrackedFrame[Label]:
    before = tuple(one.face for one in known) if frame.follows else ()
    later = tuple(later)
    missing = [face for face in before if _at_the_place(face, frame.faces) is None]
    expected = [_between(face, later) for face in missing]
    expected += [face.box_ltrb for face in _coming(frame.faces + before, later)]
    if not expected:
        return frame
    # Beside a face that is there its neighbour's may be expected.
    sought = (
        face for face in seek(frame.label, expected) if _at_the_place(face, frame.faces) is None
    )
    return replace(frame, faces=frame.faces + tuple(sought))


def _between(face: Detection, later: Sequence[TrackedFrame[Label]]) -> BoxLtrb:
    """Where the face is in the frame between, if it comes back in the same shot; else where it was
    last."""
    for distance, frame in enumerate(later, start=1):
        if not frame.follows:
            break
        again = _at_the_place(face, frame.faces)
        if again is not None:
            # The frame before is 1 away, the later one `distance`.
            was, will = np.array(face.box_ltrb), np.array(again.box_ltrb)
            left, top, right, bottom = ((was * distance + will) / (distance + 1)).tolist()
            return (left, top, right, bottom)
    return face.box_ltrb


def _coming(known: tuple[Detection, ...], later: Sequence[TrackedFrame[Label]]) -> list[Detection]:
    """Faces of later frames of the same shot that are not known yet, each as it comes first."""
    coming: list[Detection] = []
    for frame in later:
        if not frame.follows:
            break
        known_now = known + tuple(coming)
        coming += [face for face in frame.faces if _at_the_place(face, known_now) is None]
    return coming


def _at_the_place(face: Detection, faces: tuple[Detection, ...]) -> Detection | None:
    """The one of `faces` that overlaps the face most, if it does so enough."""
    if not faces:
        return None
    shared = overlaps(np.array([face.box_ltrb]), np.array([one.box_ltrb for one in faces]))[0]
    best = int(shared.argmax())
    return faces[best] if shared[best] >= MIN_OVERLAP else None
