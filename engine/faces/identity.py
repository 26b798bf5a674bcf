"""People in a faceset: which faces are the same person's, and which are nearest to a given one.

Works on identities, 128 numbers a face (`engine.detect.identity`), and on the distances of
`engine.protocol.face_likeness`. A single face errs more than the mean over the frames in which it
is followed, so faces are followed first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.protocol.face_likeness import SAME_PERSON, SURELY_ANOTHER

Vectors = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, top, right, bottom in the frame

_MAX_GAP_FRAMES = 3
_MIN_OVERLAP = 0.3


@dataclass
class _Track:
    number: int
    frame: int
    box: Box
    vector: Vectors


def cluster(vectors: Vectors, weights: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """The person of each of (n, 128): numbers from 0, the person with most weight first.

    Vectors join the nearest person whose mean is within `SAME_PERSON`, heavy ones first; people
    whose means come that near to each other become one.
    """
    heft = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    sums, hefts = np.empty((0, vectors.shape[1])), np.empty(0)
    labels = np.empty(len(vectors), np.int64)
    for row in np.argsort(-heft, kind="stable"):
        distances = np.linalg.norm(sums / hefts[:, None] - vectors[row], axis=1)
        nearby = int(distances.argmin()) if len(distances) else -1
        if nearby < 0 or distances[nearby] > SAME_PERSON:
            nearby = len(sums)
            sums, hefts = np.vstack([sums, np.zeros(vectors.shape[1])]), np.append(hefts, 0.0)
        labels[row] = nearby
        sums[nearby] += vectors[row] * heft[row]
        hefts[nearby] += heft[row]
    return _largest_first(_merged(labels, sums, hefts), heft)


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
    frames: Sequence[str], boxes: Sequence[Box | None], vectors: Vectors
) -> tuple[NDArray[np.int64], Vectors]:
    """The person of each face (as `cluster`), found on means over tracks, and these means by face
    (n, 128)."""
    tracks = follow(frames, boxes, vectors)
    lengths = np.bincount(tracks).astype(np.float64)
    sums = np.zeros((len(lengths), vectors.shape[1]))
    np.add.at(sums, tracks, vectors)
    means = (sums / lengths[:, None]).astype(np.float32)
    return cluster(means, lengths)[tracks], means[tracks]


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


def _merged(
    labels: NDArray[np.int64], sums: NDArray[np.float64], hefts: NDArray[np.float64]
) -> NDArray[np.int64]:
    """People whose means are near become one, the nearest pair first."""
    while len(sums) > 1:
        means = sums / hefts[:, None]
        squares = (means**2).sum(axis=1)
        apart = squares[:, None] + squares - 2 * means @ means.T
        np.fill_diagonal(apart, np.inf)
        kept, gone = sorted(map(int, np.unravel_index(apart.argmin(), apart.shape)))
        if apart[kept, gone] > SAME_PERSON**2:
            break
        sums[kept] += sums[gone]
        hefts[kept] += hefts[gone]
        sums, hefts = np.delete(sums, gone, axis=0), np.delete(hefts, gone)
        labels = np.where(labels == gone, kept, labels)
        labels = labels - (labels > gone)
    return labels


def _largest_first(labels: NDArray[np.int64], heft: NDArray[np.float64]) -> NDArray[np.int64]:
    if not len(labels):
        return labels
    order = np.argsort(-np.bincount(labels, weights=heft), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[labels]
