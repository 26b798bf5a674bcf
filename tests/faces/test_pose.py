from __future__ import annotations

import json
from math import cos, pi, sin

import numpy as np
import pytest

from engine.faces import pose as pose_module
from engine.faces.alignment import Points, face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.faces.pose import estimate_pose
from engine.protocol.errors import InputError
from tests.faces.landmarks import front_face
from tests.support.shared import shared_path


def turned_head(pitch: float, yaw: float, roll: float) -> Points:
    """Landmarks of the head model turned by Rz(roll) Ry(yaw) Rx(pitch), 400 mm before a camera of
    256 px and focal length 256; the points that the estimate leaves out lie in the middle."""
    rx = np.array([(1, 0, 0), (0, cos(pitch), -sin(pitch)), (0, sin(pitch), cos(pitch))])
    ry = np.array([(cos(yaw), 0, sin(yaw)), (0, 1, 0), (-sin(yaw), 0, cos(yaw))])
    rz = np.array([(cos(roll), -sin(roll), 0), (sin(roll), cos(roll), 0), (0, 0, 1)])
    head = pose_module.HEAD_MM @ (rz @ ry @ rx).T + np.array([0, 0, 400])
    landmarks = np.full((68, 2), 128.0)
    landmarks[list(pose_module.POSE_POINTS)] = head[:, :2] / head[:, 2:] * 256 + 128
    return landmarks


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((0, 0.4, 0), (0, 0.4, 0)),
        ((0.3, 0, 0), (-0.3, 0, 0)),
        ((0, 0, 0.3), (0, 0, 0.3)),
    ],
)
def test_a_head_turned_on_purpose_is_read_back(
    turned: tuple[float, float, float], expected: tuple[float, float, float]
) -> None:
    pose = estimate_pose(turned_head(*turned), 256)
    assert (pose.pitch_rad, pose.yaw_rad, pose.roll_rad) == pytest.approx(expected, abs=1e-4)
    assert not pose.behind_camera


def test_a_nose_towards_the_left_is_positive_yaw() -> None:
    landmarks = front_face(100, (78, 78))
    landmarks[27:36, 0] -= 20
    assert estimate_pose(landmarks, 256).yaw_rad > 0.1


def test_pose_agrees_with_deepfacelab_also_where_its_fit_ends_behind_the_camera() -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    golden = np.load(shared_path("golden", "geometry", "geometry.npz"), allow_pickle=False)
    behind = 0
    for face, landmarks in enumerate(golden["landmarks"]):
        for t, name in enumerate(index["face_types"]):
            crop = face_from_frame(landmarks, 256, FaceType.from_dfl(name))
            pose = estimate_pose(transform_points(landmarks, crop), 256)
            expected = tuple(golden["pitch_yaw_roll"][face, t])
            angles = (pose.pitch_rad, pose.yaw_rad, pose.roll_rad)
            assert angles == pytest.approx(expected, abs=1e-5)
            behind += pose.behind_camera
            if name == "whole_face":  # aligned upright, so only a head behind the camera is rolled
                assert pose.behind_camera == (abs(expected[2]) == pi / 2)
    assert 40 < behind < 50


@pytest.mark.parametrize("landmarks", [np.full((68, 2), np.nan), np.zeros((5, 2))])
def test_landmarks_that_are_no_face_are_refused(landmarks: np.ndarray) -> None:
    with pytest.raises(InputError):
        estimate_pose(landmarks, 256)


def test_any_68_points_give_a_bounded_pose_or_are_refused() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        landmarks = random.uniform(0, 1, (68, 2)) * 10 ** random.uniform(-6, 6)
        try:
            pose = estimate_pose(landmarks, 256)
        except InputError:
            continue
        assert max(abs(pose.pitch_rad), abs(pose.yaw_rad), abs(pose.roll_rad)) <= pi / 2
    for same in (0.0, 128.0, 1e9):
        try:
            estimate_pose(np.full((68, 2), same), 256)
        except InputError:
            continue
