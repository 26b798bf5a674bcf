from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.faces.masks import (
    Polygon,
    expand_eyebrows,
    eyes_mask,
    hull_mask,
    mouth_mask,
    polygons_mask,
)
from tests.faces.landmarks import front_face
from tests.support.shared import shared_path


@pytest.mark.parametrize(("modifier", "pixels"), [(1.0, 11562), (0.0, 10577)])
def test_the_hull_of_a_known_face_has_a_known_size(modifier: float, pixels: int) -> None:
    mask = hull_mask((480, 640), front_face(), modifier)
    assert mask.shape == (480, 640)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {0.0, 1.0}
    assert int(mask.sum()) == pixels


def test_brows_are_raised_in_whole_pixels() -> None:
    assert tuple(front_face()[19]) == pytest.approx((218.113, 151.8748))
    assert tuple(expand_eyebrows(front_face(), 1.0)[19]) == (218, 143)
    assert tuple(expand_eyebrows(front_face(), 0.0)[19]) == (218, 151)


def test_eyes_and_mouth_are_soft_spots_inside_the_face() -> None:
    face = transform_points(front_face(), face_from_frame(front_face(), 128, FaceType.FULL))
    inside = hull_mask((128, 128), face)
    for spots in (eyes_mask((128, 128), face), mouth_mask((128, 128), face)):
        assert spots.dtype == np.float32
        assert 0 < spots.sum() < 0.3 * inside.sum()
        assert ((spots > 0) & (spots < 1)).any()


def test_small_pictures_get_eyes_without_growing_or_blurring() -> None:
    assert eyes_mask((16, 16), front_face(8, (4, 4))).max() == 1.0


def test_exclusions_are_painted_after_inclusions_whatever_their_order() -> None:
    square = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float32)
    hole = Polygon(is_include=False, points_xy=square * 0.5 + 10)
    mask = polygons_mask((40, 40), [hole, Polygon(is_include=True, points_xy=square)])
    assert mask[20, 20] == 0
    assert mask[11, 11] == 1
    assert mask[5, 5] == 0


def test_polygon_coordinates_are_truncated() -> None:
    points = np.array([(1.9, 1.9), (3.9, 1.9), (3.9, 3.9), (1.9, 3.9)], np.float32)
    mask = polygons_mask((8, 8), [Polygon(is_include=True, points_xy=points)])
    assert mask[1, 1] == 1
    assert mask[4, 4] == 0


def test_polygons_far_outside_and_of_any_length_paint_what_is_inside() -> None:
    wide = np.array([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)], np.float32)
    assert polygons_mask((8, 8), [Polygon(is_include=True, points_xy=wide)]).all()
    for count in range(3):
        few = Polygon(is_include=True, points_xy=wide[:count])
        assert polygons_mask((8, 8), [few]).shape == (8, 8)


def test_an_exclusion_alone_leaves_nothing() -> None:
    square = np.array([(1, 1), (5, 1), (5, 5)], np.float32)
    assert not polygons_mask((8, 8), [Polygon(is_include=False, points_xy=square)]).any()


def test_hulls_and_brows_are_identical_to_deepfacelabs() -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    landmarks = np.load(shared_path("golden", "geometry", "geometry.npz"))["landmarks"]
    golden = np.load(shared_path("golden", "geometry", "masks.npz"), allow_pickle=False)
    for face in range(len(landmarks)):
        for i, modifier in enumerate(index["eyebrow_mods"]):
            brows = expand_eyebrows(landmarks[face], modifier)
            np.testing.assert_array_equal(brows, golden[f"expand_{face}"][i])
            name = f"face_{face:02d}_hull_{modifier}.png"
            picture = cv2.imread(str(shared_path("golden", "geometry", name)), 0)
            hull = hull_mask(picture.shape, landmarks[face], modifier)
            np.testing.assert_array_equal(hull * 255, picture)


@pytest.mark.parametrize(
    ("key", "face_type", "size"),
    [("wf256", FaceType.WHOLE_FACE, 256), ("f96", FaceType.FULL, 96)],
)
def test_masks_in_aligned_faces_are_identical_to_deepfacelabs(
    key: str, face_type: FaceType, size: int
) -> None:
    faces = np.load(shared_path("golden", "geometry", "geometry.npz"))["landmarks"]
    golden = np.load(shared_path("golden", "geometry", "masks.npz"), allow_pickle=False)
    for i, landmarks in enumerate(faces):
        mapped = transform_points(landmarks, face_from_frame(landmarks, size, face_type))
        hull = hull_mask((size, size), mapped)
        np.testing.assert_array_equal(hull, golden[f"hull_{i}_{key}"][..., 0] > 0)
        for name, mask in (("eyes", eyes_mask), ("mouth", mouth_mask)):
            if f"{name}_{i}_{key}" in golden:
                expected = golden[f"{name}_{i}_{key}"][..., 0]
                np.testing.assert_allclose(mask((size, size), mapped), expected, atol=1e-6)
