from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.detect.detection import Detection
from engine.detect.point_flow import PointFollower
from tests.detect.media import clip_frames, landmarker

pytestmark = pytest.mark.slow

# Where the face is in the first frame of each clip (see the clips' manifest).
BOXES = {
    "pairB_src.mp4": (442, 258, 656, 532),
    "pairA_src.mp4": (135, 116, 348, 405),
    "occlusion_synthetic.mp4": (127, 98, 359, 410),
}


def start(clip: str, frames: list[np.ndarray]) -> np.ndarray:
    found = landmarker().landmarks(frames[0], Detection(BOXES[clip], 1.0))
    assert found is not None
    return found.points


def apart(points: np.ndarray, others: np.ndarray) -> float:
    """Mean distance of the inner points, in parts of the distance between the eyes' corners."""
    eyes = np.hypot(*(others[45] - others[36]))
    return float(np.hypot(*(points - others)[17:].T).mean() / eyes)


@pytest.mark.parametrize("clip", ["pairB_src.mp4", "pairA_src.mp4"])
def test_a_face_is_followed_as_closely_as_a_landmarker_sees_it(clip: str) -> None:
    frames = clip_frames(clip, range(50))
    points = start(clip, frames)
    follower = PointFollower(frames[0], points)
    for frame in frames[1:]:
        followed = follower.follow(frame)
        assert followed is not None
        points = followed
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    seen = landmarker().landmarks(frames[-1], Detection((left, top, right, bottom), 1.0))
    assert seen is not None and apart(points, seen.points) < 0.05


def test_what_crosses_the_face_takes_no_points_along() -> None:
    clip = "occlusion_synthetic.mp4"
    frames = clip_frames(clip)  # the microphone comes, covers mouth and nose, and goes
    points = start(clip, frames)
    follower = PointFollower(frames[0], points)
    for frame in frames[1:]:
        followed = follower.follow(frame)
        assert followed is not None
        points = followed
    seen = landmarker().landmarks(frames[-1], Detection(BOXES[clip], 1.0))
    assert seen is not None and apart(points, seen.points) < 0.06


def test_a_moved_still_is_followed_to_a_tenth_of_a_pixel() -> None:
    [frame] = clip_frames("pairA_src.mp4", range(1))
    points = start("pairA_src.mp4", [frame])
    moved = cv2.getRotationMatrix2D((240, 240), 3, 1.02)
    moved[:, 2] += (7.5, -4.25)
    after = cv2.warpAffine(frame, moved, (480, 480), borderMode=cv2.BORDER_REPLICATE)
    followed = PointFollower(frame, points).follow(after)
    expected = points @ moved[:, :2].T + moved[:, 2]
    assert followed is not None and np.hypot(*(followed - expected).T).max() < 0.5
    assert np.hypot(*(followed - expected).T).mean() < 0.1


def test_a_face_that_is_no_more_there_is_lost() -> None:
    [frame] = clip_frames("pairA_src.mp4", range(1))
    [other] = clip_frames("pairB_src.mp4", range(1))
    follower = PointFollower(frame, start("pairA_src.mp4", [frame]))
    assert follower.follow(cv2.resize(other, (480, 480))) is None
    follower = PointFollower(frame, start("pairA_src.mp4", [frame]))
    assert follower.follow(np.full_like(frame, 90)) is None
