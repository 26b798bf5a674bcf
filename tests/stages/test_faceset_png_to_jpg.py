"""The stage faceset-png-to-jpg, through its own door."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_data import dict_from_data
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.faces.png_face import png_face_data
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.workspace import Workspace, list_images
from tests.faces.face_files import SIZE_PX, face_data, picture, plain_jpeg, png_with
from tests.faces.landmarks import front_face
from tests.stages.facesets import data_of, names, run_stage
from tests.support.tree import tree

STAGE = "faceset-png-to-jpg"


def face_fields(**changes: Any) -> dict[str, Any]:
    fields = dict_from_data(face_data(face_type=FaceType.FULL))
    return fields | {"ie_polys": [(1, [[1, 2], [3, 4]])], "relighted": False} | changes


def old_faceset(root: Path, count: int = 3, **changes: Any) -> Path:
    aligned = Workspace(root).src.aligned
    aligned.mkdir(parents=True)
    for number in range(count):
        payload = pickle.dumps(face_fields(**changes), protocol=3)
        (aligned / f"{number:05d}_0.png").write_bytes(png_with(payload, seed=number))
    return aligned


def convert(root: Path, **given: Any):
    return run_stage(root, STAGE, **{"side": "src", "workers": "1"} | given)


def test_faces_become_jpegs_with_all_their_metadata(tmp_path: Path) -> None:
    aligned = old_faceset(tmp_path)
    context = convert(tmp_path)
    assert names(aligned) == [f"0000{n}_0.{kind}" for n in range(3) for kind in ("jpg", "png")]
    for path in list_images(aligned, frozenset({".jpg"})):
        np.testing.assert_equal(dict_from_data(data_of(path)), face_fields())
        png = read_image_bgr_u8(path.with_suffix(".png")).astype(int)
        assert np.abs(read_image_bgr_u8(path) - png).mean() < 2
    assert context.facts["converted"] == 3


def test_the_png_files_go_to_the_trash_with_the_users_word_only(tmp_path: Path) -> None:
    aligned = old_faceset(tmp_path)
    before = tree(aligned)
    with pytest.raises(ConfirmationNeeded):
        convert(tmp_path, trash_originals=True)
    assert tree(aligned) == before
    (aligned / "holiday.png").write_bytes(cv2.imencode(".png", picture())[1].tobytes())
    context = convert(tmp_path, trash_originals=True, confirmed=True)
    assert names(aligned) == ["00000_0.jpg", "00001_0.jpg", "00002_0.jpg", "holiday.png"]
    assert len(list(Workspace(tmp_path).trash.rglob("*.png"))) == 3
    assert context.facts["left_out"] == 1


def test_a_second_run_writes_nothing_and_never_over_another_face(tmp_path: Path) -> None:
    aligned = old_faceset(tmp_path)
    convert(tmp_path)
    other_face = encode_face_jpeg(picture(), 90, face_data(source_filename="other.png"))
    (aligned / "00001_0.jpg").write_bytes(other_face)
    (aligned / "00002_0.jpg").write_bytes(plain_jpeg())
    before = tree(aligned)
    context = convert(tmp_path, trash_originals=True, confirmed=True)
    assert (context.facts["converted"], context.facts["kept"]) == (0, 1)
    assert all((aligned / f"0000{number}_0.png").is_file() for number in (1, 2))
    assert tree(aligned).items() <= before.items()


def test_pictures_of_which_none_is_a_face_are_refused_with_the_reason(tmp_path: Path) -> None:
    aligned = old_faceset(tmp_path, 0)
    (aligned / "frame.png").write_bytes(cv2.imencode(".png", picture())[1].tobytes())
    with pytest.raises(InputError, match=r"none of the 1 PNG files .* frame\.png: it has no face"):
        convert(tmp_path)


def test_heads_as_only_the_old_version_cut_them_are_told(tmp_path: Path) -> None:
    old = face_from_frame(front_face(), SIZE_PX, FaceType.HEAD, scale=1.46)
    old_faceset(tmp_path / "old", face_type="head", landmarks=transform_points(front_face(), old))
    assert any("1.0" in text for text in convert(tmp_path / "old").warnings)

    new = face_from_frame(front_face(), SIZE_PX, FaceType.HEAD)
    old_faceset(tmp_path / "new", face_type="head", landmarks=transform_points(front_face(), new))
    assert convert(tmp_path / "new").warnings == []


def test_metadata_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path}/ran",)

    with pytest.raises(InputError):
        png_face_data(png_with(pickle.dumps(Hostile())))
    assert not (tmp_path / "ran").exists()


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = png_with(pickle.dumps(face_fields()))
    flipped = bytearray(whole)
    flipped[whole.index(b"fcWp") + 20] ^= 1
    for damaged in (b"", whole[:-30], whole[: whole.index(b"fcWp") + 9], bytes(flipped)):
        with pytest.raises(InputError):
            png_face_data(damaged)
    assert png_face_data(whole) is not None
