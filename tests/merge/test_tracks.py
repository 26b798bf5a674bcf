"""Faces of several people are told apart through a shot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.merge.tracks import face_tracks
from tests.support.shared import shared_path

SHAPE = np.random.default_rng(1).uniform(0, 60, (68, 2))


def face(x: float, y: float = 100.0) -> NDArray[np.float64]:
    """Landmarks of a face of 60 px at that place."""
    return np.add(SHAPE, (x, y))


def tracks(frames: Sequence[Sequence[float]], cuts: Sequence[int] = ()) -> list[str]:
    """The letters of each frame's faces, given as where they are from left to right."""
    found = face_tracks([[face(x) for x in faces] for faces in frames], cuts)
    return ["".join(names) for names in found]


def test_the_leftmost_of_those_a_shot_begins_with_is_a() -> None:
    assert tracks([[300, 100], [102, 303], [306, 104]]) == ["ba", "ab", "ba"]


def test_who_comes_later_gets_the_next_letter_wherever_they_are() -> None:
    assert tracks([[300], [300, 100], [400, 300, 100]]) == ["a", "ab", "cab"]


def test_people_who_pass_each_other_keep_their_letters() -> None:
    frames = [[100 + 20 * step, 500 - 20 * step] for step in range(8)]
    assert tracks(frames) == ["ab"] * 8


def test_who_is_seen_again_near_to_where_they_were_lost_is_the_same() -> None:
    away = [[100, 500], *[[500]] * 20, [130, 500], [135, 500]]
    assert tracks(away) == ["ab", *["b"] * 20, "ab", "ab"]


def test_who_appears_elsewhere_is_somebody_else() -> None:
    assert tracks([[100, 500], *[[500]] * 20, [300, 500]])[-1] == "cb"


def test_letters_begin_anew_with_each_shot() -> None:
    assert tracks([[100, 500], [500], [500], [500, 100]], cuts=[2]) == ["ab", "b", "a", "ab"]


def test_a_shot_without_faces_and_one_beyond_the_last_frame_name_nobody() -> None:
    assert tracks([[100], [], [100]], cuts=[1, 2, 7]) == ["a", "", "a"]
    assert face_tracks([]) == []


def test_there_are_letters_for_any_crowd() -> None:
    crowd = [[200.0 * place for place in range(30)]]
    assert face_tracks([[face(x) for x in faces] for faces in crowd])[0][25:] == (
        "z",
        "aa",
        "ab",
        "ac",
        "ad",
    )


def test_two_faces_of_a_real_frame_are_two_tracks() -> None:
    fakes = np.load(shared_path("golden/merge/fakes.npz"))
    points = [fakes[name] for name in fakes.files if name.startswith("landmarks_B")]
    faces = [landmarks for each in points for landmarks in each.reshape(-1, 68, 2)]
    assert sorted(face_tracks([faces, faces[::-1]])[0]) == ["a", "b"]
    assert face_tracks([faces, faces[::-1]])[1] == face_tracks([faces])[0][::-1]


@pytest.mark.parametrize("count", [1, 3])
def test_a_faces_own_size_is_the_measure_of_what_is_near(count: int) -> None:
    small = [[SHAPE / 10 + 100], *[[]] * count, [SHAPE / 10 + 115]]
    assert face_tracks(small)[-1] == ("b",)
    assert face_tracks([[face(100)], *[[]] * count, [face(115)]])[-1] == ("a",)
