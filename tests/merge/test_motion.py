"""Motion of faces between frames."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.merge.motion import STILL, motions
from tests.merge.workspace import made_landmarks
from tests.support.shared import shared_path


def test_a_face_that_moves_up_and_right_has_an_angle_counter_clockwise_from_the_right() -> None:
    frames = [[made_landmarks(left=10 + 30 * n, top=90 - 30 * n)] for n in range(3)]
    middle = motions(frames)[1]
    assert middle.power_px == pytest.approx(60 * np.sqrt(2), abs=1.5)
    assert middle.angle_deg == pytest.approx(45, abs=1)


def test_a_face_stands_still_where_a_neighbour_has_none() -> None:
    moving = [[made_landmarks(left=10 + 20 * n)] for n in range(5)]
    found = motions([*moving[:3], [], *moving[3:]])
    assert [motion == STILL for motion in found] == [False, False, True, True, True, False]


def test_all_stand_still_where_a_frame_has_several_faces() -> None:
    frames = [[made_landmarks(left=10)], [made_landmarks(left=40), made_landmarks(left=90)]]
    assert motions(frames) == [STILL, STILL]


def test_motion_agrees_with_the_reference() -> None:
    golden = json.loads(shared_path("golden", "merge", "motion.json").read_text())["frames"]
    faces = [[np.array(frame["landmarks"])] if frame["landmarks"] else [] for frame in golden]
    for frame, motion in zip(golden, motions(faces), strict=True):
        assert motion.power_px == pytest.approx(frame["motion_power"])
        assert motion.angle_deg == pytest.approx(frame["motion_deg"])
