from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_type import FaceType
from engine.faces.jpeg_segments import app15_payload, read_head
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace, list_images
from tests.detect.media import clip_frames
from tests.stages.extracting import (
    data_of,
    extract,
    faces,
    per_frame,
    run_apart,
    workspace,
)

pytestmark = pytest.mark.slow  # loads nets

# Clips that are searched whole: their heads move too far in a few frames to be followed.
SHORT_CLIP_FRAMES = 60


@pytest.mark.parametrize(
    ("clip", "faces"), [("pairA_dst.mp4", 1), ("two_faces_large.mp4", 2), ("pairB_src.mp4", 1)]
)
def test_each_frame_has_as_many_faces_as_were_counted_by_eye(
    tmp_path: Path, clip: str, faces: int
) -> None:
    root = workspace(tmp_path, clip, range(0, 180, 30))
    context = extract(root)
    assert per_frame(root) == {faces: 6}
    assert context.facts["faces"] == 6 * faces
    assert context.facts["frames_without_face"] == 0


@pytest.mark.parametrize(
    ("clip", "frames", "faces"),
    [
        ("pairA_src.mp4", 216, 1),
        ("pairA_dst.mp4", 250, 1),
        ("pairB_src.mp4", 180, 1),
        ("pairB_dst.mp4", 282, 1),
        ("two_faces_large.mp4", 180, 2),
        ("two_faces.mp4", 56, 2),
        ("occlusion_hand_eat.mkv", 47, 1),
        ("occlusion_synthetic.mp4", 90, 1),
    ],
)
def test_the_frames_of_a_clip_have_as_many_faces_as_were_counted_by_eye(
    tmp_path: Path, clip: str, frames: int, faces: int, frames_apart: int
) -> None:
    wanted = range(0, frames, frames_apart if frames > SHORT_CLIP_FRAMES else 1)
    root = workspace(tmp_path, clip, wanted)
    extract(root, debug_images="no")
    assert per_frame(root) == {faces: len(wanted)}


def test_false_faces_on_hands_and_hair_are_left_out(tmp_path: Path) -> None:
    root = workspace(tmp_path, "occlusion_mic_cuts.mp4", range(82, 211))
    context = extract(root, debug_images="no")
    assert per_frame(root) == {1: 129}
    assert context.facts["dropped_faces"] >= 2


def test_a_false_face_in_a_picture_by_itself_is_told_by_its_landmarks(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairB_dst.mp4", [280])
    context = extract(root, debug_images="no")
    assert per_frame(root) == {1: 1}
    assert context.facts["dropped_faces"] == 1


def test_boxes_and_landmarks_in_the_frame_are_where_the_face_is(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [125])
    extract(root)
    data = data_of(faces(root)[0])
    assert data.source_rect is not None
    assert data.source_landmarks is not None
    np.testing.assert_allclose(data.source_rect, (121, 98, 356, 412), atol=12)
    middle = data.source_landmarks[17:].mean(axis=0)
    np.testing.assert_allclose(middle, (238, 265), atol=25)


def test_a_face_file_holds_dfls_keys_with_dfls_types(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    extract(root)
    (path,) = faces(root)
    assert path.name == "00001_0.jpg"
    payload = app15_payload(path.read_bytes(), read_head(path.read_bytes()))
    assert payload is not None
    fields = decode_pickle(payload)
    assert list(fields) == [
        *("face_type", "landmarks", "source_filename"),
        *("source_rect", "source_landmarks", "image_to_face_mat"),
    ]
    assert fields["face_type"] == "whole_face"
    assert fields["source_filename"] == "00001.png"
    for key in ("landmarks", "source_landmarks"):
        assert isinstance(fields[key], list)
        assert np.shape(fields[key]) == (68, 2)
        assert isinstance(fields[key][0][0], float)
    assert fields["source_rect"].dtype == np.int64
    assert fields["source_rect"].shape == (4,)
    assert fields["image_to_face_mat"].dtype == np.float64
    assert fields["image_to_face_mat"].shape == (2, 3)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("h", "half_face"),
        ("mf", "midfull_face"),
        ("f", "full_face"),
        ("wf", "whole_face"),
        ("head", "head"),
    ],
)
def test_each_face_type_is_cut_by_its_matrix(tmp_path: Path, option: str, name: str) -> None:
    root = workspace(tmp_path, "pairB_dst.mp4", [0])
    extract(root, face_type=option)
    (path,) = faces(root)
    data, picture = data_of(path), cv2.imread(str(path))
    size_px = 768 if option == "head" else 512
    assert data.face_type.dfl_name == name
    assert picture is not None
    assert picture.shape == (size_px, size_px, 3)
    assert data.source_landmarks is not None
    assert data.image_to_face_mat is not None
    matrix = face_from_frame(data.source_landmarks, size_px, data.face_type)
    np.testing.assert_allclose(data.image_to_face_mat, matrix)
    np.testing.assert_allclose(data.landmarks, transform_points(data.source_landmarks, matrix))
    frame = cv2.imread(str(Workspace(root).dst.frames / "00001.png"))
    assert frame is not None
    wanted = cv2.warpAffine(frame, matrix, (size_px, size_px), flags=cv2.INTER_LANCZOS4)
    assert np.abs(picture.astype(int) - wanted).mean() < 2.5


