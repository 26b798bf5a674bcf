"""The masks drawn by hand, and how masks are compared with them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from engine.faces.masks import hull_mask
from tests.bench.mask_faces import DRAWN, FACE_PX, MEDIA, FaceCutter, JudgedFace, judged_drawn
from tests.bench.masks import score
from tests.support.shared import shared_path

SHAPE_HW = (FACE_PX, FACE_PX)


def judged(before_columns: int) -> JudgedFace:
    region, before = np.zeros(SHAPE_HW, np.float32), np.zeros(SHAPE_HW, np.float32)
    region[:, :200] = 1
    before[:, :before_columns] = 1
    return JudgedFace("a clip", None, region, before)


def test_a_mask_that_keeps_all_that_hides_the_face_loses_nothing() -> None:
    one = judged(before_columns=50)
    found = score(one.region, one)
    assert (found.kept, found.lost) == (1, 0)
    assert found.iou == pytest.approx(150 / 200)


def test_a_mask_of_what_is_seen_is_right() -> None:
    one = judged(before_columns=50)
    found = score(one.region - one.before, one)
    assert (found.iou, found.kept, found.lost) == (1, 0, 0)


def test_a_mask_without_anything_loses_the_face() -> None:
    found = score(np.zeros(SHAPE_HW, np.float32), judged(before_columns=50))
    assert (found.iou, found.kept, found.lost) == (0, 0, 1)


def test_drawn_polygons_lie_in_their_frames_and_cover_a_part_of_the_face() -> None:
    for row in json.loads(DRAWN.read_text()):
        shared_path("media", row["clip"])
        video = cv2.VideoCapture(str(MEDIA / row["clip"]))
        width, height = video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)
        face = np.array(row["face"])
        assert face.min() >= 0
        assert (face.max(axis=0) <= (width, height)).all()
        left, top, wide, high = cv2.boundingRect(np.float32(face))
        assert any(
            (np.array(points) > (left, top)).all(axis=1).any()
            and (np.array(points) < (left + wide, top + high)).all(axis=1).any()
            for points in row["before"]
        )


@pytest.mark.slow
def test_the_hull_takes_what_hides_a_face_for_face() -> None:
    shared_path("media")
    found = list(judged_drawn(FaceCutter()))
    assert len(found) == len(json.loads(DRAWN.read_text()))
    hulls = [hull_mask(SHAPE_HW, one.face.data.landmarks) for one in found]
    kept = [score(hull, one).kept for hull, one in zip(hulls, found, strict=True)]
    assert np.mean(kept) > 0.8
