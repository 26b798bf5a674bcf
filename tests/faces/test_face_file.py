from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import bytes_from_mask, mask_from_bytes
from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import FaceData, dict_from_data
from engine.faces.face_file import (
    decode_applied_mask,
    encode_face_jpeg,
    face_mask,
    labels_mask,
    read_face_data,
    replace_face_data,
    rewrite_face_data,
    write_face,
)
from engine.faces.face_type import FaceType
from engine.faces.jpeg_segments import LONGEST_PAYLOAD, app15_payload, read_head, with_app15
from engine.faces.masks import Polygon, hull_mask
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError
from tests.faces.face_files import SIZE_PX, face_data, jpeg_with, labels, picture, plain_jpeg
from tests.faces.fuzzing import survives_in_little_memory
from tests.faces.test_restricted_pickle import hostile_values
from tests.support.shared import shared_path


def payload_of(jpeg: bytes) -> bytes:
    payload = app15_payload(jpeg, read_head(jpeg))
    assert payload is not None
    return payload


def assert_same_data(left: FaceData, right: FaceData) -> None:
    np.testing.assert_equal(dict_from_data(left), dict_from_data(right))


def test_a_face_is_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "00001_0.jpg"
    data = face_data(
        eyebrows_expand_mod=1.5,
        seg_ie_polys=labels(),
        xseg_mask_compressed=bytes_from_mask(np.ones((256, 256), np.float32)),
        other={"relighted": False, "ie_polys": [(1, [[1.0, 2.0]])]},
    )
    write_face(path, picture(), 90, data)
    for source in (path, path.read_bytes()):
        read = read_face_data(source)
        assert read is not None
        assert_same_data(read, data)
        assert read.face_type is FaceType.WHOLE_FACE
        assert read.other == data.other
    assert cv2.imread(str(path)).shape == (SIZE_PX, SIZE_PX, 3)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_metadata_has_the_keys_and_types_that_deepfacelab_writes() -> None:
    payload = payload_of(encode_face_jpeg(picture(), 90, face_data(seg_ie_polys=labels())))
    assert payload[:2] == b"\x80\x04"
    fields = pickle.loads(payload)
    assert list(fields) == [
        *("face_type", "landmarks", "source_filename", "source_rect", "source_landmarks"),
        *("image_to_face_mat", "seg_ie_polys"),
    ]
    assert fields["face_type"] == "whole_face"
    for key in ("landmarks", "source_landmarks"):
        assert type(fields[key]) is list
        assert type(fields[key][0]) is list
        assert type(fields[key][0][0]) is float
        assert np.shape(fields[key]) == (68, 2)
    assert (fields["source_rect"].dtype, fields["source_rect"].shape) == (np.int64, (4,))
    matrix = fields["image_to_face_mat"]
    assert (matrix.dtype, matrix.shape) == (np.float64, (2, 3))
    polygon = fields["seg_ie_polys"]["polys"][0]
    assert (polygon["type"], polygon["pts"].dtype) == (1, np.float32)


def test_values_that_a_face_does_not_have_are_left_out() -> None:
    data = FaceData(FaceType.MARK_ONLY, face_data().landmarks)
    assert list(dict_from_data(data)) == ["face_type", "landmarks"]


def test_an_ordinary_jpeg_has_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(plain_jpeg())
    assert read_face_data(path) is None
    assert read_face_data(jpeg_with(dfl_pickle({}))) is None


def test_changing_metadata_changes_no_other_byte_and_the_file_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    write_face(path, picture(), 90, face_data())
    before = path.read_bytes()
    rewrite_face_data(path, face_data(eyebrows_expand_mod=2.0))
    assert path.read_bytes() != before
    assert with_app15(path.read_bytes(), None) == with_app15(before, None)
    rewrite_face_data(path, None)
    assert path.read_bytes() == plain_jpeg(cv2.IMWRITE_JPEG_QUALITY, 90)


