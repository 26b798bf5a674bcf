from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.faces.faceset import open_faceset
from engine.faces.pose import HEAD_MM, POSE_POINTS
from engine.protocol.errors import InputError
from engine.train.crops import CropKind
from engine.train.samples import Sampling
from engine.train.side_faces import SideFaces
from engine.train.sources import Sources, open_training_faces
from tests.train.made_faces import write_faceset, write_workspace

FULL_64 = Sampling(CropKind(FaceType.FULL, 64), 2, scale=0.05)


def sources_of(src, dst, warnings=None):
    def warn(text, remedy):
        if warnings is not None:
            warnings.append(text)

    return Sources(src, dst, seed=3, limit_bytes=1 << 26, warn=warn, threads=2)


def workspace_sources(root, warnings=None):
    write_workspace(root, 4)
    return sources_of(
        *(open_faceset(root / f"data_{side}" / "aligned") for side in ("src", "dst")), warnings
    )


def first_batches(sources, sampling, count, first=0):
    with sources.open(sampling, first) as stream:
        return [stream.next() for _ in range(count)], stream.drawn


def remove_faces(root):
    for path in root.glob("data_*/aligned/*.jpg"):
        path.unlink()


def test_a_reopened_stream_goes_on_with_the_sample_after_the_last_one_drawn(tmp_path):
    sources = workspace_sources(tmp_path)
    whole, _ = first_batches(sources, FULL_64, 4)
    _, drawn = first_batches(sources, FULL_64, 2)
    rest, _ = first_batches(sources, FULL_64, 2, first=drawn)
    for found, expected in zip(rest, whole[2:], strict=True):
        np.testing.assert_array_equal(found.src.input_bgr, expected.src.input_bgr)
        np.testing.assert_array_equal(found.dst.target_bgr, expected.dst.target_bgr)


def test_crops_are_kept_for_a_stream_of_the_same_kind_and_made_anew_for_another(tmp_path):
    sources = workspace_sources(tmp_path)
    first_batches(sources, FULL_64, 4)
    remove_faces(tmp_path)
    kept, _ = first_batches(sources, replace(FULL_64, batch_size=3, hsv_power=0.1), 2)
    assert kept[0].src.input_bgr.shape == (3, 64, 64, 3)
    with pytest.raises(InputError, match="can be used"):
        first_batches(sources, replace(FULL_64, kind=CropKind(FaceType.FULL, 48)), 1)


def test_released_crops_are_read_again(tmp_path):
    sources = workspace_sources(tmp_path)
    first_batches(sources, FULL_64, 4)
    remove_faces(tmp_path)
    sources.release()
    with pytest.raises(InputError, match="can be used"):
        first_batches(sources, FULL_64, 1)


def test_a_face_that_cannot_be_used_is_told_of_once_whatever_is_reopened(tmp_path):
    warnings = []
    sources = workspace_sources(tmp_path, warnings)
    (tmp_path / "data_src" / "aligned" / "00002_0.jpg").write_bytes(b"damaged after the opening")
    for side_px in (64, 48):
        sampling = replace(FULL_64, kind=CropKind(FaceType.FULL, side_px))
        _, _ = first_batches(sources, sampling, 4)
    assert len(warnings) == 1
    assert list(sources.src.unusable) == ["00002_0.jpg"]


def test_a_damaged_reference_of_colours_is_passed_over(tmp_path):
    warnings = []
    sources = workspace_sources(tmp_path, warnings)
    (tmp_path / "data_dst" / "aligned" / "00001_0.jpg").write_bytes(b"damaged after the opening")
    batches, _ = first_batches(sources, replace(FULL_64, ct_mode="lct"), 6)
    assert len(batches) == 6
    assert len(warnings) == 1


def test_what_was_made_is_counted_over_all_streams(tmp_path):
    sources = workspace_sources(tmp_path)
    for _ in range(2):
        first_batches(sources, FULL_64, 3)
    assert sources.rates.samples >= 2 * 3 * 4
    assert sources.rates.deliverable_per_s(2) > 0


def test_one_set_may_be_on_both_sides_in_different_orders_and_is_kept_once(tmp_path):
    faces = open_training_faces(write_faceset(tmp_path, 5))
    sources = sources_of(faces, faces)
    batches, _ = first_batches(sources, FULL_64, 10)
    assert all(np.abs(b.src.target_bgr - b.dst.target_bgr).mean() > 1e-3 for b in batches)
    assert sources._crops[1].size_bytes == 5 * 64 * 64 * 4


def test_training_faces_need_at_least_one_face_and_the_error_names_the_folder(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"no usable faces in .*photo\.png"):
        open_training_faces(tmp_path)


@dataclass(frozen=True)
class TurnedFace:
    """A head turned sideways, seen from afar."""

    yaw_rad: float
    name: str = "made"

    @property
    def data(self) -> FaceData:
        sine, cosine = np.sin(self.yaw_rad), np.cos(self.yaw_rad)
        turned = HEAD_MM @ np.array([(cosine, 0, -sine), (0, 1, 0), (sine, 0, cosine)]).T
        landmarks = np.zeros((68, 2))
        landmarks[list(POSE_POINTS)] = 128 + turned[:, :2]
        return FaceData(FaceType.FULL, landmarks)

    def read_jpeg(self) -> bytes:
        raise InputError("nothing to read", "")


def test_the_yaw_of_all_faces_comes_from_their_landmarks():
    angles = np.array([-1.0, -0.3, 0.0, 0.4, 1.1])
    faces = SideFaces("src", [TurnedFace(angle) for angle in angles], lambda text, remedy: None)
    np.testing.assert_allclose(np.abs(faces.yaws_rad), np.abs(angles), atol=1e-6)
    assert (np.diff(faces.yaws_rad) < 0).all() or (np.diff(faces.yaws_rad) > 0).all()


def test_rare_views_come_as_often_as_common_ones_if_drawn_evenly_over_yaw():
    faces = [TurnedFace(0.0) for _ in range(9)] + [TurnedFace(0.8)]
    sources = sources_of(faces, faces)
    with sources.open(replace(FULL_64, uniform_yaw=True), 0) as stream:
        drawn = Counter(stream.src.face_number(number) for number in range(180))
    assert drawn[9] == 90
    assert {drawn[number] for number in range(9)} == {10}
