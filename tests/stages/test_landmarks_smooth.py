from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, invert_affine, transform_points
from engine.faces.applied_mask import bytes_from_mask, mask_from_bytes
from engine.faces.face_file import encode_face_jpeg, read_jpeg, rewrite_face_data
from engine.faces.face_type import FaceType
from engine.faces.jpeg_quality import jpeg_quality_of
from engine.faces.masks import Polygon
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped
from engine.protocol.frame_marks import KEEP, FrameMark, change_marks, marks_path
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.face_cut import Crop, cut_face
from engine.stages.landmarks_smooth.faces import found_landmarks, is_smoothed
from engine.stages.landmarks_smooth.run import run
from tests.stages.extracting import data_of, faces
from tests.stages.shaking_faces import make_shaking_faces
from tests.support.context import RecordingContext, context_for
from tests.support.disks import small_disk

pytestmark = pytest.mark.slow  # takes seconds in the sum

FRAMES = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("made")
    make_shaking_faces(root, FRAMES)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "ws")
    return tmp_path / "ws"


def smooth(root: Path, *, confirmed: bool = True, **options: Any) -> RecordingContext:
    context: RecordingContext = context_for(
        root, "landmarks-smooth", confirmed=confirmed, workers="1", **options
    )
    run(context)
    return context


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in faces(root)}


def test_smoothed_faces_are_cut_anew_by_landmarks_that_shake_less(root: Path) -> None:
    context = smooth(root)
    assert context.facts["recut"] == FRAMES
    assert context.facts["jitter_after_pct"] < 0.3 * context.facts["jitter_before_pct"]
    data = data_of(faces(root)[5])
    frame = cv2.imread(str(Workspace(root).dst.frames / "00006.png"))
    assert data.source_landmarks is not None and frame is not None
    expected, cut = cut_face(
        frame, "00006.png", data.source_landmarks, (150, 100, 400, 380), Crop(data.face_type, 256)
    )
    jpeg_bytes = faces(root)[5].read_bytes()
    assert jpeg_bytes == encode_face_jpeg(expected, 87, replace(cut, other=data.other))


def test_a_look_changes_nothing_and_tells_the_same_figures(root: Path) -> None:
    before = contents(root)
    looked = smooth(root, confirmed=False, work="look")
    assert contents(root) == before
    smoothed = smooth(root)
    for fact in ("tracks", "jitter_before_pct", "jitter_after_pct"):
        assert looked.facts[fact] == smoothed.facts[fact]
    assert looked.facts["would_change"] == FRAMES
    assert any("00001 to 00016" in note and "▁" in note for note in looked.notes)
    assert looked.previews and looked.previews[0][1].is_file()


def test_faces_are_not_replaced_without_the_users_word(root: Path) -> None:
    before = contents(root)
    with pytest.raises(ConfirmationNeeded, match="16 faces"):
        smooth(root, confirmed=False)
    assert contents(root) == before


def test_undo_puts_the_faces_back_bit_for_bit(root: Path) -> None:
    before = contents(root)
    smooth(root)
    assert contents(root).keys() == before.keys() and contents(root) != before
    context = smooth(root, work="undo")
    assert context.facts["restored"] == FRAMES
    assert contents(root) == before
    with pytest.raises(InputError, match="no smoothing to undo"):
        smooth(root, work="undo")


def test_undo_reaches_faces_that_a_link_keeps_on_another_disk(root: Path, tmp_path: Path) -> None:
    before, side = contents(root), Workspace(root).dst.frames
    with small_disk(tmp_path / "disk", "64m") as disk:
        shutil.copytree(side, disk, dirs_exist_ok=True)
        shutil.rmtree(side)
        side.symlink_to(disk)
        smooth(root)
        assert contents(root) != before
        assert smooth(root, work="undo").facts["restored"] == FRAMES
        assert contents(root) == before


