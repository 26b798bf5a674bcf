"""Landmarks of one face over frames, smoothed without lag.

A face's landmarks are taken apart into where the face is (a similarity: shift, turn, size) and its
shape in a frame of its own; of the shape, jaw, brows, nose, eyes and mouth are looked at one by
one. Each part is replaced by what a polynomial through the frames around says, over as many frames
as the polynomial explains up to the part's noise: many where the part rests or moves evenly, none
where a blink, a word or a turn of the head is under way. Windows are centred, so nothing lags.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


class Window(NamedTuple):
    """A polynomial over `half` frames on each side. It is used where what it leaves over, in sizes
    of the noise, is at most `fits`, less and less up to `fails`."""

    half: int
    degree: int
    fits: float
    fails: float


# Each smoother than the one before. Short ones distort little, and few frames tell little of
# whether they fit: they are allowed more.
WINDOWS = (
    Window(2, 2, 2.5, 5.0),
    Window(3, 2, 2.0, 3.6),
    Window(5, 2, 1.5, 2.4),
    Window(8, 2, 1.3, 1.6),
    Window(12, 2, 1.3, 1.6),
    Window(18, 2, 1.3, 1.6),
    Window(25, 1, 1.3, 1.6),
)


class Opening(NamedTuple):
    """What opens and closes: the mean of some landmarks above from that of as many below."""

    above: tuple[int, ...]
    below: tuple[int, ...]


class Part(NamedTuple):
    """A part of the shape. noises: how noisy it may be at most, in sizes of the noise of nose and
    brows; what is more is movement. opening: shows a movement that its many landmarks hide."""

    landmarks: slice
    noises: float
    opening: Opening | None = None


# The nose only turns, and the jaw is guessed between few edges; eyes and lips move of their own.
PARTS = (
    Part(slice(0, 17), 3.0),  # jaw
    Part(slice(17, 27), 1.5),  # brows
    Part(slice(27, 36), 1.5),  # nose
    Part(slice(36, 42), 1.1, Opening((37, 38), (41, 40))),
    Part(slice(42, 48), 1.1, Opening((43, 44), (47, 46))),
    Part(slice(48, 68), 1.5, Opening((61, 62, 63), (67, 66, 65))),
)
_PLACE_NOISES = 0.5  # the same for where the face is: a mean over many landmarks
_STEADY = (*range(17, 36), 36, 39, 42, 45)  # brows, nose, corners of the eyes
# Noise in parts of the distance of the eyes' outer corners. What no landmarker is better than; and
# what none that is of use is worse than: more is movement.
_LEAST_NOISE, _MOST_NOISE = 0.0002, 0.01
# A frame that is off what its neighbours agree on by this much, in sizes of the noise and of the
# eyes' distance, and that leaves no trace in them, is an error of the landmarker.
_JUMP_NOISES, _JUMP_LEAST, _JUMP_TIMES = 6.0, 0.02, 4.0
# So many frames after each other may be wrong, and then all alike, up to this part of the jump: a
# head that nods is off its way in each frame by another way.
_LONGEST_JUMP, _JUMP_ALIKE = 3, 1 / 3
_USUAL_SHARE = 0.9
# The fourth difference (1, -4, 6, -4, 1) of noise is larger than the noise by this.
_FOURTH_DIFFERENCE = 70**0.5


@dataclass(frozen=True)
class Jitter:
    """How much landmarks shake: rms of their acceleration over three frames, in % of the distance
    of the eyes' outer corners. frames: how many there were to see it in."""

    inner_pct: float
    jaw_pct: float
    frames: int


def smooth_track(frames: NDArray[np.int64], landmarks_xy: Floats) -> Floats:
    """The landmarks (n, 68, 2) of one face, smoothed over its frames (n,), ascending.

    Frames that lack the face may lie between; there is no smoothing across cuts, so give each shot
    by itself. Fewer than four faces stay as they are.
    """
    if len(frames) < 4:
        return landmarks_xy.copy()
    complex_xy = _without_jumps(frames, _as_complex(landmarks_xy))
    base = _base_shape(complex_xy)
    place = _fitted_places(complex_xy, base)
    shape = (complex_xy - place[:, 1:]) / place[:, :1]
    noise = _noise(frames, shape[:, list(_STEADY)])
    smooth = np.empty_like(shape)
    for part in PARTS:
        own = min(_noise(frames, shape[:, part.landmarks]), part.noises * noise)
        smooth[:, part.landmarks] = _smoothed_part(frames, shape, part, own)
    smooth_place = _smoothed_places(frames, place, base, noise)
    found = smooth * smooth_place[:, :1] + smooth_place[:, 1:]
    return np.stack([found.real, found.imag], axis=-1)


