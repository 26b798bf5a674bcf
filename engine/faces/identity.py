"""People in a faceset: which faces are the same person's, and which are nearest to a given one.

Works on identities, 128 numbers a face (`engine.detect.identity`), and on the distances of
`engine.protocol.face_likeness`. A single face errs more than the mean over the frames in which it
is followed, so faces are followed first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.protocol.face_likeness import SAME_PERSON, SURELY_ANOTHER

Vectors = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, top, right, bottom in the frame

_MAX_GAP_FRAMES = 3
_MIN_OVERLAP = 0.3
_VECTORS_PER_CHECKPOINT = 200
_PEOPLE_AT_ONCE = 256  # bounds memory


@dataclass
class _Track:
    number: int
    frame: int
    box: Box
    vector: Vectors


def cluster(
    vectors: Vectors,
    weights: NDArray[np.float64] | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> NDArray[np.int64]:
    """The person of each of (n, 128): numbers from 0, the person with most weight first.

    Vectors join the nearest person whose mean is within `SAME_PERSON`, heavy ones first; people
    whose means come that near to each other become one. Time grows with vectors x people, memory
    with their sum; checkpoint is called several times a second and may raise to stop.
    """
    heft = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    people = _People(len(vectors), vectors.shape[1])
    labels = np.empty(len(vectors), np.int64)
    for place, row in enumerate(np.argsort(-heft, kind="stable")):
        if place % _VECTORS_PER_CHECKPOINT == 0:
            checkpoint()
        labels[row] = people.join(vectors[row].astype(np.float64), float(heft[row]))
    return _largest_first(people.merged(checkpoint)[labels], heft)


def nearest(reference: Vectors, vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows of (n, 128) by distance to the reference (128,), nearest first, and all distances
    (by row)."""
    distances = np.linalg.norm(vectors.astype(np.float64) - reference, axis=1)
    return np.argsort(distances, kind="stable"), distances


def follow(
    frames: Sequence[str], boxes: Sequence[Box | None], vectors: Vectors
) -> NDArray[np.int64]:
    """The track of each face: numbers from 0. Faces of frames that follow each other by name are
    one track where their boxes overlap and their identities are not surely different. A face
    without a box, or whose frame is not known (""), is a track of its own."""
    places = {name: place for place, name in enumerate(sorted(set(frames) - {""}))}
    tracks = np.full(len(frames), -1, np.int64)
    alive: list[_Track] = []
    count = 0
    for row in sorted(range(len(frames)), key=lambda row: (frames[row], row)):
        box, frame = boxes[row], places.get(frames[row])
        alive = [
            track for track in alive if frame is None or frame - track.frame <= _MAX_GAP_FRAMES
        ]
        track = (
            None if box is None or frame is None else _continued(alive, frame, box, vectors[row])
        )
        if track is None:
            track = _Track(count, -1, (0, 0, 0, 0), vectors[row])
            count += 1
            if box is not None and frame is not None:
                alive.append(track)
        if box is not None and frame is not None:
            track.frame, track.box, track.vector = frame, box, vectors[row]
        tracks[row] = track.number
    return tracks


def people_of(
    frames: Sequence[str],
    boxes: Sequence[Box | None],
    vectors: Vectors,
    checkpoint: Callable[[], None] = lambda: None,
) -> tuple[NDArray[np.int64], Vectors]:
    """The person of each face (as `cluster`), found on means over tracks, and these means by face
    (n, 128). checkpoint may raise to stop."""
    tracks = follow(frames, boxes, vectors)
    lengths = np.bincount(tracks).astype(np.float64)
    sums = np.zeros((len(lengths), vectors.shape[1]))
    np.add.at(sums, tracks, vectors)
    means = (sums / lengths[:, None]).astype(np.float32)
    return cluster(means, lengths, checkpoint)[tracks], means[tracks]


def _continued(alive: list[_Track], frame: int, box: Box, vector: Vectors) -> _Track | None:
    """The track that overlaps most, of those that have no face of this frame yet."""
    fitting = [
        (overlap, -track.number, track)
        for track in alive
        if track.frame < frame
        and (overlap := _overlap(track.box, box)) >= _MIN_OVERLAP
        and np.linalg.norm(track.vector - vector) <= SURELY_ANOTHER
    ]
    return max(fitting)[2] if fitting else None


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (one, other))
    return width * height / (areas - width * height)


class _People:
    """People found so far, by the sums and the hefts of their vectors."""

    def __init__(self, most: int, numbers: int) -> None:
        self.count = 0
        self._sums = np.empty((most, numbers))
        self._means = np.empty((most, numbers))
        self._hefts = np.zeros(most)

    def join(self, vector: NDArray[np.float64], heft: float) -> int:
        """The person nearest to the vector, which is theirs from now on; a new one if it is not
        near enough to be any of those."""
        person = self.count
        if self.count:
            distances = np.linalg.norm(self._means[: self.count] - vector, axis=1)
            closest = int(distances.argmin())
            person = closest if distances[closest] <= SAME_PERSON else person
        if person == self.count:
            self._sums[person], self.count = 0.0, self.count + 1
        self._add(person, vector * heft, heft)
        return person

    def merged(self, checkpoint: Callable[[], None]) -> NDArray[np.int64]:
        """(count,): who each person is once those whose means are near have become one, the nearest
        pair first."""
        everyone = np.arange(self.count)
        becomes, is_there = everyone.copy(), np.ones(self.count, np.bool_)
        apart, closest = self._closest(everyone, is_there, checkpoint)
        while is_there.sum() > 1 and apart.min() <= SAME_PERSON**2:
            kept, gone = sorted((int(apart.argmin()), int(closest[apart.argmin()])))
            self._add(kept, self._sums[gone], self._hefts[gone])
            becomes[becomes == gone] = kept
            is_there[gone], apart[gone] = False, np.inf
            # Of the others, those that were nearest to one of the two, or now are to both.
            nearer = self._squares_apart(np.array([kept]))[0] < apart
            moved = np.flatnonzero(is_there & (nearer | np.isin(closest, (kept, gone))))
            moved = np.union1d(moved, [kept])
            apart[moved], closest[moved] = self._closest(moved, is_there, checkpoint)
        return becomes

    def _add(self, person: int, vector: NDArray[np.float64], heft: float) -> None:
        self._sums[person] += vector
        self._hefts[person] += heft
        self._means[person] = self._sums[person] / self._hefts[person]

    def _closest(
        self, rows: NDArray[np.int64], is_there: NDArray[np.bool_], checkpoint: Callable[[], None]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The squared distance of each of these people to the nearest other one, and who it is."""
        apart, closest = np.empty(len(rows)), np.empty(len(rows), np.int64)
        for start in range(0, len(rows), _PEOPLE_AT_ONCE):
            checkpoint()
            part = slice(start, start + _PEOPLE_AT_ONCE)
            squares = self._squares_apart(rows[part])
            squares[:, ~is_there] = np.inf
            squares[np.arange(len(squares)), rows[part]] = np.inf
            closest[part] = squares.argmin(axis=1)
            apart[part] = squares.min(axis=1)
        return apart, closest

    def _squares_apart(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        means = self._means[: self.count]
        lengths = (means**2).sum(axis=1)
        return np.asarray(lengths[rows][:, None] + lengths - 2 * means[rows] @ means.T)


def _largest_first(labels: NDArray[np.int64], heft: NDArray[np.float64]) -> NDArray[np.int64]:
    if not len(labels):
        return labels
    order = np.argsort(-np.bincount(labels, weights=heft), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[labels]