def test_undo_passes_over_pictures_that_were_never_put_in_place(root: Path) -> None:
    before = contents(root)
    context = context_for(root, "landmarks-smooth", confirmed=True, workers="1", strength=0.5)
    context.progress = _stopping_at(context, note="", done=5)
    with pytest.raises(Stopped):
        run(context)
    smooth(root)
    # What the interrupted run leaves is like this; it may bear the same second as the other.
    newest = Workspace(root).trash / "99991231-235959-landmarks-smooth-dst"
    unused = newest / "data_dst" / "aligned_smoothed"
    unused.mkdir(parents=True)
    assert smooth(root, work="undo").facts["restored"] == FRAMES
    assert contents(root) == before


def test_undo_keeps_labels_drawn_since(root: Path) -> None:
    before = contents(root)
    smooth(root)
    path = faces(root)[8]
    polygon = Polygon(True, np.array([(60, 60), (200, 60), (128, 200)], np.float32))
    smoothed = replace(data_of(path), seg_ie_polys=(polygon,))
    rewrite_face_data(path, smoothed)
    context = smooth(root, work="undo")
    assert context.facts["restored_with_newer_labels"] == 1
    restored = data_of(path)
    assert restored.seg_ie_polys and not is_smoothed(restored)
    _assert_same_place_in_frame(restored, smoothed)
    assert contents(root) | {path.name: b""} == before | {path.name: b""}


def test_undo_leaves_faces_that_were_deleted_or_made_anew_since(root: Path, made: Path) -> None:
    smooth(root)
    gone, anew = faces(root)[0], faces(root)[1]
    gone.unlink()
    fresh = (made / "data_dst" / "aligned" / anew.name).read_bytes() + b"\0"
    anew.write_bytes(fresh)
    context = smooth(root, work="undo")
    assert context.facts["left"] == 2
    assert not gone.exists() and anew.read_bytes() == fresh


def test_smoothing_twice_is_smoothing_once(root: Path) -> None:
    smooth(root)
    once = contents(root)
    assert smooth(root).facts["recut"] == 0
    assert contents(root) == once
    smooth(root, strength=0.5)
    assert contents(root) != once
    smooth(root)
    for path in faces(root):
        np.testing.assert_array_equal(
            data_of(path).source_landmarks, _landmarks_in(once[path.name], path)
        )


def test_without_strength_the_landmarks_are_as_found_again(root: Path, made: Path) -> None:
    smooth(root)
    smooth(root, strength=0.0)
    for path in faces(root):
        data = data_of(path)
        found = data_of(made / "data_dst" / "aligned" / path.name).source_landmarks
        np.testing.assert_array_equal(data.source_landmarks, found)
        assert not is_smoothed(data)


def test_labels_and_masks_stay_on_the_same_spot_of_the_frame(root: Path) -> None:
    path = faces(root)[7]
    mask = np.zeros((256, 256), np.float32)
    mask[60:180, 80:200] = 1.0
    polygon = Polygon(True, np.array([(80, 60), (200, 60), (200, 180), (80, 180)], np.float32))
    labelled = replace(
        data_of(path), seg_ie_polys=(polygon,), xseg_mask_compressed=bytes_from_mask(mask)
    )
    rewrite_face_data(path, labelled)
    smooth(root)
    moved = data_of(path)
    _assert_same_place_in_frame(moved, labelled)
    assert moved.xseg_mask_compressed is not None and moved.image_to_face_mat is not None
    assert labelled.image_to_face_mat is not None
    change = moved.image_to_face_mat @ np.vstack(
        [invert_affine(labelled.image_to_face_mat), (0, 0, 1)]
    )
    expected = cv2.warpAffine(mask, change, (256, 256)) >= 0.5
    is_face = mask_from_bytes(moved.xseg_mask_compressed) >= 0.5
    assert (is_face != expected).mean() < 0.005