def blended(landmarks_xy: Floats, smooth_xy: Floats, strengths: Floats) -> Floats:
    """Between the landmarks as they are (strength 0) and as smoothed (1), by face (n,)."""
    return landmarks_xy + strengths[:, None, None] * (smooth_xy - landmarks_xy)


def jitter_of(frames: NDArray[np.int64], landmarks_xy: Floats) -> Jitter:
    """How much the landmarks (n, 68, 2) of one face shake, where three frames follow each other."""
    middle, acceleration = _accelerations(frames, landmarks_xy)
    if not len(middle):
        return Jitter(0.0, 0.0, 0)
    squares = (acceleration**2).sum(axis=2) / eye_spans(landmarks_xy[middle])[:, None] ** 2
    inner, jaw = squares[:, 17:].mean(), squares[:, :17].mean()
    return Jitter(100 * float(np.sqrt(inner)), 100 * float(np.sqrt(jaw)), len(middle))


def jitter_by_frame(frames: NDArray[np.int64], landmarks_xy: Floats) -> Floats:
    """As `jitter_of`, of all 68 landmarks and by frame (n,); NaN without both neighbours."""
    middle, acceleration = _accelerations(frames, landmarks_xy)
    shaking = np.full(len(frames), np.nan)
    squares = (acceleration**2).sum(axis=2).mean(axis=1)
    shaking[middle] = 100 * np.sqrt(squares) / eye_spans(landmarks_xy[middle])
    return shaking


def jumps_of(frames: NDArray[np.int64], landmarks_xy: Floats) -> Floats:
    """By how much each face of a track is off what the two before and after it agree on, in % of
    the distance of the eyes' outer corners (n,); 0 for one that is not, or that moves quickly. Up
    to three neighbours may be off alike."""
    jumps, points = np.zeros(len(frames)), _as_complex(landmarks_xy)
    for length in range(1, _LONGEST_JUMP + 1):
        rows, sizes = _jumps(frames, points, length)
        for place in range(length):
            jumps[rows + place] = np.maximum(jumps[rows + place], 100 * sizes[:, place])
    return jumps


def eye_spans(landmarks_xy: Floats) -> Floats:
    """The distance of the eyes' outer corners by face (n,), 1e-6 at least."""
    spans: Floats = np.maximum(np.hypot(*(landmarks_xy[:, 45] - landmarks_xy[:, 36]).T), 1e-6)
    return spans


def _as_complex(points_xy: Floats) -> Complexes:
    """x + iy of (..., 2): turning and scaling is then one multiplication."""
    points: Complexes = points_xy[..., 0] + 1j * points_xy[..., 1]
    return points


