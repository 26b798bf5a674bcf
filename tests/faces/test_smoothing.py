from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.faces.face_tracks import face_tracks
from engine.faces.smoothing import Floats, blended, eye_spans, jitter_of, smooth_track
from tests.faces.landmarks import front_face

FRAMES = np.arange(100)
FACE = front_face(unit_px=200.0)
SPAN_PX = float(eye_spans(FACE[None])[0])
LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
LIPS = ((61, 67), (62, 66), (63, 65))
# What ten looks of dlib's landmarks have is 0.0013 of the eyes' distance, one look 0.004.
NOISE = 0.004


def noisy(points: Floats, noise: float = NOISE, seed: int = 0) -> Floats:
    return points + np.random.default_rng(seed).normal(0, noise * SPAN_PX, points.shape)


def error(points: Floats, truth: Floats) -> float:
    """rms in parts of the eyes' distance."""
    return float(np.sqrt(((points - truth) ** 2).sum(axis=2).mean())) / SPAN_PX


def resting(frames: int = 100) -> Floats:
    return np.repeat(FACE[None], frames, axis=0)


def gap(points: Floats, pair: tuple[int, int]) -> Floats:
    return np.asarray(np.hypot(*(points[:, pair[0]] - points[:, pair[1]]).T))


def with_gap(points: Floats, pairs: tuple[tuple[int, int], ...], factors: Floats) -> Floats:
    """The distance of each pair times the frame's factor."""
    changed = points.copy()
    for one, other in pairs:
        middle = (points[:, one] + points[:, other]) / 2
        for place in (one, other):
            changed[:, place] = middle + factors[:, None] * (points[:, place] - middle)
    return changed


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), noise=st.floats(0.001, 0.006), scale=st.floats(0.1, 5.0))
def test_of_the_noise_on_a_resting_face_less_than_a_fifth_is_left(
    seed: int, noise: float, scale: float
) -> None:
    truth = resting(120) * scale
    shaking = noisy(resting(120), noise, seed) * scale
    smooth = smooth_track(np.arange(120), shaking)
    assert error(smooth, truth) < 0.2 * error(shaking, truth)
    frames = np.arange(120)
    assert jitter_of(frames, smooth).inner_pct < 0.1 * jitter_of(frames, shaking).inner_pct


@pytest.mark.parametrize("pixels_per_frame", [1.0, 6.0, 30.0])
def test_a_face_that_moves_evenly_is_not_late(pixels_per_frame: float) -> None:
    path = np.stack([FRAMES * pixels_per_frame, FRAMES * 0.0], axis=1)
    truth = resting() + path[:, None]
    late_px = (smooth_track(FRAMES, noisy(truth)) - truth)[..., 0].mean(axis=1)
    assert abs(late_px).max() < 0.002 * SPAN_PX


def test_a_face_that_swings_is_not_late_and_keeps_its_way() -> None:
    path = np.stack([100 * np.sin(FRAMES / 6), 0.0 * FRAMES], axis=1)
    truth = resting() + path[:, None]
    smooth = smooth_track(FRAMES, noisy(truth))
    late_px = (smooth - truth)[..., 0].mean(axis=1)
    assert abs(late_px).max() < 0.006 * SPAN_PX
    assert error(smooth, truth) < 0.5 * NOISE * 2**0.5


def test_a_start_from_rest_is_not_softened() -> None:
    path = np.stack([np.maximum(FRAMES - 50, 0) * 20.0, 0.0 * FRAMES], axis=1)
    truth = resting() + path[:, None]
    late_px = (smooth_track(FRAMES, noisy(truth)) - truth)[..., 0].mean(axis=1)
    assert abs(late_px).max() < 0.003 * SPAN_PX


@pytest.mark.parametrize("frames_closed", [1, 2, 4])
def test_a_blink_keeps_its_depth(frames_closed: int) -> None:
    factors = np.ones(100)
    factors[47:50] = 0.6, 0.3, 0.1
    factors[50 : 50 + frames_closed] = 0.1
    factors[50 + frames_closed : 52 + frames_closed] = 0.4, 0.8
    truth = with_gap(resting(), LIDS, factors)
    smooth = smooth_track(FRAMES, noisy(truth, 0.0013))
    for pair in LIDS:
        open_px, closed_px = gap(truth, pair)[0], gap(truth, pair).min()
        assert open_px - gap(smooth, pair)[45:58].min() > 0.9 * (open_px - closed_px)


def test_a_word_keeps_the_opening_of_the_mouth() -> None:
    factors = np.ones(100)
    factors[40:47] = 2, 5, 9, 12, 8, 4, 2  # lips that are closed lie a few pixels apart
    truth = with_gap(resting(), LIPS, factors)
    smooth = smooth_track(FRAMES, noisy(truth, 0.0013))
    opened = gap(smooth, (62, 66)).max() - gap(smooth, (62, 66))[:30].mean()
    assert opened > 0.95 * (gap(truth, (62, 66)).max() - gap(truth, (62, 66))[0])


def test_landmarks_wrong_in_one_frame_are_taken_from_its_neighbours() -> None:
    shaking = noisy(resting())
    shaking[50] += (0.2 * SPAN_PX, -0.1 * SPAN_PX)
    smooth = smooth_track(FRAMES, shaking)
    assert error(smooth[45:56], resting(11)) < NOISE


def test_frames_that_lack_the_face_are_bridged() -> None:
    here = np.delete(FRAMES, [30, 31, 60])
    path = np.stack([FRAMES * 4.0, FRAMES * 0.0], axis=1)
    truth = (resting() + path[:, None])[here]
    smooth = smooth_track(here, noisy(truth))
    assert error(smooth, truth) < 0.25 * error(noisy(truth), truth)


def test_a_cut_is_not_smoothed_over() -> None:
    there = resting() + np.where(FRAMES >= 50, 30.0, 0.0)[:, None, None]
    tracks = face_tracks(FRAMES.tolist(), noisy(there), cuts=[50])
    smooth = noisy(there)
    for track in tracks:
        smooth[track.rows] = smooth_track(track.frames, smooth[track.rows])
    assert len(tracks) == 2
    assert error(smooth[48:52], there[48:52]) < 0.6 * NOISE * 2**0.5


def test_few_faces_stay_as_they_are() -> None:
    shaking = noisy(resting(3))
    assert np.array_equal(smooth_track(FRAMES[:3], shaking), shaking)


def test_smoothing_does_not_depend_on_where_and_how_large_the_face_is() -> None:
    shaking = noisy(resting(40))
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    moved = 3 * shaking @ turn.T + (500, -20)
    smooth = smooth_track(FRAMES[:40], shaking)
    np.testing.assert_allclose(
        smooth_track(FRAMES[:40], moved), 3 * smooth @ turn.T + (500, -20), atol=1e-6
    )


def test_strength_mixes_by_face() -> None:
    shaking = noisy(resting(3))
    mixed = blended(shaking, resting(3), np.array([0.0, 0.5, 1.0]))
    np.testing.assert_array_equal(mixed[0], shaking[0])
    np.testing.assert_allclose(mixed[1], (shaking[1] + FACE) / 2)
    np.testing.assert_allclose(mixed[2], FACE)