def test_metadata_that_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    write_face(path, picture(), 90, face_data())
    before = path.read_bytes()
    endless = Polygon(is_include=True, points_xy=np.zeros((9000, 2), np.float32))
    for write in (
        lambda data: rewrite_face_data(path, data),
        lambda data: write_face(path, picture(), 90, data),
    ):
        with pytest.raises(InputError) as refusal:
            write(face_data(seg_ie_polys=(endless,)))
        assert refusal.value.code == "metadata-too-long"
        assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_metadata_of_exactly_the_longest_length_is_written() -> None:
    room = LONGEST_PAYLOAD - len(dfl_pickle(dict_from_data(face_data(other={"pad": b"x" * 999}))))
    data = face_data(other={"pad": b"x" * (999 + room)})
    read = read_face_data(replace_face_data(plain_jpeg(), data))
    assert read is not None
    assert read.other == data.other
    with pytest.raises(InputError):
        replace_face_data(plain_jpeg(), face_data(other={"pad": b"x" * (1000 + room)}))


def legacy_fields(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = dict_from_data(face_data())
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def test_what_older_versions_wrote_is_read() -> None:
    fields = legacy_fields(
        face_type=...,
        landmarks=np.array(dict_from_data(face_data())["landmarks"]),
        seg_ie_polys=[(0, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (1, [[7.0, 8.0]])],
        xseg_mask=np.arange(9, dtype=np.uint8).reshape(-1, 1),
        source_rect=np.array([1, 2, 3, 4], np.int32),
    )
    for protocol in (2, 3, 4, 5):
        data = read_face_data(jpeg_with(pickle.dumps(fields, protocol)))
        assert data is not None
        assert data.face_type is FaceType.FULL
        assert [p.is_include for p in data.seg_ie_polys] == [True, False]
        assert data.xseg_mask_compressed == bytes(range(9))
        assert data.source_rect == (1, 2, 3, 4)


BAD_FIELDS: dict[str, dict[str, Any]] = {
    "no landmarks": {"landmarks": ...},
    "67 landmarks": {"landmarks": [[1.0, 2.0]] * 67},
    "ragged landmarks": {"landmarks": [[1.0, 2.0]] * 67 + [[1.0]]},
    "landmarks that are no numbers": {"landmarks": [[1.0, float("nan")]] * 68},
    "landmarks at infinity": {"landmarks": [[1.0, float("inf")]] * 68},
    "landmarks that are a dict": {"landmarks": {"a": 1}},
    "unknown face type": {"face_type": "moon"},
    "face type that is no text": {"face_type": 4},
    "three-sided rectangle": {"source_rect": np.zeros(3)},
    "matrix of another shape": {"image_to_face_mat": np.eye(3)},
    "matrix of nothing": {"image_to_face_mat": np.full((2, 3), np.nan)},
    "file name that is a list": {"source_filename": ["a"]},
    "modifier that is text": {"eyebrows_expand_mod": "1"},
    "modifier beyond reason": {"eyebrows_expand_mod": 1e9},
    "polygons that are a number": {"seg_ie_polys": 7},
    "polygon without points": {"seg_ie_polys": {"polys": [{"type": 1}]}},
    "polygon of another type": {"seg_ie_polys": {"polys": [{"type": 7, "pts": []}]}},
    "polygon in one dimension": {"seg_ie_polys": {"polys": [{"type": 1, "pts": [1.0, 2.0]}]}},
    "polygon of ragged points": {"seg_ie_polys": {"polys": [{"type": 1, "pts": [[1.0], []]}]}},
    "mask that is text": {"xseg_mask": "mask"},
    "mask of floats": {"xseg_mask": np.zeros(9)},
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_metadata_with_unusable_values_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        read_face_data(jpeg_with(dfl_pickle(legacy_fields(**BAD_FIELDS[name]))))


def test_an_inverted_rectangle_of_a_rotated_detection_is_read() -> None:
    data = read_face_data(jpeg_with(dfl_pickle(legacy_fields(source_rect=np.array([9, 8, 1, 2])))))
    assert data is not None
    assert data.source_rect == (9, 8, 1, 2)


def test_metadata_that_is_no_dict_is_refused() -> None:
    with pytest.raises(InputError, match="list"):
        read_face_data(jpeg_with(pickle.dumps([1, 2])))


@pytest.mark.parametrize("name", hostile_values(Path("x")))
def test_a_hostile_face_file_is_refused_with_its_name_and_runs_nothing(
    name: str, tmp_path: Path
) -> None:
    marker, path = tmp_path / "ran", tmp_path / "face.jpg"
    for payload in (
        hostile_values(marker)[name],
        legacy_fields(extra=hostile_values(marker)[name]),
    ):
        path.write_bytes(jpeg_with(pickle.dumps(payload)))
        for source in (path, path.read_bytes()):
            with pytest.raises(InputError) as refusal:
                read_face_data(source)
        assert refusal.value.remedy
        with pytest.raises(InputError, match=r"face\.jpg"):
            read_face_data(path)
    assert not marker.exists()


def test_a_face_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    jpeg = encode_face_jpeg(picture(), 90, face_data())
    for length in [*range(0, 400, 7), len(jpeg) // 2, len(jpeg) - 2, len(jpeg) - 1]:
        path.write_bytes(jpeg[:length])
        for source in (path, jpeg[:length]):
            with pytest.raises(InputError):
                read_face_data(source)
        with pytest.raises(InputError):
            rewrite_face_data(path, face_data())
        assert path.read_bytes() == jpeg[:length]


def test_a_face_file_with_bytes_after_its_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(encode_face_jpeg(picture(), 90, face_data()) + b"\x00")
    assert read_face_data(path) is not None


def test_metadata_behind_a_long_colour_profile_is_found(tmp_path: Path) -> None:
    jpeg = plain_jpeg()
    profile = b"\xff\xe2" + (60002).to_bytes(2, "big") + b"p" * 60000
    path = tmp_path / "face.jpg"
    path.write_bytes(replace_face_data(jpeg[:2] + profile * 5 + jpeg[2:], face_data()))
    assert read_face_data(path) is not None


@pytest.mark.parametrize("name", ["missing.jpg", "folder"])
def test_what_is_no_file_is_named_in_the_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=name):
        read_face_data(tmp_path / name)
    with pytest.raises(InputError, match=name):
        rewrite_face_data(tmp_path / name, None)


def test_the_mask_of_a_face_is_the_applied_one_else_the_hull() -> None:
    size = (SIZE_PX, SIZE_PX)
    data = face_data(eyebrows_expand_mod=2.0)
    np.testing.assert_array_equal(face_mask(data, size), hull_mask(size, data.landmarks, 2.0))
    half = np.zeros((256, 256), np.float32)
    half[:, 128:] = 1
    masked = replace(data, xseg_mask_compressed=bytes_from_mask(half))
    applied = decode_applied_mask(masked, size)
    np.testing.assert_array_equal(face_mask(masked, size), applied)
    assert applied.shape == size
    assert applied.min() == 0.0
    assert applied.max() == 1.0
    assert applied[:, :30].max() < 0.01
    with pytest.raises(InputError):
        decode_applied_mask(data, size)


def fuzz_face_files(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    good = encode_face_jpeg(picture(), 50, face_data(seg_ie_polys=labels()))
    head_length = read_head(good).end
    for _ in range(count):
        data = bytearray(good)
        for at in random.integers(0, head_length, random.integers(1, 10)):
            data[at] = random.integers(256)
        if random.random() < 0.2:
            del data[random.integers(len(data)) :]
        try:
            read = read_face_data(bytes(data))
        except InputError:
            continue
        if read is not None:
            labels_mask(read, (16, 16))


def test_mutated_face_files_are_read_or_refused() -> None:
    fuzz_face_files(2000, seed=4)


@pytest.mark.slow
def test_fifty_thousand_mutated_face_files_are_read_or_refused_in_little_memory() -> None:
    assert survives_in_little_memory(partial(fuzz_face_files, 50_000, seed=5), 1 << 27)


# --- against files that DeepFaceLab wrote ---------------------------------------------------------


def golden_rows() -> list[tuple[Path, dict[str, Any]]]:
    folder = shared_path("golden", "dflimg")
    rows = json.loads((folder / "expected.json").read_text())["images"]
    return [(folder / row["file"], row) for row in rows] + resized_rows()


def resized_rows() -> list[tuple[Path, dict[str, Any]]]:
    rows = json.loads(shared_path("golden", "dflimg", "expected_resized.json").read_text())
    folders = {None: "resized_same", "full_face": "resized_toF"}
    return [
        (shared_path("golden", "dflimg", folders[row["target_face_type"]], row["file"]), row)
        for row in rows
    ]


def test_every_face_file_of_deepfacelab_is_read_to_its_content() -> None:
    rows = golden_rows()
    assert len(rows) == 11
    for path, row in rows:
        data = read_face_data(path)
        assert data is not None
        assert data.face_type.dfl_name == row["face_type"]
        assert data.source_filename == row["source_filename"]
        assert list(data.source_rect or ()) == row["source_rect"]
        assert data.eyebrows_expand_mod == row["eyebrows_expand_mod"]
        for key in ("landmarks", "source_landmarks", "image_to_face_mat"):
            np.testing.assert_array_equal(getattr(data, key), row[key])
        polygons = [
            (int(polygon.is_include), polygon.points_xy.tolist()) for polygon in data.seg_ie_polys
        ]
        assert polygons == [(p["type"], p["pts"]) for p in row["seg_ie_polys"]]
        assert (data.xseg_mask_compressed is not None) == row["has_xseg_mask"]
        assert read_head(path.read_bytes()).size_hw == tuple(row["shape"][:2])


def test_masks_and_labels_of_deepfacelabs_files_are_identical() -> None:
    compared = 0
    for path, row in golden_rows():
        data = read_face_data(path)
        assert data is not None
        if row["has_xseg_mask"]:
            assert data.xseg_mask_compressed is not None
            mask = mask_from_bytes(data.xseg_mask_compressed)
            expected = cv2.imread(str(path.parent / row["xseg_mask_png"]), cv2.IMREAD_GRAYSCALE)
            assert mask.shape == tuple(row["xseg_mask_shape"][:2])
            np.testing.assert_array_equal(np.round(mask * 255), expected)
            compared += 1
        if row.get("polymask_png"):
            expected = cv2.imread(str(path.parent / row["polymask_png"]), cv2.IMREAD_GRAYSCALE)
            mask = labels_mask(data, tuple(row["shape"][:2]))
            np.testing.assert_array_equal(mask > 0, expected > 0)
            compared += 1
    assert compared >= 9


def test_legacy_keys_of_deepfacelab_1_survive_a_change() -> None:
    path = shared_path("golden", "dflimg", "legacy.jpg")
    data = read_face_data(path)
    assert data is not None
    changed = replace_face_data(path.read_bytes(), replace(data, eyebrows_expand_mod=2.0))
    fields = decode_pickle(payload_of(changed))
    original = decode_pickle(payload_of(path.read_bytes()))
    for key in ("ie_polys", "fanseg_mask", "relighted"):
        assert fields[key] == original[key]


def test_rewriting_deepfacelabs_files_keeps_every_byte_and_value() -> None:
    for path, row in golden_rows():
        jpeg = path.read_bytes()
        data = read_face_data(path)
        assert data is not None
        written = replace_face_data(jpeg, data)
        assert with_app15(written, None) == with_app15(jpeg, None)
        again = read_face_data(written)
        assert again is not None
        assert_same_data(again, data)
        fields = pickle.loads(payload_of(written))
        for key, kind in row["raw_types"].items():
            if key == "landmarks" or path.name == "legacy.jpg":
                continue  # lists, also where the resize tool or an old version left an array
            value = fields[key]
            array = isinstance(value, np.ndarray)
            ours = f"ndarray{value.dtype}{value.shape}" if array else type(value).__name__
            assert ours == kind, key
