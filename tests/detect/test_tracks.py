from __future__ import annotations

from collections.abc import Iterator

from engine.detect.detection import Detection
from engine.detect.tracks import LASTING_FRAMES, TrackedFrame, without_false_faces


def _face(score: float, x: float = 0.0) -> Detection:
    return Detection((x, 0.0, x + 50.0, 50.0), score)


def _shot(*faces: tuple[Detection, ...]) -> list[TrackedFrame[int]]:
    return [TrackedFrame(number, row, number > 0) for number, row in enumerate(faces)]


def _counts(frames: list[TrackedFrame[int]]) -> list[int]:
    kept = list(without_false_faces(frames))
    assert [frame.label for frame in kept] == [frame.label for frame in frames]
    return [len(frame.faces) for frame in kept]


def test_a_face_that_comes_and_goes_unsurely_is_dropped() -> None:
    frames = _shot(*[(_face(0.99),)] * 5, (_face(0.99), _face(0.9, 300)), *[(_face(0.99),)] * 5)
    assert _counts(frames) == [1] * 11


def test_the_only_face_of_a_frame_is_kept_if_it_scores_0_95() -> None:
    assert _counts(_shot(*[(_face(score),) for score in (0.9, 0.96, 0.9, 0.9, 0.9)])) == [
        *(0, 1, 0, 0, 0)
    ]


def test_unsure_frames_of_a_face_that_is_sure_once_are_kept() -> None:
    scores = [0.82, 0.85, 0.81, 0.99, 0.83, 0.82]
    assert _counts(_shot(*[(_face(score),) for score in scores])) == [1] * 6


def test_a_face_that_is_never_sure_but_lasts_is_kept() -> None:
    assert _counts(_shot(*[(_face(0.85),)] * LASTING_FRAMES)) == [1] * LASTING_FRAMES
    assert _counts(_shot(*[(_face(0.85),)] * (LASTING_FRAMES - 1))) == [0] * (LASTING_FRAMES - 1)


def test_a_track_outlives_a_gap_of_three_frames_and_no_longer() -> None:
    one, none = (_face(0.85),), ()
    assert sum(_counts(_shot(one, none, none, none, (_face(0.99),)))) == 2
    assert sum(_counts(_shot(one, none, none, none, none, (_face(0.99),)))) == 1


def test_nothing_is_dropped_from_pictures_that_do_not_follow_each_other() -> None:
    frames = [TrackedFrame(number, (_face(0.81),), False) for number in range(20)]
    assert _counts(frames) == [1] * 20


def test_a_track_does_not_go_on_over_a_cut() -> None:
    before = [TrackedFrame(n, (_face(0.85),), n > 0) for n in range(8)]
    after = [TrackedFrame(8 + n, (_face(0.99),), n > 0) for n in range(8)]
    assert _counts(before + after) == [0] * 8 + [1] * 8


def test_two_faces_that_move_keep_their_own_tracks() -> None:
    frames = _shot(*[(_face(0.99, 5.0 * n), _face(0.85, 400 - 5.0 * n)) for n in range(9)])
    assert _counts(frames) == [1] * 9


def test_a_frame_waits_no_longer_than_its_faces_are_undecided() -> None:
    taken = []

    def frames() -> Iterator[TrackedFrame[int]]:
        for number in range(100):
            taken.append(number)
            yield TrackedFrame(number, (_face(0.99),), number > 0)

    next(without_false_faces(frames()))
    assert len(taken) == 1
