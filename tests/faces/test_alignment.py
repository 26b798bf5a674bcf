from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.alignment import (
    averaged_yaw,
    crop_corners,
    face_from_frame,
    invert_affine,
    mirror_landmarks,
    transform_points,
)
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError
from tests.faces.landmarks import front_face
from tests.support.shared import shared_path

CROPS = [
    (FaceType.HALF, (200, 150), (300, 250), 2.56),
    (FaceType.MID_FULL, (190.454, 140.454), (309.546, 259.546), 2.1496),
    (FaceType.FULL, (170.169, 120.169), (329.831, 279.831), 1.60339),
    (FaceType.FULL_NO_ALIGN, (170.169, 120.169), (329.831, 279.831), 1.60339),
    (FaceType.WHOLE_FACE, (143.431, 86.431), (356.569, 299.569), 1.20110),
    (FaceType.HEAD, (101.005, 1.005), (398.995, 298.995), 0.85909),
]


@pytest.mark.parametrize(("face_type", "top_left", "bottom_right", "px_per_px"), CROPS)
def test_a_front_face_is_cut_where_its_type_says(
    face_type: FaceType,
    top_left: tuple[float, float],
    bottom_right: tuple[float, float],
    px_per_px: float,
) -> None:
    corners = crop_corners(front_face(), face_type)
    np.testing.assert_allclose(corners[[0, 2]], [top_left, bottom_right], atol=1e-3)
    matrix = face_from_frame(front_face(), 256, face_type)
    assert matrix.shape == (2, 3)
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(matrix[:, :2], px_per_px * np.eye(2), atol=1e-5)


@pytest.mark.parametrize(("scale", "px_per_px"), [(1.10, 1.76372), (0.5, 0.80169)])
def test_a_larger_scale_shows_less_of_the_frame(scale: float, px_per_px: float) -> None:
    matrix = face_from_frame(front_face(), 256, FaceType.FULL, scale)
    assert matrix[0, 0] == pytest.approx(px_per_px, abs=1e-5)


def test_the_crop_matrix_maps_the_crop_corners_to_the_picture_corners() -> None:
    corners = crop_corners(front_face(), FaceType.HEAD)
    mapped = transform_points(corners, face_from_frame(front_face(), 64, FaceType.HEAD))
    np.testing.assert_allclose(mapped, [(0, 0), (64, 0), (64, 64), (0, 64)], atol=1e-3)


def test_a_rolled_face_is_cut_upright_except_for_types_that_do_not_align() -> None:
    turn = np.array([(0.8, -0.6, 300.0), (0.6, 0.8, 0.0)])
    rolled = transform_points(front_face(), turn)
    aligned = transform_points(rolled, face_from_frame(rolled, 256, FaceType.FULL))
    straight = transform_points(front_face(), face_from_frame(front_face(), 256, FaceType.FULL))
    np.testing.assert_allclose(aligned, straight, atol=1e-3)
    upright = face_from_frame(rolled, 256, FaceType.FULL_NO_ALIGN)
    np.testing.assert_allclose(upright[[0, 1], [1, 0]], 0, atol=1e-6)


def test_a_mirrored_face_is_never_cut_as_a_mirror_image() -> None:
    mirrored = front_face() * (-1, 1) + (600, 0)  # as if the detector had mixed up the sides
    matrix = face_from_frame(mirrored, 256, FaceType.FULL)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_go_through_a_matrix_and_back_whatever_their_number() -> None:
    matrix = face_from_frame(front_face(), 256, FaceType.WHOLE_FACE)
    for points in (np.zeros((0, 2)), np.array([[3.0, 4.0]]), front_face()):
        there = transform_points(points, matrix)
        assert there.shape == points.shape
        np.testing.assert_allclose(
            transform_points(there, invert_affine(matrix)), points, atol=1e-9
        )


def test_a_symmetric_face_is_its_own_mirror_image() -> None:
    face = front_face(100.0, (100 - 49.0127 - 0.5, 20.0))
    # the published mean face is symmetric to 0.1 % of its side only
    np.testing.assert_allclose(mirror_landmarks(face, 200), face, atol=0.5)
    turned = face + np.random.default_rng(1).normal(size=(68, 2))
    np.testing.assert_allclose(mirror_landmarks(mirror_landmarks(turned, 200), 200), turned)


