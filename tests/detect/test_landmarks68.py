from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.detect.detection import Detection
from engine.detect.dlib_hog import HogDetector
from engine.detect.landmarks68 import five_of_68, upright_crop
from engine.faces.alignment import invert_affine, transform_points
from tests.detect.media import (
    annotated_stills,
    clip_frames,
    landmarker,
    mtcnn,
    nearest,
    still,
    turned,
)

pytestmark = pytest.mark.slow

INNER = slice(17, 68)


def _eyes_px(points: np.ndarray) -> float:
    return float(np.hypot(*(points[45] - points[36])))


def _error_px(points: np.ndarray, truth: np.ndarray) -> float:
    return float(np.hypot(*(points - truth)[INNER].T).mean())


def test_the_error_on_faces_seen_from_the_front_is_below_3_2_percent_of_their_size() -> None:
    errors = []
    for row in annotated_stills():
        if row["set"] != "AFLW2000-3D" or abs(row["pose_deg"]["yaw"]) >= 30:
            continue
        image, truth = still(row["file"]), np.array(row["landmarks"], float)
        face = nearest(mtcnn().detect([image])[0], truth.mean(axis=0))
        assert face is not None
        found = landmarker().landmarks(image, face)
        assert found is not None
        size_px = np.sqrt(np.prod(np.ptp(truth, axis=0)))
        errors.append(_error_px(found.points, truth) / size_px)
    assert len(errors) == 3
    assert np.mean(errors) < 0.032


@pytest.mark.parametrize("number", [22, 24])
def test_a_profile_is_not_taken_for_a_face_lying_on_its_side(number: int) -> None:
    (frame,) = clip_frames("occlusion_mic_cuts.mp4", [number])
    (face,) = mtcnn().detect([frame])[0]
    found = landmarker().landmarks(frame, face)
    if found is not None:
        right = found.points[45] - found.points[36]
        assert abs(np.degrees(np.arctan2(right[1], right[0]))) < 30


@pytest.mark.parametrize("degrees", [45, -45])
def test_a_turned_face_has_the_landmarks_of_the_upright_one(degrees: int) -> None:
    errors = []
    for image in clip_frames("pairA_src.mp4", [0, 100]) + clip_frames("pairB_dst.mp4", [0, 140]):
        upright = landmarker().landmarks(image, mtcnn().detect([image])[0][0])
        assert upright is not None
        canvas, matrix = turned(image, degrees)
        truth = transform_points(upright.points, matrix)
        face = nearest(mtcnn().detect([canvas])[0], truth.mean(axis=0))
        found = None if face is None else landmarker().landmarks(canvas, face)
        if found is not None:
            errors.append(_error_px(found.points, truth) / _eyes_px(truth))
    assert len(errors) >= 3
    assert np.median(errors) < 0.015


def test_a_face_upside_down_is_not_taken_for_an_upright_one() -> None:
    """MTCNN finds such faces, and puts the eyes where the mouth is."""
    (image,) = clip_frames("pairB_dst.mp4", [0])
    face = mtcnn().detect([image])[0][0]
    upright = landmarker().landmarks(image, face)
    assert upright is not None
    assert face.five_points is not None
    canvas, matrix = turned(image, 180)
    points = transform_points(face.five_points, matrix)[[4, 3, 2, 1, 0]]
    right_bottom, left_top = transform_points(np.reshape(face.box_ltrb, (2, 2)), matrix).tolist()
    false = Detection((*left_top, *right_bottom), 0.9, points)
    found = landmarker().landmarks(canvas, false)
    assert found is not None
    truth = transform_points(upright.points, matrix)
    assert _error_px(found.points, truth) < 0.015 * _eyes_px(truth)


@pytest.mark.slow
def test_landmarks_of_a_still_face_jitter_by_less_than_0_3_percent_of_the_eyes_distance() -> None:
    (image,) = clip_frames("pairB_dst.mp4", [0])
    height, width = image.shape[:2]
    random = np.random.default_rng(0)
    placed = []
    for _ in range(12):
        degrees, scale = random.uniform((-1, 0.99), (1, 1.01))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
        matrix[:, 2] += random.uniform(-2, 2, 2)
        shaken = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = np.clip(shaken + random.normal(0, 3, shaken.shape), 0, 255).astype(np.uint8)
        small = cv2.resize(noisy, (640, 360), interpolation=cv2.INTER_AREA)
        face = mtcnn().detect([small])[0][0]
        assert face.five_points is not None
        box = tuple(2.0 * side for side in face.box_ltrb)
        found = landmarker().landmarks(
            noisy, Detection((box[0], box[1], box[2], box[3]), face.score, face.five_points * 2)
        )
        assert found is not None
        placed.append(transform_points(found.points, invert_affine(matrix)))
    away = np.array(placed) - np.mean(placed, axis=0)
    rms_px = np.sqrt((away[:, INNER] ** 2).sum(axis=2).mean())
    assert rms_px / _eyes_px(np.mean(placed, axis=0)) < 0.003


def test_a_box_without_five_points_gives_nearly_the_same_landmarks() -> None:
    image = still("image03324.jpg")
    by_points = landmarker().landmarks(image, mtcnn().detect([image])[0][0])
    by_box = landmarker().landmarks(image, HogDetector(upsample=0).detect([image])[0][0])
    assert by_points is not None
    assert by_box is not None
    assert _error_px(by_box.points, by_points.points) < 0.02 * _eyes_px(by_points.points)


def test_the_same_picture_gives_the_same_landmarks_every_time() -> None:
    image = still("takeo.jpg")
    face = mtcnn().detect([image])[0][0]
    one, other = (landmarker().landmarks(image, face) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.points, other.points)


def test_noise_is_no_face() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    assert landmarker().landmarks(noise, Detection((100, 100, 200, 200), 0.99)) is None


def test_a_face_larger_than_the_crop_is_placed_as_well_as_its_small_copy() -> None:
    small = still("image03324.jpg")
    large = cv2.resize(small, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    face = mtcnn().detect([small])[0][0]
    assert face.five_points is not None
    box = tuple(6.0 * side for side in face.box_ltrb)
    at_small = landmarker().landmarks(small, face)
    at_large = landmarker().landmarks(
        large, Detection((box[0], box[1], box[2], box[3]), face.score, face.five_points * 6)
    )
    assert at_small is not None
    assert at_large is not None
    assert _error_px(at_large.points / 6, at_small.points) < 0.01 * _eyes_px(at_small.points)


def test_mirrored_five_points_are_no_upright_face() -> None:
    points = np.array([[10.0, 10], [30, 10], [20, 20], [12, 30], [28, 30]])
    assert upright_crop(points) is not None
    assert upright_crop(points[[1, 0, 2, 4, 3]]) is None
    assert upright_crop(np.zeros((5, 2))) is None


def test_five_points_of_68_are_eyes_nose_and_mouth_corners() -> None:
    truth = np.array(annotated_stills()[4]["landmarks"], float)
    left_eye, right_eye, nose, left_mouth, right_mouth = five_of_68(truth)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
