"""Nearly identical faces are found, the sharpest is kept; different ones are left alone."""

from __future__ import annotations

import cv2
import numpy as np

from engine.faces.duplicates import DuplicateGroup, find_duplicates
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_measures import measure
from tests.faces.face_files import face_data, picture


def found(images: list[np.ndarray]) -> list[DuplicateGroup]:
    faces = [measure(encode_face_jpeg(image, 95, face_data()), face_data()) for image in images]
    return find_duplicates(
        np.array([face.phash for face in faces], np.int64),
        np.stack([face.thumb_grey for face in faces]),
        np.array([face.sharpness for face in faces]),
    )


def test_copies_of_lower_quality_are_duplicates_and_the_sharpest_is_kept() -> None:
    image = picture(192, seed=5)
    sharper = cv2.addWeighted(image, 1.3, cv2.GaussianBlur(image, (0, 0), 2), -0.3, 0)
    poor = cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 60))[1], 1)
    smaller = cv2.resize(cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA), (192, 192))
    (group,) = found([picture(192, seed=6), smaller, sharper, image, poor, picture(192, seed=7)])
    assert {group.kept, *group.others} == {1, 2, 3, 4}
    assert 1 in group.others


def test_a_small_change_such_as_a_blink_is_no_duplicate() -> None:
    open_eyes = np.random.default_rng(1).integers(60, 200, (24, 24)).astype(np.uint8)
    blink, noise = open_eyes.copy(), open_eyes + 1
    blink[9:11, 6:8] += 30
    hashes, sharpness = np.zeros(2, np.int64), np.array([2.0, 1.0])
    assert find_duplicates(hashes, np.stack([open_eyes, blink]), sharpness) == []
    same = find_duplicates(hashes, np.stack([open_eyes, noise]), sharpness)
    assert same == [DuplicateGroup(0, (1,))]


def test_a_slow_change_is_not_one_group() -> None:
    start, end = picture(192, seed=8).astype(float), picture(192, seed=9).astype(float)
    steps = [((1 - t) * start + t * end).astype(np.uint8) for t in np.linspace(0, 1, 120)]
    groups = found(steps)
    assert len(groups) > 5
    spans = [np.ptp([group.kept, *group.others]) for group in groups]
    assert max(spans) < 30


def test_no_faces_have_no_duplicates() -> None:
    empty = np.empty(0)
    assert find_duplicates(empty.astype(np.int64), np.empty((0, 24, 24), np.uint8), empty) == []


def test_every_face_goes_to_its_own_twin() -> None:
    random = np.random.default_rng(2)
    thumbs = random.integers(0, 255, (300, 24, 24)).astype(np.uint8)
    hashes = random.integers(-(2**63), 2**63, 300)
    thumbs, hashes = np.concatenate([thumbs, thumbs]), np.concatenate([hashes, hashes])
    groups = find_duplicates(hashes, thumbs, np.arange(600.0))
    assert {(group.kept, *group.others) for group in groups} == {(i + 300, i) for i in range(300)}