def test_a_front_face_has_no_averaged_yaw() -> None:
    assert averaged_yaw(front_face()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "landmarks",
    [
        np.full((68, 2), 7.0),
        np.full((68, 2), np.nan),
        np.full((68, 2), np.inf),
        np.zeros((67, 2)),
        np.zeros((68, 3)),
        np.zeros((0, 2)),
    ],
)
def test_landmarks_that_are_no_face_are_refused(landmarks: np.ndarray) -> None:
    with pytest.raises(InputError):
        face_from_frame(landmarks, 256, FaceType.FULL)


def test_a_face_that_was_only_marked_has_no_crop() -> None:
    with pytest.raises(InputError, match="mark_only"):
        face_from_frame(front_face(), 256, FaceType.MARK_ONLY)


def test_a_matrix_without_inverse_is_refused() -> None:
    for matrix in (np.zeros((2, 3)), np.full((2, 3), np.nan), np.array([(1.0, 2, 3), (2.0, 4, 5)])):
        with pytest.raises(InputError):
            invert_affine(matrix)


def test_crops_agree_with_deepfacelab_for_all_types_sizes_and_scales() -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    golden = np.load(shared_path("golden", "geometry", "geometry.npz"), allow_pickle=False)
    types = [FaceType.from_dfl(name) for name in index["face_types"]]
    assert len(types) == 7
    for face, landmarks in enumerate(golden["landmarks"]):
        for (t, s, c), _ in np.ndenumerate(golden["mats"][face, ..., 0, 0]):
            size = index["sizes"][s]
            ours = face_from_frame(landmarks, size, types[t], index["scales"][c])
            theirs = golden["mats"][face, t, s, c]
            square = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float64)
            for points, to_ours, to_theirs in (
                (landmarks, ours, theirs),
                (square, invert_affine(ours), invert_affine(theirs)),
            ):
                np.testing.assert_allclose(
                    transform_points(points, to_ours),
                    transform_points(points, to_theirs),
                    rtol=0,
                    atol=1e-3,
                )


def test_mirrored_and_mapped_points_and_yaw_agree_with_deepfacelab() -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    golden = np.load(shared_path("golden", "geometry", "geometry.npz"), allow_pickle=False)
    for face, landmarks in enumerate(golden["landmarks"]):
        width = index["faces"][face]["shape"][1]
        np.testing.assert_array_equal(mirror_landmarks(landmarks, width), golden["mirrored"][face])
        matrix = face_from_frame(landmarks, 256, FaceType.WHOLE_FACE)
        points = golden["tp_points"][face]
        for key, mapped in (
            ("tp_fwd", transform_points(points, matrix)),
            ("tp_inv", transform_points(points, invert_affine(matrix))),
        ):
            np.testing.assert_allclose(mapped, golden[key][face], rtol=0, atol=1e-3)
        for t, name in enumerate(index["face_types"]):
            crop = face_from_frame(landmarks, 256, FaceType.from_dfl(name))
            yaw = averaged_yaw(transform_points(landmarks, crop))
            assert yaw == pytest.approx(golden["averaged_yaw"][face, t], abs=1e-3)


def test_changing_the_type_of_an_aligned_face_agrees_with_deepfacelab() -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    golden = np.load(shared_path("golden", "geometry", "change.npz"), allow_pickle=False)
    for i, change in enumerate(index["changes"]):
        landmarks = golden[f"{i}_landmarks_in"]
        to_type = FaceType.from_dfl(change["to_type"])
        matrix = face_from_frame(landmarks, change["to_size"], to_type)
        np.testing.assert_allclose(
            transform_points(landmarks, matrix), golden[f"{i}_landmarks_out"], rtol=0, atol=1e-3
        )


def test_pictures_cut_by_the_matrix_agree_with_deepfacelabs_extractor() -> None:
    folder = shared_path("golden", "geometry")
    index = json.loads((folder / "index.json").read_text())
    landmarks = np.load(folder / "geometry.npz", allow_pickle=False)["landmarks"]
    assert len(index["crops"]) == 18
    for crop in index["crops"]:
        face, size, name = crop["face"], crop["size"], crop["face_type"]
        frame = cv2.imread(str(folder / f"face_{face:02d}_src.png"))
        expected = cv2.imread(str(folder / f"face_{face:02d}_crop_{name}_{size}_extractor.png"))
        matrix = face_from_frame(landmarks[face], size, FaceType.from_dfl(name))
        ours = cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR)
        difference = np.abs(ours.astype(int) - expected)
        # what another OpenCV alone changes: at most 4 levels, 0.05 to 0.2 on average
        assert difference.max() <= 5
        assert difference.mean() < 0.3