def test_frames_marked_as_kept_keep_their_landmarks(root: Path, made: Path) -> None:
    marks = {
        "00003.png": FrameMark(frozenset({KEEP})),
        "00004.png": FrameMark(strength=0.5),
    }
    change_marks(marks_path(Workspace(root), "dst"), lambda _: marks)
    assert smooth(root).facts["recut"] == FRAMES - 1
    kept, half = faces(root)[2], faces(root)[3]
    assert kept.read_bytes() == (made / "data_dst" / "aligned" / kept.name).read_bytes()
    half_way = data_of(half).source_landmarks
    change_marks(marks_path(Workspace(root), "dst"), lambda _: {})
    smooth(root)
    found = found_landmarks(data_of(half))
    whole_way = data_of(half).source_landmarks
    assert found is not None and half_way is not None and whole_way is not None
    np.testing.assert_allclose(half_way - found, (whole_way - found) / 2)


def test_a_stopped_run_changes_nothing_and_the_next_one_goes_on(root: Path) -> None:
    before = contents(root)
    context = context_for(root, "landmarks-smooth", confirmed=True, workers="1")
    context.progress = _stopping_at(context, note="", done=5)
    with pytest.raises(Stopped):
        run(context)
    assert contents(root) == before
    smooth(root)
    assert all(is_smoothed(data_of(path)) for path in faces(root))


def test_a_run_interrupted_while_it_puts_faces_in_place_is_completed(root: Path) -> None:
    before = contents(root)
    context = context_for(root, "landmarks-smooth", confirmed=True, workers="1")
    context.progress = _stopping_at(context, note="putting in place", done=5)
    with pytest.raises(Stopped):
        run(context)
    assert sum(is_smoothed(data_of(path)) for path in faces(root)) == 5
    with pytest.raises(InputError, match="interrupted"):
        smooth(root, work="undo")
    smooth(root)
    assert all(is_smoothed(data_of(path)) for path in faces(root))
    smooth(root, work="undo")
    assert contents(root) == before


def test_faces_without_their_frame_stay_and_are_told(root: Path) -> None:
    (Workspace(root).dst.frames / "00002.png").unlink()
    before = contents(root)
    context = smooth(root)
    assert context.facts["left_out"] == 1
    assert any("00002_0.jpg" in warning for warning in context.warnings)
    assert contents(root)["00002_0.jpg"] == before["00002_0.jpg"]


def test_found_landmarks_that_are_none_leave_the_face_as_it_is(root: Path) -> None:
    path = faces(root)[3]
    rewrite_face_data(path, replace(data_of(path), other={"facewright_found_landmarks": "x"}))
    before = path.read_bytes()
    assert smooth(root).facts["left_out"] == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize("quality", [1, 30, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_known(quality: int, tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path.write_bytes(encode_face_jpeg(picture, quality))
    assert jpeg_quality_of(read_jpeg(path)) == quality


def _stopping_at(context: RecordingContext, *, note: str, done: int) -> Any:
    def progress(now: int, total: int | None, **told: Any) -> None:
        if told.get("note", "") == note and now >= done:
            context.stop_requested = True

    return progress


def _landmarks_in(jpeg_bytes: bytes, beside: Path) -> Any:
    copy = beside.with_name(f"{os.getpid()}.jpg")
    copy.write_bytes(jpeg_bytes)
    try:
        return data_of(copy).source_landmarks
    finally:
        copy.unlink()


def _assert_same_place_in_frame(one: Any, other: Any) -> None:
    """The labels of two crops of one face cover the same spot of their frame."""
    for mine, theirs in zip(one.seg_ie_polys, other.seg_ie_polys, strict=True):
        places = [
            transform_points(
                polygon.points_xy,
                invert_affine(face_from_frame(data.source_landmarks, 256, FaceType.WHOLE_FACE)),
            )
            for data, polygon in ((one, mine), (other, theirs))
        ]
        np.testing.assert_allclose(places[0], places[1], atol=0.01)
