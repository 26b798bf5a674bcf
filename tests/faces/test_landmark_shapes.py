from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.faces.landmark_shapes import between, mean_face_at
from engine.protocol.errors import InputError
from engine.protocol.landmark_groups import GROUPS, LANDMARKS, LINES, group_of
from tests.faces.landmarks import front_face

FRONTAL = front_face()


def turned(points: np.ndarray, degrees: float, scale: float = 1.0) -> np.ndarray:
    cos, sin = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    middle = points.mean(axis=0)
    return np.asarray((points - middle) @ np.array([(cos, sin), (-sin, cos)]) + middle)


def test_the_way_begins_at_one_face_and_ends_at_the_other() -> None:
    last = turned(FRONTAL, 30, 1.3) + np.array((50, -20))
    last[60:68] += (0, 4)  # the mouth opens
    assert np.abs(between(FRONTAL, last, 0.0) - FRONTAL).max() < 1e-9
    assert np.abs(between(FRONTAL, last, 1.0) - last).max() < 1e-9


@settings(max_examples=50, deadline=None)
@given(st.floats(-120, 120), st.floats(0.5, 2), st.floats(0, 1))
def test_a_face_that_rolls_and_grows_keeps_its_shape_on_the_way(
    degrees: float, scale: float, share: float
) -> None:
    last = turned(FRONTAL, degrees, scale) + np.array((10, 20))
    expected = turned(FRONTAL, share * degrees, scale**share) + share * np.array((10, 20))
    assert np.abs(between(FRONTAL, last, share) - expected).max() < 1e-6


def test_what_moves_within_the_face_is_halfway_in_the_middle() -> None:
    last = FRONTAL.copy()
    last[48:68, 1] += 10
    rigid = np.arange(17, 48)
    middle = between(FRONTAL, last, 0.5)
    opened = (middle[66] - middle[rigid].mean(axis=0))[1] - (
        FRONTAL[66] - FRONTAL[rigid].mean(axis=0)
    )[1]
    assert abs(opened - 5) < 0.5


def test_the_mean_face_lies_where_the_arrow_says() -> None:
    points = mean_face_at((100.0, 200.0), (0.0, 50.0))  # its right is the picture's down
    assert np.abs(points[30] - (100, 200)).max() < 1e-9
    assert abs(points[26][1] - 250) < 1e-9  # the right brow's end
    assert points[8][0] < 100 and np.ptp(points[:17], axis=0).max() == 0


def test_an_arrow_without_length_is_no_face() -> None:
    with pytest.raises(InputError, match="px wide"):
        mean_face_at((100.0, 200.0), (0.0, 0.0))


def test_each_landmark_belongs_to_one_part_and_lines_join_all() -> None:
    members = sorted(landmark for group in GROUPS.values() for landmark in group)
    assert members == list(range(LANDMARKS))
    assert all(landmark in GROUPS[group_of(landmark)] for landmark in range(LANDMARKS))
    joined = {n for first, last, _ in LINES for n in range(first, last + 1)}
    assert joined == set(range(LANDMARKS))
