"""What is measured of a face changes with the face as it should."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_measures import measure
from engine.protocol.errors import InputError
from tests.faces.face_files import face_data, picture, plain_jpeg, with_exif_orientation


def measured(image: np.ndarray, **changes: Any) -> Any:
    data = face_data(**changes)
    return measure(encode_face_jpeg(image, 95, data), data)


def noisy() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)


def test_a_blurred_face_is_less_sharp() -> None:
    sharp, blurred = noisy(), cv2.GaussianBlur(noisy(), (0, 0), 2)
    assert measured(blurred).sharpness < measured(sharp).sharpness / 10


def test_what_lies_outside_the_face_does_not_make_it_sharp() -> None:
    image = np.full((64, 64, 3), 128, np.uint8)
    image[:6] = noisy()[:6]
    assert measured(image).sharpness < 1


def test_an_exif_orientation_turns_no_face_away_from_its_landmarks() -> None:
    image = np.full((64, 64, 3), 60, np.uint8)
    image[:, 32:] = 180
    data = face_data()
    plain = encode_face_jpeg(image, 95, data)
    turned = with_exif_orientation(plain, 6)
    assert measure(turned, data).light_side == measure(plain, data).light_side > 0.3


def test_light_from_a_side_and_its_level_are_seen() -> None:
    image = np.full((64, 64, 3), 60, np.uint8)
    image[:, 32:] = 180
    face = measured(image)
    assert face.light_side == pytest.approx(0.5, abs=0.08)
    assert face.brightness == pytest.approx(120 / 255, abs=0.05)
    assert measured(image[:, ::-1]).light_side == pytest.approx(-0.5, abs=0.08)


def test_an_open_mouth_is_seen() -> None:
    landmarks = face_data().landmarks.copy()
    landmarks[65:68, 1] = landmarks[61:64, 1]
    assert measured(picture(), landmarks=landmarks).mouth_open == pytest.approx(0, abs=0.02)
    nose = np.hypot(*(landmarks[33] - landmarks[27]))
    landmarks[65:68, 1] += nose / 2
    assert measured(picture(), landmarks=landmarks).mouth_open == pytest.approx(0.5, abs=0.02)


def test_the_hash_is_shared_by_pictures_that_look_the_same_only() -> None:
    image = cv2.GaussianBlur(noisy(), (0, 0), 3)
    worse = cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 40))[1], 1)

    def bits_apart(one: np.ndarray, other: np.ndarray) -> int:
        return ((measured(one).phash ^ measured(other).phash) & (1 << 64) - 1).bit_count()

    assert bits_apart(image, worse) <= 4
    assert bits_apart(image, picture(seed=4)) >= 16


def test_a_picture_that_claims_to_be_huge_is_refused_unread() -> None:
    jpeg = bytearray(plain_jpeg())
    frame_header = jpeg.index(b"\xff\xc0")
    jpeg[frame_header + 5 : frame_header + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(InputError, match="65535"):
        measure(bytes(jpeg), face_data())
