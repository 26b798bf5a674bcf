from __future__ import annotations

import numpy as np

from engine.faces.face_tracks import face_tracks
from tests.faces.landmarks import front_face


def at(x: float, y: float = 200.0, unit_px: float = 100.0) -> np.ndarray:
    return front_face(unit_px, (x, y))


def rows_of(frames: list[int], faces: list[np.ndarray], **more: object) -> list[list[int]]:
    tracks = face_tracks(frames, np.array(faces), **more)  # type: ignore[arg-type]
    return [track.rows.tolist() for track in tracks]


def test_two_faces_side_by_side_are_two_tracks_in_whatever_order_they_come() -> None:
    faces = [at(0), at(400), at(410), at(10), at(20), at(420)]
    assert rows_of([0, 0, 1, 1, 2, 2], faces) == [[0, 3, 4], [1, 2, 5]]


def test_a_track_goes_on_over_few_frames_without_the_face_and_ends_after_more() -> None:
    faces = [at(0), at(5), at(10)]
    assert rows_of([0, 3, 7], faces) == [[0, 1], [2]]
    assert rows_of([0, 3, 7], faces, max_gap_frames=3) == [[0, 1, 2]]


def test_a_cut_ends_every_track() -> None:
    assert rows_of([0, 1, 2], [at(0), at(0), at(0)], cuts=[2]) == [[0, 1], [2]]


def test_a_face_elsewhere_or_of_another_size_is_another() -> None:
    assert rows_of([0, 1], [at(0), at(90)]) == [[0], [1]]
    assert rows_of([0, 1], [at(0), at(-30, 150, unit_px=180)]) == [[0], [1]]


def test_a_face_that_rushes_by_a_tenth_of_its_size_is_followed() -> None:
    assert rows_of([0, 1, 2], [at(0), at(12), at(24)]) == [[0, 1, 2]]


def test_no_faces_are_no_tracks() -> None:
    assert face_tracks([], np.empty((0, 68, 2))) == []
