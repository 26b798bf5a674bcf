"""The stage with dlib's CNN, and with nets of the user's weights: S3FD and FAN."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine import catalog
from engine.protocol.errors import InputError
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace, list_images
from engine.stages.faces_extract.plan import cut_settings
from engine.stages.faces_extract.records import done_file
from tests.detect.media import still
from tests.detect.recipe import recipe_weights
from tests.stages.extracting import data_of, extract, faces, per_frame, run_apart, workspace

pytestmark = pytest.mark.slow  # loads nets


def _header(root: Path, **given: Any) -> dict[str, Any]:
    """The first line of what the stage remembers, as a run with those options writes it."""
    values = complete_values(catalog.stage("faces-extract").options, given)
    with done_file(Workspace(root), "dst", cut_settings(values)):
        path = Workspace(root).stage_state / "faces-extract-dst.done.jsonl"
        header: dict[str, Any] = json.loads(path.read_bytes())["settings"]
    return header


def _done(root: Path) -> list[dict[str, Any]]:
    path = Workspace(root).stage_state / "faces-extract-dst.done.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def _s3fd_of_one_face() -> dict[str, np.ndarray]:
    """S3FD's tensors that see no picture: each cell of stride 64 has a face of 50 px, 128 px to the
    upper left. Of the nine cells of a net's picture of 64 px only the last one's is inside."""
    weights = {name: np.zeros_like(tensor) for name, tensor in recipe_weights("S3FD").items()}
    for name in ("conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv7_2"):
        weights[f"{name}_mbox_conf/bias:0"][-1] = -9.0
    weights["conv6_2_mbox_conf/bias:0"][:] = (0.0, 3.0)
    weights["conv6_2_mbox_loc/bias:0"][:2] = -128 / (0.1 * 256)
    weights["conv6_2_mbox_loc/bias:0"][2:] = 5 * np.log(50 / 256)
    return weights


def _save(folder: Path, name: str, weights: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(weights, protocol=4))


@pytest.fixture(autouse=True)
def _home_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def test_settings_that_came_later_leave_the_records_of_earlier_versions_valid(
    tmp_path: Path,
) -> None:
    settings = _header(tmp_path)
    assert set(settings) == {
        *("find", "face_type", "max_faces", "image_size_px", "jpeg_quality", "with_debug"),
        "interpolation",
    }
    assert set(settings["find"]) == {
        *("detector", "rotations", "detection_size_px", "min_face_size_px", "min_score"),
        "hog_upsample",
    }
    assert _header(tmp_path, landmarks="2dfan")["landmarks"] == "2dfan"
    assert _header(tmp_path, s3fd_min_score="0.6")["find"]["s3fd_min_score"] == 0.6


def test_dlibs_cnn_extracts_turned_heads_without_tensorflow(tmp_path: Path) -> None:
    frames = Workspace(tmp_path).dst.frames
    frames.mkdir(parents=True)
    cv2.imwrite(str(frames / "00001.png"), still("image02420.jpg"))
    ended = run_apart(tmp_path, detector="dlib-cnn", rotations="none")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["facts"]["faces"] == 1
    assert told["tensorflow"] is False
    middle = np.asarray(data_of(faces(tmp_path)[0]).source_landmarks)[17:].mean(axis=0)
    np.testing.assert_allclose(middle, (222, 270), atol=15)


def test_faces_turned_by_more_than_60_degrees_are_marked_counted_and_told(tmp_path: Path) -> None:
    frames = Workspace(tmp_path).dst.frames
    frames.mkdir(parents=True)
    for number, name in enumerate(("image02420.jpg", "image03324.jpg"), start=1):
        cv2.imwrite(str(frames / f"{number:05d}.png"), still(name))
    context = extract(tmp_path)
    marks = [face["is_profile"] for line in _done(tmp_path) for face in line["faces"]]
    assert marks == [True, False]
    assert context.facts["profile_faces"] == 1
    assert any("1 of 2 faces are turned to the side" in text for text in context.warnings)
    again = extract(tmp_path)
    assert again.facts["profile_faces"] == 1


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"detector": "s3fd"}, "S3FD.npy"),
        ({"landmarks": "2dfan"}, "2DFAN.npy"),
        ({"landmarks": "3dfan", "detector": "dlib-hog"}, "3DFAN.npy"),
    ],
)
def test_missing_weights_are_named_with_their_place_before_anything_is_moved(
    tmp_path: Path, options: dict[str, str], name: str
) -> None:
    root = workspace(tmp_path / "w", "pairA_dst.mp4", [0])
    extract(root)
    before = {path: path.read_bytes() for path in faces(root)}
    with pytest.raises(InputError, match=name) as caught:
        extract(root, confirmed=True, **options)
    assert str(tmp_path / "home" / "facewright" / "weights") in caught.value.remedy
    assert {path: path.read_bytes() for path in faces(root)} == before


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", "pairA_dst.mp4", [0])
    weights = _s3fd_of_one_face()
    _save(Workspace(root).models, "S3FD.npy", {"conv1_1/weight:0": weights["conv1_1/weight:0"]})
    with pytest.raises(InputError, match=r"S3FD\.npy holds other weights: conv1_1/bias"):
        extract(root, detector="s3fd")


def test_s3fd_with_the_users_weights_finds_what_they_say(tmp_path: Path) -> None:
    root = tmp_path / "w"
    frames = Workspace(root).dst.frames
    frames.mkdir(parents=True)
    picture = cv2.resize(still("image03324.jpg")[177:382, 108:313], (128, 128))
    cv2.imwrite(str(frames / "00001.png"), picture)
    _save(tmp_path / "facelib", "S3FD.npy", _s3fd_of_one_face())
    context = extract(root, detector="s3fd", weights=str(tmp_path / "facelib"), rotations="none")
    assert context.facts["faces"] == 1
    [face] = _done(root)[0]["faces"]
    assert face["score"] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-4)
    assert data_of(faces(root)[0]).source_rect == (14, 14, 112, 121)
    mouth = np.asarray(data_of(faces(root)[0]).source_landmarks)[48:].mean(axis=0)
    np.testing.assert_allclose(mouth, (63, 90), atol=15)  # upright, in the box
    context = extract(
        root,
        detector="s3fd",
        weights=str(tmp_path / "facelib"),
        rotations="none",
        s3fd_min_score=0.99,
        confirmed=True,
    )
    assert context.facts["faces"] == 0


@pytest.mark.parametrize("detector", ["mtcnn", "dlib-hog"])
def test_fan_places_the_landmarks_that_its_weights_say(tmp_path: Path, detector: str) -> None:
    root = workspace(tmp_path / "w", "pairA_dst.mp4", [0])
    weights = {name: tensor.copy() for name, tensor in recipe_weights("FAN").items()}
    _save(tmp_path / "home" / "facewright" / "weights", "2DFAN.npy", weights)
    options = {"detector": detector, "landmarks": "2dfan", "rotations": "none"}
    context = extract(root, second_pass=False, face_type="mark_only", **options)
    assert context.facts["faces"] == 1
    [face] = _done(root)[0]["faces"]
    assert face["spread"] is None
    # Weights of chance see nothing: their points fill the look, 2.05 mean sides of the box wide.
    data = data_of(faces(root)[0])
    assert data.source_rect is not None
    left, top, right, bottom = data.source_rect
    side_px = 200 * (right - left + bottom - top) / 195
    off = np.asarray(data.source_landmarks) - ((left + right) / 2, (top + bottom) / 2)
    assert np.abs(off).max() < side_px / 2 + 2
    assert np.ptp(off, axis=0).min() > side_px / 3
    assert len(list_images(Workspace(root).dst.aligned_debug)) == 1
    assert per_frame(root) == {1: 1}
