"""Faces followed from frame to frame by their landmarks, for what is worked out over time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_GAP_FRAMES = 2
# How far the landmarks of one face may go from frame to frame, on average and in face sizes (the
# square root of their box's area). Heads rushing through reference clips move by 0.1.
MOST_MOVED_SIZES = 0.35
MOST_GROWN = 1.5  # and how much larger or smaller it may become


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face over frames. rows: which of the given faces; frames: their frames, ascending."""

    rows: NDArray[np.int64]
    frames: NDArray[np.int64]


@dataclass
class _Followed:
    points: Floats
    size_px: float
    rows: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)


def face_tracks(
    frames: Sequence[int],
    landmarks_xy: Floats,
    cuts: Collection[int] = (),
    max_gap_frames: int = MAX_GAP_FRAMES,
) -> list[FaceTrack]:
    """The tracks of faces, in the order of their first frames; every face is in one.

    frames: the number of each face's frame, in any order. landmarks_xy: (n, 68, 2) in the frames.
    cuts: frames that begin a new shot, which no track goes across. max_gap_frames: how many frames
    may lack the face within a track.
    """
    by_frame: dict[int, list[int]] = {}
    for row, frame in enumerate(frames):
        by_frame.setdefault(frame, []).append(row)
    numbered = sorted(by_frame)
    shots = np.searchsorted(sorted(cuts), numbered, side="right")
    all_tracks: list[_Followed] = []
    alive: list[_Followed] = []
    for place, frame in enumerate(numbered):
        is_cut = place > 0 and shots[place] != shots[place - 1]
        alive = [
            track
            for track in alive
            if not is_cut and frame - track.frames[-1] <= max_gap_frames + 1
        ]
        begun = _follow(alive, frame, by_frame[frame], landmarks_xy)
        alive += begun
        all_tracks += begun
    return [FaceTrack(np.array(one.rows), np.array(one.frames)) for one in all_tracks]


def face_sizes_px(landmarks_xy: Floats) -> Floats:
    """The square root of the area of the landmarks' box, by face (n,); 1 at least."""
    sides = np.ptp(landmarks_xy, axis=1)
    sizes_px: Floats = np.maximum(np.sqrt(sides[:, 0] * sides[:, 1]), 1.0)
    return sizes_px


def _follow(
    alive: Sequence[_Followed], frame: int, rows: Sequence[int], landmarks_xy: Floats
) -> list[_Followed]:
    """Give the frame's faces to the tracks they continue, the nearest pairs first. Returns new
    tracks for the others."""
    points = landmarks_xy[list(rows)]
    sizes_px = face_sizes_px(points)
    pairs = sorted(
        (moved, place, number)
        for number, track in enumerate(alive)
        for place in range(len(rows))
        if (moved := _sizes_moved(track, points[place], float(sizes_px[place]))) is not None
    )
    free = set(range(len(rows)))
    taken: set[int] = set()
    for _, place, number in pairs:
        if place in free and number not in taken:
            free.discard(place)
            taken.add(number)
            _append(alive[number], points[place], float(sizes_px[place]), rows[place], frame)
    begun = []
    for place in sorted(free):
        track = _Followed(points[place], float(sizes_px[place]))
        _append(track, points[place], float(sizes_px[place]), rows[place], frame)
        begun.append(track)
    return begun


def _append(track: _Followed, points: Floats, size_px: float, row: int, frame: int) -> None:
    track.points, track.size_px = points, size_px
    track.rows.append(row)
    track.frames.append(frame)


def _sizes_moved(track: _Followed, points: Floats, size_px: float) -> float | None:
    """How far the face went, in sizes; None if it cannot be the same one."""
    if max(size_px, track.size_px) > MOST_GROWN * min(size_px, track.size_px):
        return None
    moved_px = float(np.hypot(*(points - track.points).T).mean())
    moved = moved_px / max(size_px, track.size_px)
    return moved if moved <= MOST_MOVED_SIZES else None