def _accelerations(
    frames: NDArray[np.int64], landmarks_xy: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """(m,) places of frames whose neighbours are there, and (m, 68, 2) second differences."""
    middle = np.flatnonzero(frames[2:] - frames[:-2] == 2) + 1
    around = landmarks_xy[middle - 1] + landmarks_xy[middle + 1]
    return middle, around - 2 * landmarks_xy[middle]


def _base_shape(points: Complexes) -> Complexes:
    """The mean shape (68,), its steady points centred on 0 and the eyes' corners 1 apart."""
    steady = list(_STEADY)
    base = points[len(points) // 2]
    for _ in range(3):
        base = base - base[steady].mean()
        base = base / max(abs(base[45] - base[36]), 1e-9)
        place = _fitted_places(points, base)
        base = ((points - place[:, 1:]) / place[:, :1]).mean(axis=0)
    found: Complexes = base
    return found


def _fitted_places(points: Complexes, base: Complexes) -> Complexes:
    """(n, 2): factor and shift of the least-squares similarity from the base shape to each face's
    steady points. A factor turns and scales; it is never 0."""
    steady = list(_STEADY)
    from_base = base[steady] - base[steady].mean()
    to_points = points[:, steady]
    middle = to_points.mean(axis=1)
    extent = max(float((abs(from_base) ** 2).sum()), 1e-18)
    factor = (to_points - middle[:, None]) @ from_base.conj() / extent
    factor = np.where(abs(factor) > 1e-9, factor, 1e-9)
    return np.stack([factor, middle - factor * base[steady].mean()], axis=1)


def _smoothed_places(
    frames: NDArray[np.int64], place: Complexes, base: Complexes, noise: float
) -> Complexes:
    """The similarities smoothed, by what they do to the base shape's corners."""
    # In units of the face, so that one noise is that of shift, turn and size.
    span = float(np.median(abs(place[:, 0])))
    spread = float(np.sqrt((abs(base) ** 2).mean()))
    units = np.array([spread / span, 1 / span])
    own = min(_noise(frames, place * units), _PLACE_NOISES * noise)
    smooth: Complexes = _smoothed(frames, place * units, own) / units
    return smooth


def _smoothed_part(
    frames: NDArray[np.int64], shape: Complexes, part: Part, noise: float
) -> Complexes:
    """The part's landmarks smoothed, less where it opens or closes."""
    if part.opening is None:
        return _smoothed(frames, shape[:, part.landmarks], noise)
    above, below = list(part.opening.above), list(part.opening.below)
    # The mean of some landmarks is less noisy than one, a difference more: by about as much.
    opening = shape[:, above].mean(axis=1) - shape[:, below].mean(axis=1)
    return _smoothed(frames, shape[:, part.landmarks], noise, opening[:, None])


def _noise(frames: NDArray[np.int64], values: Complexes) -> float:
    """The rms of what changes from frame to frame without order, per complex value.

    Told by fourth differences: of movements these show little, of noise most.
    """
    rows = np.flatnonzero(frames[4:] - frames[:-4] == 4) + 2
    if not len(rows):
        return _LEAST_NOISE
    inner, outer = values[rows - 1] + values[rows + 1], values[rows - 2] + values[rows + 2]
    squares = (abs(outer - 4 * inner + 6 * values[rows]) ** 2).mean(axis=1)
    # Without the liveliest frames: blinks, and starts and ends of movements.
    usual = float(np.sqrt(np.sort(squares)[: max(1, int(_USUAL_SHARE * len(squares)))].mean()))
    return float(np.clip(usual / _FOURTH_DIFFERENCE, _LEAST_NOISE, _MOST_NOISE))


def _smoothed(
    frames: NDArray[np.int64],
    values: Complexes,
    noise: float,
    shown: Complexes | None = None,
) -> Complexes:
    """The values (n, m) with each window's answer taken as far as it fits them and what is `shown`
    of them, (n, 1)."""
    result = values.copy()
    trust = np.ones(len(frames))
    before = values
    for window in WINDOWS:
        answer, left_over = _fits(frames, values, window)
        if shown is not None:
            left_over = np.maximum(left_over, _fits(frames, shown, window)[1])
        fitting = (window.fails - left_over / noise) / (window.fails - window.fits)
        fitting = np.clip(fitting, 0.0, 1.0)
        trust = trust * _even(fitting * fitting * (3 - 2 * fitting))
        if not trust.any():
            break
        result += trust[:, None] * (answer - before)
        before = answer
    return result


def _fits(frames: NDArray[np.int64], values: Complexes, window: Window) -> tuple[Complexes, Floats]:
    """What the polynomial through the frames around says of each value (n, m), and the rms of what
    it leaves over in its window (n,), as if it had taken no freedom from the noise."""
    answer = np.empty_like(values)
    misfit = np.empty(len(frames))
    first = np.searchsorted(frames, frames - window.half)
    end = np.searchsorted(frames, frames + window.half, side="right")
    for row in range(len(frames)):
        around = slice(int(first[row]), int(end[row]))
        offsets = tuple((frames[around] - frames[row]).tolist())
        weights, left_over, freedom = _projection(offsets, window.degree)
        answer[row] = weights @ values[around]
        if freedom:
            residual = left_over @ values[around]
            misfit[row] = np.sqrt((abs(residual) ** 2).sum() / (freedom * values.shape[1]))
        else:
            answer[row], misfit[row] = values[row], 0.0
    return answer, misfit


@lru_cache(maxsize=4096)
def _projection(offsets: tuple[int, ...], degree: int) -> tuple[Floats, Floats, int]:
    """For frames at these offsets: weights of the polynomial's value at 0, the matrix of what the
    polynomial leaves over, and how many degrees of freedom that has."""
    powers = np.vander(np.array(offsets, np.float64), degree + 1, increasing=True)
    if len(offsets) <= degree + 1:
        return np.zeros(len(offsets)), np.zeros((len(offsets), len(offsets))), 0
    inverse = np.linalg.pinv(powers)
    left_over = np.eye(len(offsets)) - powers @ inverse
    return inverse[0], left_over, len(offsets) - degree - 1


def _even(gate: Floats) -> Floats:
    """The gate (n,) without sudden steps: the mean over three frames, and never above its own."""
    padded = np.concatenate([gate[:1], gate, gate[-1:]])
    even: Floats = np.minimum((padded[:-2] + padded[1:-1] + padded[2:]) / 3, gate)
    return even


def _without_jumps(frames: NDArray[np.int64], points: Complexes) -> Complexes:
    """The faces, and where one jumps what its neighbours agree on."""
    rows, sizes = _jumps(frames, points, 1)
    jumping = rows[sizes[:, 0] > 0]
    mended = points.copy()
    mended[jumping] = np.einsum("k,nkp->np", _said(1)[0], _around(points, jumping, 1))
    return mended


def _jumps(
    frames: NDArray[np.int64], points: Complexes, length: int
) -> tuple[NDArray[np.int64], Floats]:
    """Rows that begin so many faces with two neighbours on each side, and by how much each of these
    is off what the neighbours agree on, in parts of the eyes' distance (n, length); 0 where they
    are not, or not alike, or the neighbours do not agree."""
    whole = length + 3
    rows = np.flatnonzero(frames[whole:] - frames[:-whole] == whole) + 2
    if not len(rows):
        return rows, np.empty((0, length))
    steady = points[:, list(_STEADY)]
    span = np.maximum(abs(points[rows, 45] - points[rows, 36]), 1e-6)
    around = _around(steady, rows, length)
    found = steady[rows[:, None] + np.arange(length)]
    off = found - np.einsum("lk,nkp->nlp", _said(length), around)
    sizes = _rms(off) / span[:, None]
    least = sizes.min(axis=1)
    uneven = _rms(np.einsum("k,nkp->np", _third_difference(length), around)) / span
    apart = _rms(np.diff(off, axis=1)).max(axis=1, initial=0.0) / span
    # A jump is seen in the four around it, too: of few frames the lower half knows what is usual.
    usual = max(float(np.percentile(least, 25)), _LEAST_NOISE)
    jumps = (least > _JUMP_NOISES * usual) & (least > _JUMP_LEAST) & (least > _JUMP_TIMES * uneven)
    jumps &= apart <= _JUMP_ALIKE * least
    return rows, np.where(jumps[:, None], sizes, 0.0)


def _neighbours(length: int) -> NDArray[np.int64]:
    """Where the two on each side are, counted from the first of `length` faces."""
    return np.array([-2, -1, length, length + 1])


def _around(values: Complexes, rows: NDArray[np.int64], length: int) -> Complexes:
    """(n, 4, m): the values of the two on each side."""
    around: Complexes = values[rows[:, None] + _neighbours(length)]
    return around


def _said(length: int) -> Floats:
    """(length, 4): what a cubic through the two on each side says of each face between them."""
    powers = np.vander(_neighbours(length).astype(np.float64), 4)
    said: Floats = np.vander(np.arange(length, dtype=np.float64), 4) @ np.linalg.inv(powers)
    return said


def _third_difference(length: int) -> Floats:
    """(4,): how unevenly the two on each side go on without those between; the outer ones count as
    they are."""
    places = _neighbours(length)
    weights = np.array(
        [1 / np.prod([at - other for other in places if other != at]) for at in places]
    )
    difference: Floats = weights / abs(weights[0])
    return difference


def _rms(values: Complexes) -> Floats:
    """Over the last axis."""
    rms: Floats = np.sqrt((abs(values) ** 2).mean(axis=-1))
    return rms
