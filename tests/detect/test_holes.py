from __future__ import annotations

import numpy as np
import pytest

from engine.detect.detection import BoxLtrb, Detection
from engine.detect.dlib_hog import HogDetector
from engine.detect.holes import holes_filled
from engine.detect.search import face_at
from engine.detect.tracks import TrackedFrame
from tests.detect.media import clip_frames, mtcnn

pytestmark = pytest.mark.slow


def _face(x: float) -> Detection:
    return Detection((x, 0.0, x + 50.0, 50.0), 0.9)


def _frames(*faces: tuple[Detection, ...]) -> list[TrackedFrame[int]]:
    return [TrackedFrame(number, row, number > 0) for number, row in enumerate(faces)]


class _Seeker:
    """Finds a face at every expected box of the frames before `until`, and remembers where it was
    asked."""

    def __init__(self, until: int = 1000) -> None:
        self._until = until
        self.asked: list[tuple[int, list[BoxLtrb]]] = []

    def __call__(self, label: int, expected: list[BoxLtrb]) -> list[Detection]:
        self.asked.append((label, expected))
        return [Detection(box, 0.85) for box in expected if label < self._until]


def test_a_face_missing_between_two_frames_is_looked_for_halfway() -> None:
    seek = _Seeker()
    filled = list(holes_filled(_frames((_face(0),), (), (_face(10),)), seek))
    assert seek.asked == [(1, [(5.0, 0.0, 55.0, 50.0)])]
    assert [len(frame.faces) for frame in filled] == [1, 1, 1]


def test_three_missing_frames_are_filled_one_after_the_other() -> None:
    seek = _Seeker()
    filled = list(holes_filled(_frames((_face(0),), (), (), (), (_face(8),)), seek))
    assert [frame.faces[0].box_ltrb[0] for frame in filled] == [0, 2, 4, 6, 8]


def test_a_face_that_leaves_is_looked_for_where_it_was_until_it_stays_away() -> None:
    seek = _Seeker(until=3)
    filled = list(holes_filled(_frames((_face(0),), *[()] * 8), seek))
    assert [len(frame.faces) for frame in filled] == [1, 1, 1, *[0] * 6]
    assert [label for label, _ in seek.asked] == [1, 2, 3, 4, 5, 6]


def test_a_face_that_comes_is_looked_for_in_the_three_frames_before() -> None:
    seek = _Seeker()
    filled = list(holes_filled(_frames((), (), (), (), (), (_face(7),)), seek))
    assert [len(frame.faces) for frame in filled] == [0, 0, 1, 1, 1, 1]
    assert seek.asked[0] == (2, [(7.0, 0.0, 57.0, 50.0)])


def test_each_place_is_looked_at_once() -> None:
    seek = _Seeker(until=0)
    list(holes_filled(_frames((_face(0),), (), (_face(4),), (_face(8),)), seek))
    assert seek.asked == [(1, [(2.0, 0.0, 52.0, 50.0)])]


def test_nothing_is_looked_for_over_a_cut() -> None:
    seek = _Seeker()
    rows = [((_face(0),), False), ((), False), ((_face(0),), False)]
    frames = [TrackedFrame(number, row, follows) for number, (row, follows) in enumerate(rows)]
    assert [frame.label for frame in holes_filled(frames, seek)] == [0, 1, 2]
    assert seek.asked == []


@pytest.mark.parametrize("number", [8, 13, 16, 30])
def test_a_tilted_face_that_the_whole_frame_hides_is_found_close_up(number: int) -> None:
    before, frame, after = clip_frames("two_faces.mp4", [number - 1, number, number + 1])
    around = [mtcnn().detect([image])[0] for image in (before, after)]
    for face in around[0]:
        found = face_at(mtcnn(), frame, face.box_ltrb)
        assert found is not None
        np.testing.assert_allclose(found.box_ltrb, face.box_ltrb, atol=20)


def test_where_no_face_is_none_is_found_close_up() -> None:
    (frame,) = clip_frames("pairB_dst.mp4", [0])
    assert face_at(mtcnn(), frame, (50.0, 300.0, 150.0, 420.0)) is None
    assert face_at(mtcnn(), frame, (-40.0, -40.0, 5.0, 5.0)) is None


def test_a_face_cut_by_the_frames_edge_is_found_close_up() -> None:
    (frame,) = clip_frames("pairB_dst.mp4", [0])
    cut_through_the_brow = frame[:, 700:]
    found = face_at(mtcnn(), cut_through_the_brow, (0.0, 102.0, 182.0, 394.0))
    assert found is not None
    assert found.box_ltrb[0] >= 0


@pytest.mark.parametrize("clip_frame", [("pairB_dst.mp4", 0), ("occlusion_hand_eat.mkv", 20)])
def test_dlibs_classic_detector_finds_close_up_too(clip_frame: tuple[str, int]) -> None:
    (frame,) = clip_frames(clip_frame[0], [clip_frame[1]])
    (face,) = mtcnn().detect([frame])[0]
    assert face_at(HogDetector(upsample=1), frame, face.box_ltrb) is not None
