from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.detect.dark_pictures import brightened
from engine.detect.dlib_hog import HogDetector
from engine.detect.search import FaceSearch
from tests.detect.media import clip_frames, landmarker

pytestmark = pytest.mark.slow


def darkened(image: np.ndarray) -> np.ndarray:
    """An eighth of its light, with noise."""
    noise = np.random.default_rng(5).normal(0, 1, image.shape)
    return np.clip(image / 8 + noise, 0, 255).astype(np.uint8)


def test_a_picture_with_light_in_it_stays_as_it_is() -> None:
    (frame,) = clip_frames("pairA_src.mp4", [0])
    assert brightened(frame) is frame


def test_a_dark_picture_gets_its_light_back_whatever_single_lamps_are_in_it() -> None:
    (frame,) = clip_frames("pairA_src.mp4", [0])
    dark = darkened(frame)
    dark[:8, :8] = 255
    lit = brightened(dark)
    assert abs(np.percentile(lit, 98) - 255) < 20
    smooth = [cv2.GaussianBlur(image, (0, 0), 3).astype(float) for image in (lit, frame)]
    assert np.corrcoef(*(image[16:].ravel() for image in smooth))[0, 1] > 0.98


def test_a_black_picture_stays_black() -> None:
    black = np.zeros((40, 60, 3), np.uint8)
    assert not brightened(black).any()


def test_faces_in_the_dark_are_found_with_their_landmarks_as_in_the_light() -> None:
    (frame,) = clip_frames("pairB_dst.mp4", [0])
    search = FaceSearch(HogDetector(), detection_size_px=640, second_views=(), sure_score=0.3)
    [[face], [in_the_dark]] = search.detect([frame, darkened(frame)])
    points, points_in_the_dark = (
        landmarker().landmarks(image, found)
        for image, found in ((frame, face), (darkened(frame), in_the_dark))
    )
    assert points is not None and points_in_the_dark is not None
    off_px = np.hypot(*(points.points - points_in_the_dark.points).T).mean()
    assert off_px < 0.02 * face.width_px
