"""Landmarks that do not fit their picture, or are like no others, stand out."""

from __future__ import annotations

import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.faces.landmark_doubts import (
    FEWEST_COMPARED,
    crop_squares,
    jumps_pct,
    off_their_cuts,
    unlike_all_others,
)
from tests.faces.landmarks import front_face

SIZE_PX = 256


def ignore() -> None:
    """Nothing to stop."""


def cut_faces(count: int, kind: FaceType = FaceType.WHOLE_FACE) -> np.ndarray:
    """(n, 68, 2) in their pictures: faces of a frame, each a little another, as extraction cuts
    them."""
    frames = front_face() + np.random.default_rng(0).normal(0, 1, (count, 68, 2))
    return np.stack([transform_points(one, face_from_frame(one, SIZE_PX, kind)) for one in frames])


def off(landmarks: np.ndarray, kind: FaceType = FaceType.WHOLE_FACE) -> np.ndarray:
    corners = crop_squares(landmarks, [kind.dfl_name] * len(landmarks), ignore)
    return off_their_cuts(corners, np.full((len(landmarks), 2), float(SIZE_PX)))


def unlike(landmarks: np.ndarray) -> np.ndarray:
    kinds = [FaceType.WHOLE_FACE.dfl_name] * len(landmarks)
    return unlike_all_others(landmarks, crop_squares(landmarks, kinds, ignore), ignore)


@pytest.mark.parametrize("kind", [FaceType.HALF, FaceType.WHOLE_FACE, FaceType.HEAD])
def test_landmarks_that_were_moved_after_the_cut_are_off(kind: FaceType) -> None:
    landmarks = cut_faces(9, kind)
    assert off(landmarks, kind).max() < 1e-3
    landmarks[4] += (0.1 * SIZE_PX, 0)
    assert off(landmarks, kind)[4] == pytest.approx(0.1, abs=0.01)
    assert np.delete(off(landmarks, kind), 4).max() < 1e-3


def test_a_faceset_that_another_program_cut_in_its_own_way_is_not_off() -> None:
    landmarks = 0.8 * cut_faces(9) + 0.1 * SIZE_PX
    assert off(landmarks).max() < 0.02


def test_a_face_without_a_cut_is_not_off() -> None:
    landmarks = cut_faces(3)
    corners = crop_squares(landmarks, ["mark_only", "whole_face", "whole_face"], ignore)
    assert np.isnan(corners[0]).all()
    assert off_their_cuts(corners, np.full((3, 2), float(SIZE_PX))).max() < 1e-3


@pytest.mark.parametrize("count", [30, 2000])
def test_a_jaw_beside_its_face_is_like_no_other(count: int) -> None:
    landmarks = cut_faces(count)
    landmarks[7, :17] += 0.15 * np.ptp(landmarks[7, :17, 0])
    found = unlike(landmarks)
    assert found.argmax() == 7
    assert found[7] > 3 * np.delete(found, 7).max()


def test_landmarks_that_leave_their_neighbours_for_a_frame_jump() -> None:
    frames = [f"{number:05d}.png" for number in range(0, 72, 3)]
    steps = np.arange(24)[:, None, None] * np.array((1.5, 0.5))
    landmarks = front_face() + steps + np.random.default_rng(0).normal(0, 0.1, (24, 68, 2))
    landmarks[5] += 0.1 * np.ptp(landmarks[5, :, 0])
    landmarks[20] = np.nan
    mixed = np.random.default_rng(1).permutation(24)
    found = np.empty(24)
    found[mixed] = jumps_pct([frames[row] for row in mixed], landmarks[mixed], ignore)
    assert np.flatnonzero(found).tolist() == [5]
    assert not jumps_pct([""] * 24, landmarks, ignore).any()


def test_three_others_are_enough_to_be_like_them() -> None:
    landmarks = cut_faces(2000)
    landmarks[10:14, :17] += 0.15 * np.ptp(landmarks[7, :17, 0])
    assert unlike(landmarks)[10:14].max() < 0.1


def test_among_few_faces_none_is_said_to_be_unlike_the_others() -> None:
    landmarks = cut_faces(FEWEST_COMPARED - 1)
    landmarks[3, :17] += 40
    assert unlike(landmarks).max() == 0