def test_mark_only_keeps_the_whole_frame_and_has_no_matrix(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    extract(root, face_type="mark_only")
    data, picture = data_of(faces(root)[0]), cv2.imread(str(faces(root)[0]))
    assert data.face_type is FaceType.MARK_ONLY
    assert picture is not None
    assert picture.shape == (480, 480, 3)
    assert data.image_to_face_mat is None
    assert data.source_landmarks is not None
    np.testing.assert_array_equal(data.landmarks, data.source_landmarks)


def test_image_size_quality_and_interpolation_are_as_asked(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairB_dst.mp4", [0])
    extract(root, image_size="300", jpeg_quality=100)
    sharp = cv2.imread(str(faces(root)[0]))
    extract(root, image_size="300", jpeg_quality=100, interpolation="bilinear", confirmed=True)
    soft = cv2.imread(str(faces(root)[0]))
    assert sharp is not None
    assert soft is not None
    assert sharp.shape == soft.shape == (300, 300, 3)
    assert cv2.Laplacian(sharp, cv2.CV_64F).var() > cv2.Laplacian(soft, cv2.CV_64F).var() * 1.05


def test_faces_are_numbered_from_the_largest_and_no_more_than_asked(tmp_path: Path) -> None:
    root = workspace(tmp_path, "two_faces_large.mp4", [0])
    extract(root)
    rects = [np.array(data_of(path).source_rect) for path in faces(root)]
    areas = [(rect[2] - rect[0]) * (rect[3] - rect[1]) for rect in rects]
    assert areas == sorted(areas, reverse=True)
    largest = faces(root)[0].read_bytes()
    extract(root, max_faces=1, confirmed=True)
    assert [path.read_bytes() for path in faces(root)] == [largest]


def test_faces_smaller_than_asked_are_left_out(tmp_path: Path) -> None:
    root = workspace(tmp_path, "occlusion_hand_eat.mkv", [0])
    context = extract(root, min_face_size=100)
    assert faces(root) == []
    assert context.facts["frames_without_face"] == 1


def test_dst_gets_a_debug_image_of_every_frame_and_src_none(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 1])
    blank = np.full((480, 480, 3), 128, np.uint8)
    cv2.imwrite(str(Workspace(root).dst.frames / "00003.png"), blank)
    extract(root)
    debug = list_images(Workspace(root).dst.aligned_debug)
    assert [path.name for path in debug] == ["00001.jpg", "00002.jpg", "00003.jpg"]
    drawn = cv2.imread(str(debug[0]))
    assert drawn is not None
    frame = cv2.imread(str(Workspace(root).dst.frames / "00001.png"))
    assert frame is not None
    tint = (drawn.astype(int) - frame).astype(float)
    for channel in range(3):  # landmarks are green, the box is blue, the crop red
        others = np.delete(tint, channel, axis=2).max(axis=2)
        assert (tint[..., channel] - others > 60).sum() > 100
    workspace(tmp_path, "pairA_dst.mp4", [0], side="src")
    extract(root, side="src")
    assert len(faces(root, "src")) == 1
    assert list_images(Workspace(root).src.aligned_debug) == []


def test_hog_extracts_without_tensorflow(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 100])
    ended = run_apart(root, detector="dlib-hog")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["facts"]["faces"] == 2
    assert told["tensorflow"] is False


def test_a_frame_cut_off_is_named_and_the_others_are_extracted(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 50, 100])
    broken = Workspace(root).dst.frames / "00002.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    context = extract(root)
    assert [path.name for path in faces(root)] == ["00001_0.jpg", "00003_0.jpg"]
    assert context.facts["unreadable"] == 1
    assert any("00002.png" in warning for warning in context.warnings)
    broken.write_bytes(whole)
    assert extract(root).facts["unreadable"] == 0
    assert len(faces(root)) == 3


@pytest.mark.parametrize("detector", ["mtcnn", "dlib-hog"])
def test_frames_none_of_which_can_be_read_are_an_input_error(tmp_path: Path, detector: str) -> None:
    frames = Workspace(tmp_path).dst.frames
    frames.mkdir(parents=True)
    (frames / "00001.png").write_bytes(b"no picture")
    (frames / "00002.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="none of the 2 frames"):
        extract(tmp_path, detector=detector)


def test_a_folder_without_frames_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frames"):
        extract(tmp_path)


def test_frames_whose_names_differ_in_the_ending_alone_are_told(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0])
    frames = Workspace(root).dst.frames
    (frames / "00001.tif").write_bytes(b"")
    context = extract(root)
    assert any("00001.tif" in warning for warning in context.warnings)
    assert context.facts["frames"] == 1


def test_a_face_in_a_frame_of_less_than_128_px_is_extracted(tmp_path: Path) -> None:
    frames = Workspace(tmp_path).dst.frames
    frames.mkdir(parents=True)
    (image,) = clip_frames("pairA_dst.mp4", [0])
    cv2.imwrite(str(frames / "small.jpg"), cv2.resize(image, (120, 120)))
    extract(tmp_path)
    assert [path.name for path in faces(tmp_path)] == ["small_0.jpg"]


def test_progress_counts_finished_frames_up_to_all(tmp_path: Path) -> None:
    root = workspace(tmp_path, "pairA_dst.mp4", [0, 50, 100])
    assert extract(root).reported == [(0, 3), (1, 3), (2, 3), (3, 3)]
