"""Angles and misfit of heads from landmarks alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.faces.head_fit import fit_heads
from engine.faces.pose import HEAD_MM, POSE_POINTS
from tests.support.shared import shared_path


def turned_head(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Landmarks (68, 2) of the head model, turned (signs of `Pose`), seen from far away."""
    cp, sp, cy, sy, cr, sr = *_cs(-pitch), *_cs(yaw), *_cs(roll)
    about_x = np.array([(1, 0, 0), (0, cp, -sp), (0, sp, cp)])
    about_y = np.array([(cy, 0, sy), (0, 1, 0), (-sy, 0, cy)])
    about_z = np.array([(cr, -sr, 0), (sr, cr, 0), (0, 0, 1)])
    landmarks = np.zeros((68, 2))
    landmarks[list(POSE_POINTS)] = (HEAD_MM @ (about_z @ about_y @ about_x).T)[:, :2] * 1.7 + 300
    return landmarks


def _cs(angle: float) -> tuple[float, float]:
    return float(np.cos(angle)), float(np.sin(angle))


@pytest.mark.parametrize("angles", [(0, 0, 0), (0.3, 0, 0), (0, -0.7, 0), (-0.2, 0.5, 0.4)])
def test_a_turned_head_is_recognised_exactly(angles: tuple[float, float, float]) -> None:
    heads = fit_heads(turned_head(*angles)[None])
    found = (heads.pitch_rad[0], heads.yaw_rad[0], heads.roll_rad[0])
    assert found == pytest.approx(angles, abs=1e-6)
    assert heads.misfit[0] < 1e-6


def test_points_that_are_no_face_fit_badly() -> None:
    random = np.random.default_rng(0).uniform(0, 256, (50, 68, 2))
    assert fit_heads(random).misfit.min() > 0.2


def test_landmarks_in_one_point_are_no_head() -> None:
    assert np.isinf(fit_heads(np.full((1, 68, 2), 5.0)).misfit).all()


def test_annotated_faces_fit_and_their_angles_are_near_the_truth() -> None:
    text = shared_path("media", "stills", "landmarks68.json").read_text()
    stills = [still for still in json.loads(text)["stills"] if "pose_deg" in still]
    heads = fit_heads(np.array([still["landmarks"] for still in stills], float)[..., :2])
    assert heads.misfit.max() < 0.1
    for row, still in enumerate(stills):
        truth = still["pose_deg"]
        assert np.degrees(heads.yaw_rad[row]) == pytest.approx(truth["yaw"], abs=13)
        assert np.degrees(heads.pitch_rad[row]) == pytest.approx(truth["pitch"], abs=13)
