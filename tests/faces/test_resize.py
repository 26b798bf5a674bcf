"""Faces at another size or of another type, against what the original made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.applied_mask import bytes_from_mask, mask_from_bytes
from engine.faces.face_data import FaceData
from engine.faces.face_file import encode_face_jpeg, read_face_data
from engine.faces.face_type import FaceType
from engine.faces.masks import Polygon, polygons_mask
from engine.faces.resize import resized_face
from engine.protocol.errors import InputError
from tests.faces.face_files import SIZE_PX, face_data, labels, picture
from tests.faces.landmarks import front_face
from tests.support.shared import shared_path


def golden_faces(kind: str) -> list[Any]:
    """Pairs (what the tool made of a face, the folder of the pictures)."""
    rows = json.loads(shared_path("golden", "dflimg", "expected_resized.json").read_text())
    return [row for row in rows if bool(row["target_face_type"]) == (kind == "resized_toF")]


def resized_golden(row: Any) -> tuple[np.ndarray, FaceData]:
    path = shared_path("golden", "dflimg", row["input"])
    data = read_face_data(path)
    assert data is not None
    wanted = row["target_face_type"]
    face_type = FaceType.from_dfl(wanted) if wanted else None
    return resized_face(cv2.imread(str(path)), data, row["target_size"], face_type)


@pytest.mark.parametrize("kind", ["resized_same", "resized_toF"])
def test_faces_come_out_as_the_original_makes_them(kind: str) -> None:
    checked = 0
    for row in golden_faces(kind):
        if row["input"] == "00002_0.jpg" and row["target_face_type"]:
            continue  # a full face to full face: it warps by half a pixel, we only resize
        image, data = resized_golden(row)
        as_stored = cv2.imdecode(np.frombuffer(encode_face_jpeg(image, 100), np.uint8), 1)
        theirs = cv2.imread(str(shared_path("golden", "dflimg", kind, row["input"])))
        assert np.abs(as_stored.astype(int) - theirs).max() <= 3
        np.testing.assert_allclose(data.landmarks, row["landmarks"], atol=1e-3)
        np.testing.assert_allclose(data.image_to_face_mat, row["image_to_face_mat"], atol=1e-3)
        assert data.face_type.dfl_name == row["face_type"]
        if row["has_seg_ie_polys"]:
            mask_path = shared_path("golden", "dflimg", kind, row["polymask_png"])
            ours = polygons_mask(image.shape[:2], data.seg_ie_polys) * 255
            assert (ours != cv2.imread(str(mask_path), 0)).mean() < 1e-3
        checked += 1
    assert checked == (3 if kind == "resized_same" else 2)


def test_a_face_of_the_wanted_type_already_is_only_resized() -> None:
    image, data = picture(), face_data()
    same = resized_face(image, data, 96)
    named = resized_face(image, data, 96, FaceType.WHOLE_FACE)
    np.testing.assert_array_equal(same[0], named[0])
    np.testing.assert_array_equal(same[1].landmarks, named[1].landmarks)


@pytest.mark.parametrize("case", range(3))
def test_another_type_is_cut_out_as_the_original_does(case: int) -> None:
    index = json.loads(shared_path("golden", "geometry", "index.json").read_text())
    change = index["changes"][case]
    source = cv2.imread(str(shared_path("golden", "geometry", f"change_{case}_src.png")))
    theirs = cv2.imread(
        str(shared_path("golden", "geometry", f"change_{case}_resizer_lanczos.png"))
    )
    geometry = np.load(shared_path("golden", "geometry", "geometry.npz"))
    old_type = FaceType.from_dfl(change["from_type"])
    in_frame = geometry["landmarks"][change["face"]]
    old = face_from_frame(in_frame, change["from_size"], old_type)
    data = FaceData(old_type, transform_points(in_frame, old))
    image, _ = resized_face(source, data, change["to_size"], FaceType.from_dfl(change["to_type"]))
    assert np.abs(image.astype(int) - theirs).max() <= 2


@pytest.mark.parametrize("mask_px", [64, 100, 256, 320])
def test_a_mask_of_any_size_moves_with_the_face(mask_px: int) -> None:
    data = face_data()
    scale = mask_px / SIZE_PX
    square = Polygon(True, np.float32([(20, 22), (44, 22), (44, 40), (20, 40)]))
    large = Polygon(True, (square.points_xy * scale).astype(np.float32))
    mask = polygons_mask((mask_px, mask_px), [large])
    data = replace(data, seg_ie_polys=(square,), xseg_mask_compressed=bytes_from_mask(mask))
    image, moved = resized_face(picture(), data, 128, FaceType.HALF)
    assert moved.xseg_mask_compressed is not None
    applied = mask_from_bytes(moved.xseg_mask_compressed)
    assert applied.shape == (mask_px, mask_px)
    drawn = polygons_mask(image.shape[:2], moved.seg_ie_polys)
    as_large = cv2.resize(applied, image.shape[:2], interpolation=cv2.INTER_AREA) >= 0.5
    both, either = (as_large & (drawn > 0)).sum(), (as_large | (drawn > 0)).sum()
    assert both / either > 0.88


def test_a_resize_leaves_the_applied_mask_as_it_is() -> None:
    compressed = bytes_from_mask(np.ones((100, 100), np.float32))
    _, moved = resized_face(picture(), face_data(xseg_mask_compressed=compressed), 128)
    assert moved.xseg_mask_compressed == compressed


@pytest.mark.parametrize("face_type", [None, FaceType.FULL])
def test_without_landmarks_in_the_frame_the_matrix_follows_the_change(
    face_type: FaceType | None,
) -> None:
    data = face_data()
    _, moved = resized_face(picture(), replace(data, source_landmarks=None), 128, face_type)
    assert moved.image_to_face_mat is not None
    in_frame = transform_points(moved.landmarks, invert_affine(moved.image_to_face_mat))
    np.testing.assert_allclose(in_frame, front_face(), atol=1e-3)


def test_labels_of_one_point_and_of_none_survive() -> None:
    points = (np.zeros((0, 2), np.float32), np.float32([(3, 4)]))
    polygons = tuple(Polygon(True, one) for one in points)
    _, moved = resized_face(picture(), face_data(seg_ie_polys=polygons), 128)
    assert [len(polygon.points_xy) for polygon in moved.seg_ie_polys] == [0, 1]
    np.testing.assert_array_equal(moved.seg_ie_polys[1].points_xy, [(6, 8)])
    _, recut = resized_face(picture(), face_data(seg_ie_polys=labels()), 128, FaceType.HALF)
    assert [polygon.is_include for polygon in recut.seg_ie_polys] == [True, False]


def test_a_marked_frame_is_cut_but_not_resized() -> None:
    frame = cv2.resize(picture(), (640, 480))
    data = FaceData(FaceType.MARK_ONLY, front_face(), source_landmarks=front_face())
    with pytest.raises(InputError):
        resized_face(frame, data, 128)
    image, cut = resized_face(frame, data, 128, FaceType.FULL)
    assert image.shape == (128, 128, 3)
    assert cut.image_to_face_mat is not None
    np.testing.assert_allclose(
        transform_points(front_face(), cut.image_to_face_mat), cut.landmarks, atol=1e-9
    )
