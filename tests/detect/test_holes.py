from __future__ import annotations

import numpy as np
import pytest

from engine.detect.detection import BoxLtrb, Detection
from engine.detect.holes import holes_filled
from engine.detect.search import face_at
from engine.detect.tracks import TrackedFrame
from tests.detect.media import clip_frames, mtcnn


def _face(x: float) -> Detection:
    return Detection((x, 0.0, x + 50.0, 50.0), 0.9)


def _frames(*faces: tuple[Detection, ...]) -> list[TrackedFrame[int]]:
    return [TrackedFrame(number, row, number > 0) for number, row in enumerate(faces)]


class _Seeker:
    """Finds a face at every expected box, and remembers where it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[BoxLtrb]]] = []

    def __call__(self, label: int, expected: list[BoxLtrb]) -> list[Detection]:
        self.asked.append((label, expected))
        return [Detection(box, 0.85) for box in expected]


def test_a_face_missing_between_two_frames_is_looked_for_halfway() -> None:
    seek = _Seeker()
    filled = list(holes_filled(_frames((_face(0),), (), (_face(10),)), seek))
    assert seek.asked == [(1, [(5.0, 0.0, 55.0, 50.0)])]
    assert [len(frame.faces) for frame in filled] == [1, 1, 1]


def test_three_missing_frames_are_filled_one_after_the_other() -> None:
    seek = _Seeker()
    filled = list(holes_filled(_frames((_face(0),), (), (), (), (_face(8),)), seek))
    assert [frame.faces[0].box_ltrb[0] for frame in filled] == [0, 2, 4, 6, 8]


def test_nothing_is_looked_for_where_a_face_comes_goes_or_stays_away_longer() -> None:
    seek = _Seeker()
    one, none = (_face(0),), ()
    assert len(list(holes_filled(_frames(none, one, one, none), seek))) == 4
    assert len(list(holes_filled(_frames(one, none, none, none, none, one), seek))) == 6
    assert seek.asked == []


def test_nothing_is_looked_for_over_a_cut() -> None:
    seek = _Seeker()
    frames = [TrackedFrame(0, (_face(0),), False), TrackedFrame(1, (), False)]
    frames += [TrackedFrame(2, (_face(0),), True)]
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
