"""Faces whose landmarks fit neither their picture, nor the frames around, nor any other face."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import crop_corners
from engine.faces.face_tracks import face_tracks
from engine.faces.face_type import FaceType
from engine.faces.smoothing import jumps_of
from engine.protocol.errors import InputError

Floats = NDArray[np.float64]

FEWEST_COMPARED = 20  # of fewer, no face can be said to be unlike the others
_ALIKE = 3  # so many other faces must have such a shape
_REFERENCES = 1500  # a face that is like three of these needs no look at all others
_ROWS_AT_ONCE = 256  # bounds memory: 200 MB against 100 000
_SAME = 1e-12  # rounding of squared distances
_FACES_PER_CHECKPOINT = 500
_FRAMES_AT_ONCE = 2000  # of which faces are followed: under a second


def crop_squares(
    landmarks_xy: Floats, face_types: Sequence[str], checkpoint: Callable[[], None]
) -> Floats:
    """(n, 4, 2): where the corners of each face's picture would lie in it if it was cut anew by
    these landmarks (n, 68, 2). NaN for faces that are not cut by landmarks (mark_only) or that
    cannot be. face_types: as the index holds them. checkpoint may raise to stop."""
    corners = np.full((len(landmarks_xy), 4, 2), np.nan)
    for row, (points, face_type) in enumerate(zip(landmarks_xy, face_types, strict=True)):
        if row % _FACES_PER_CHECKPOINT == 0:
            checkpoint()
        try:
            corners[row] = crop_corners(points, FaceType.from_dfl(face_type))
        except InputError:
            continue  # nothing to compare with
    return corners


def off_their_cuts(corners: Floats, sizes_hw: Floats) -> Floats:
    """(n,): how far the furthest corner of `crop_squares` is from that of the picture as it is, in
    its sides, beyond what is usual in the faceset: 0 where the landmarks lie where they lay when
    the face was cut out."""
    height, width = sizes_hw[:, 0], sizes_hw[:, 1]
    zero = np.zeros(len(sizes_hw))
    x, y = np.stack([zero, width, width, zero], 1), np.stack([zero, zero, height, height], 1)
    off = np.hypot(corners[:, :, 0] - x, corners[:, :, 1] - y).max(axis=1) / width
    known = np.isfinite(off)
    usual = float(np.median(off[known])) if known.any() else 0.0
    return np.where(known, np.maximum(off - usual, 0.0), 0.0)


def jumps_pct(
    frames: Sequence[str], source_landmarks_xy: Floats, checkpoint: Callable[[], None]
) -> Floats:
    """(n,): by how much each face is off what the frames around agree on, as
    `engine.faces.smoothing.jumps_of`; frames follow each other by name. 0 for faces whose frame is
    not known ("") or whose landmarks (n, 68, 2) in it are not (NaN). checkpoint may raise to
    stop."""
    jumps = np.zeros(len(frames))
    names, numbers = np.unique(np.array(frames, np.str_), return_inverse=True)
    known = np.isfinite(source_landmarks_xy).all(axis=(1, 2)) & (np.array(frames) != "")
    for start in range(0, len(names), _FRAMES_AT_ONCE):
        checkpoint()
        rows = np.flatnonzero(known & (numbers >= start) & (numbers < start + _FRAMES_AT_ONCE))
        landmarks_xy = source_landmarks_xy[rows]
        for track in face_tracks(numbers[rows].tolist(), landmarks_xy):
            jumps[rows[track.rows]] = jumps_of(track.frames, landmarks_xy[track.rows])
    return jumps


def unlike_all_others(
    landmarks_xy: Floats, corners: Floats, checkpoint: Callable[[], None]
) -> Floats:
    """(n,): how much the shape of each face's landmarks differs from that of the third nearest face
    of the faceset: root mean square over 68 points, in the shape's own size (their root mean square
    from their middle); 0 where that is not known, and of fewer than `FEWEST_COMPARED` faces. In a
    large faceset, faces that are like three of some hundreds are compared with these only.
    checkpoint may raise to stop."""
    unlike = np.zeros(len(landmarks_xy))
    known = np.flatnonzero(np.isfinite(corners).all(axis=(1, 2)))
    if len(known) < FEWEST_COMPARED:
        return unlike
    shapes = _shapes(landmarks_xy[known], corners[known])
    step = -(-len(shapes) // _REFERENCES)
    nearest = _third_nearest(shapes, shapes[::step], checkpoint)
    if step > 1:
        rare = np.flatnonzero(nearest > 2 * np.median(nearest))
        nearest[rare] = _third_nearest(shapes[rare], shapes, checkpoint)
    unlike[known] = nearest
    return unlike


def _shapes(landmarks_xy: Floats, corners: Floats) -> Floats:
    """(n, 136): landmarks around their middle, as upright as their crop, of length 1."""
    across = corners[:, 1] - corners[:, 0]
    along = np.stack([-across[:, 1], across[:, 0]], axis=1)
    around = landmarks_xy - landmarks_xy.mean(axis=1, keepdims=True)
    upright = np.einsum("npx,knx->npk", around, np.stack([across, along]))
    shapes: Floats = upright.reshape(len(around), -1)
    lengths = np.linalg.norm(shapes, axis=1, keepdims=True)
    return np.asarray(shapes / lengths, np.float64)


def _third_nearest(shapes: Floats, others: Floats, checkpoint: Callable[[], None]) -> Floats:
    """(n,): the distance to the third nearest of the others, the face itself left out."""
    found = np.empty(len(shapes))
    squares = np.square(others).sum(axis=1)
    for start in range(0, len(shapes), _ROWS_AT_ONCE):
        checkpoint()
        rows = shapes[start : start + _ROWS_AT_ONCE]
        apart = np.square(rows).sum(axis=1)[:, None] + squares - 2 * rows @ others.T
        # The nearest is the face itself, where it is one of the others.
        itself = apart.min(axis=1) < _SAME
        third = np.partition(apart, _ALIKE, axis=1)[:, : _ALIKE + 1]
        third.sort(axis=1)
        chosen = np.where(itself, third[:, _ALIKE], third[:, _ALIKE - 1])
        found[start : start + _ROWS_AT_ONCE] = np.sqrt(np.maximum(chosen, 0.0))
    return found
