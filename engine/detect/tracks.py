"""Faces followed from frame to frame, to tell MTCNN's false ones.

MTCNN's false faces score 0.80 to 0.95, rarely 0.96, and last one to eight frames; true ones pass
0.98 sooner or later. So in a video a face is kept if the track it belongs to passes 0.98 or lasts.
Pictures that do not follow each other have no tracks, and nothing is dropped from them here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from engine.detect.boxes import overlaps
from engine.detect.detection import BoxLtrb, Detection

SURE_SCORE = 0.98
LASTING_FRAMES = 10
# The only faces of a frame are kept from this score on, whatever their tracks.
SURE_ALONE = 0.95
MAX_GAP_FRAMES = 3
MIN_OVERLAP = 0.3
# A shot shorter than a false track may last says nothing about one.
MIN_SHOT_FRAMES = 5

Label = TypeVar("Label")


@dataclass(frozen=True)
class TrackedFrame(Generic[Label]):
    """A frame's faces. follows: it shows the same shot as the frame before it. dropped: how many
    faces were found false. is_judged: the shot is long enough to tell false faces by their tracks.
    """

    label: Label
    faces: tuple[Detection, ...]
    follows: bool
    dropped: int = 0
    is_judged: bool = True


@dataclass
class _Track:
    box: BoxLtrb
    last_frame: int
    best_score: float = 0.0
    frames: int = 0
    is_over: bool = False
    is_exempt: bool = False

    @property
    def is_true(self) -> bool:
        return self.best_score >= SURE_SCORE or self.frames >= LASTING_FRAMES or self.is_exempt

    @property
    def is_decided(self) -> bool:
        return self.is_true or self.is_over


@dataclass
class _Waiting(Generic[Label]):
    frame: TrackedFrame[Label]
    tracks: tuple[_Track, ...]


@dataclass
class _Shot:
    frames: int = 0
    tracks: list[_Track] = field(default_factory=list)


def without_false_faces(
    frames: Iterable[TrackedFrame[Label]],
) -> Iterator[TrackedFrame[Label]]:
    """The frames with their true faces only, in order. A frame is held back until its tracks are
    decided: at most some dozens of frames."""
    waiting: deque[_Waiting[Label]] = deque()
    shot = _Shot()
    for number, frame in enumerate(frames):
        if not frame.follows:
            _end(shot)
            shot = _Shot()
        shot.frames += 1
        waiting.append(_Waiting(frame, _assign(frame.faces, shot, number)))
        while waiting and all(track.is_decided for track in waiting[0].tracks):
            yield _true_faces(waiting.popleft())
    _end(shot)
    while waiting:
        yield _true_faces(waiting.popleft())


def _true_faces(waiting: _Waiting[Label]) -> TrackedFrame[Label]:
    frame = waiting.frame
    pairs = zip(frame.faces, waiting.tracks, strict=True)
    true = tuple(face for face, track in pairs if track.is_true)
    if not true:
        true = tuple(face for face in frame.faces if face.score >= SURE_ALONE)
    is_judged = not any(track.is_exempt for track in waiting.tracks)
    dropped = len(frame.faces) - len(true)
    return replace(frame, faces=true, dropped=dropped, is_judged=is_judged)


def _end(shot: _Shot) -> None:
    for track in shot.tracks:
        track.is_over = True
        track.is_exempt = shot.frames < MIN_SHOT_FRAMES


def _assign(faces: tuple[Detection, ...], shot: _Shot, number: int) -> tuple[_Track, ...]:
    """The track of each face: the one whose last box it overlaps most, or a new one."""
    for track in shot.tracks:
        track.is_over = number - track.last_frame > MAX_GAP_FRAMES + 1
    shot.tracks = [track for track in shot.tracks if not track.is_over]
    matches = _matches(faces, shot.tracks)
    for place, face in enumerate(faces):
        if place not in matches:
            matches[place] = _Track(face.box_ltrb, number)
            shot.tracks.append(matches[place])
        track = matches[place]
        track.box, track.last_frame = face.box_ltrb, number
        track.best_score = max(track.best_score, face.score)
        track.frames += 1
    return tuple(matches[place] for place in range(len(faces)))


def _matches(faces: tuple[Detection, ...], tracks: list[_Track]) -> dict[int, _Track]:
    if not faces or not tracks:
        return {}
    boxes = np.array([face.box_ltrb for face in faces])
    shared = overlaps(boxes, np.array([track.box for track in tracks]))
    matches: dict[int, _Track] = {}
    while shared.max() >= MIN_OVERLAP:
        place, of_track = (int(index) for index in np.unravel_index(shared.argmax(), shared.shape))
        matches[place] = tracks[of_track]
        shared[place, :] = shared[:, of_track] = -1.0
    return matches
