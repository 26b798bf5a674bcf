from __future__ import annotations

import numpy as np
import pytest

from engine.detect.five_points import PROFILE_YAW_RAD, yaw_of_five_points
from engine.detect.landmarks68 import five_of_68
from tests.detect.media import annotated_stills, clip_frames, mtcnn, still


def test_the_yaw_of_annotated_faces_is_theirs_to_12_degrees() -> None:
    for facts in annotated_stills():
        if "pose_deg" in facts:
            five = five_of_68(np.array(facts["landmarks"], float))
            # AFLW2000 counts the yaw positive with the nose towards the picture's left, too.
            yaw_deg = np.degrees(yaw_of_five_points(five))
            assert yaw_deg == pytest.approx(facts["pose_deg"]["yaw"], abs=12), facts["file"]


@pytest.mark.parametrize("roll_deg", [0, 45, 180])
def test_the_yaw_does_not_depend_on_roll_size_or_place(roll_deg: int) -> None:
    five = np.array([(30, 40), (70, 42), (38, 60), (35, 80), (66, 82)], float)
    turn = np.radians(roll_deg)
    matrix = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    assert yaw_of_five_points(3 * five @ matrix.T + 500) == pytest.approx(yaw_of_five_points(five))
    assert yaw_of_five_points(five) > 0  # the nose is left of the middle


def test_points_in_one_place_have_no_yaw() -> None:
    assert yaw_of_five_points(np.ones((5, 2))) == 0


@pytest.mark.parametrize(
    ("clip", "frame", "is_profile"),
    [
        ("occlusion_mic_cuts.mp4", 26, True),
        ("occlusion_mic_cuts.mp4", 32, True),
        ("occlusion_mic_cuts.mp4", 134, False),
        ("pairB_src.mp4", 0, False),
    ],
)
def test_profiles_are_told_from_faces_by_mtcnns_points(
    clip: str, frame: int, is_profile: bool
) -> None:
    [image] = clip_frames(clip, [frame])
    face = max(mtcnn().detect([image])[0], key=lambda one: one.area_px)
    assert face.five_points is not None
    assert (abs(yaw_of_five_points(face.five_points)) > PROFILE_YAW_RAD) is is_profile


def test_a_still_in_profile_is_told_as_one() -> None:
    [face] = mtcnn().detect([still("image02420.jpg")])[0]
    assert face.five_points is not None
    assert yaw_of_five_points(face.five_points) > PROFILE_YAW_RAD
