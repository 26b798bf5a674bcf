"""Identities of real people, from real clips."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.detect.detection import Detection
from engine.detect.dlib_hog import HogDetector
from engine.detect.identity import IDENTITY_NUMBERS, identity_of_face
from engine.faces.face_file import encode_face_jpeg
from engine.faces.identity import cluster
from engine.protocol.face_likeness import SAME_PERSON
from tests.detect.media import clip_frames, landmarker

pytestmark = pytest.mark.slow


def identities(clip: str, frames: list[int]) -> np.ndarray:
    """Of all faces of these frames, left to right."""
    found = []
    for image in clip_frames(clip, frames):
        for face in sorted(_detector().detect([image])[0], key=_left):
            landmarks = landmarker().landmarks(image, face)
            assert landmarks is not None
            found.append(identity_of_face(encode_face_jpeg(image, 95), landmarks.points))
    return np.array(found)


@cache
def _detector() -> HogDetector:
    return HogDetector()


def _left(face: Detection) -> float:
    return face.box_ltrb[0]


def test_two_people_in_one_clip_are_two_people() -> None:
    vectors = identities("two_faces_large.mp4", [0, 60, 120, 179])
    assert vectors.shape == (8, IDENTITY_NUMBERS)
    labels = cluster(vectors)
    assert set(labels[0::2].tolist()) != set(labels[1::2].tolist())
    assert len(set(labels.tolist())) == 2


def test_a_person_is_recognised_in_another_clip() -> None:
    two = identities("two_faces_large.mp4", [30])
    alone = identities("pairA_src.mp4", [5])[0], identities("pairB_dst.mp4", [200])[0]
    for person, other in ((0, 1), (1, 0)):
        assert np.linalg.norm(two[person] - alone[person]) < SAME_PERSON
        assert np.linalg.norm(two[person] - alone[other]) > SAME_PERSON
