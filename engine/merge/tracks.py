"""Which face of a frame is whose: letters for the faces of each shot, so that looks can follow one.

A face is followed from frame to frame by where it is, as long as it is seen; seen again later in
the shot, near to where it was lost, it is the same one. The letters begin anew with each shot: what
happens to the faces of one shot renames nobody in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.faces.identity import Box, follow

# How far a face may have moved while it was not seen, in sizes of its box.
MOST_MOVED_SIZES = 1.5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Landmarks = NDArray[np.float64]


@dataclass(frozen=True)
class _Seen:
    """A face of a frame; place: which one of the frame's."""

    frame: int
    place: int
    box: Box


def face_tracks(
    frames: Sequence[Sequence[Landmarks]], cuts: Sequence[int] = ()
) -> list[tuple[str, ...]]:
    """The track of each face of each frame, as timelines name them (`engine.protocol.timeline`).

    frames: the landmarks (68, 2) of all frames' faces, in order. cuts: the first frames of all
    shots but the first. Of the faces that a shot begins with the leftmost is "a"; others follow as
    they appear.
    """
    tracks = [[""] * len(faces) for faces in frames]
    for first, end in pairwise([0, *cuts, len(frames)]):
        for name, face in _named(list(_seen(frames, first, end))):
            tracks[face.frame][face.place] = name
    return [tuple(names) for names in tracks]


def _seen(frames: Sequence[Sequence[Landmarks]], first: int, end: int) -> Iterator[_Seen]:
    for frame in range(first, min(end, len(frames))):
        for place, landmarks_xy in enumerate(frames[frame]):
            left, top = (float(least) for least in landmarks_xy.min(axis=0))
            right, bottom = (float(most) for most in landmarks_xy.max(axis=0))
            yield _Seen(frame, place, (left, top, right, bottom))


def _named(seen: Sequence[_Seen]) -> Iterator[tuple[str, _Seen]]:
    """The faces of one shot with their tracks' names."""
    numbers = follow(
        [f"{face.frame:09d}" for face in seen],
        [face.box for face in seen],
        np.zeros((len(seen), 1), np.float32),  # who they look like is not asked
    )
    pieces: dict[int, list[_Seen]] = {}
    for face, number in zip(seen, numbers.tolist(), strict=True):
        pieces.setdefault(number, []).append(face)
    lost_at: list[_Seen] = []  # by person, where they were seen last
    for piece in sorted(pieces.values(), key=lambda piece: (piece[0].frame, piece[0].box)):
        person = _known(lost_at, piece[0])
        lost_at[person : person + 1] = [piece[-1]]
        yield from ((_name(person), face) for face in piece)


def _known(lost_at: Sequence[_Seen], seen: _Seen) -> int:
    """The number of the one who was lost nearest to where a face appears; a new one if nobody."""
    near = [
        (moved, person)
        for person, lost in enumerate(lost_at)
        if lost.frame < seen.frame
        and (moved := _sizes_moved(lost.box, seen.box)) <= MOST_MOVED_SIZES
    ]
    return min(near)[1] if near else len(lost_at)


def _sizes_moved(one: Box, other: Box) -> float:
    way = math.dist(_middle(one), _middle(other))
    sizes = [max(box[2] - box[0], box[3] - box[1], 1.0) for box in (one, other)]
    return way / max(sizes)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _name(number: int) -> str:
    """a to z, then aa, ab ..."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(_LETTERS))
        name = _LETTERS[letter] + name
    return name
