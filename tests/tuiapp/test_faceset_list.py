from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.errors import UsageError
from tuiapp.bridge.face_fields import FIELDS, Face, Field, parse_filter
from tuiapp.bridge.faceset_list import FacesetList
from tuiapp.bridge.faceset_words import current_line


def face(n: int, yaw: float | None = None, sharpness: float | None = None) -> Face:
    return Face(
        f"{n:05d}_0.jpg",
        (n, 7, 100 + n),
        source_filename=f"clip{n // 10}.png",
        yaw_rad=yaw,
        sharpness=sharpness,
    )


def field(name: str) -> Field:
    return next(field for field in FIELDS if field.name == name)


def listed(*faces: Face) -> FacesetList:
    state = FacesetList("src")
    state.replace(faces)
    return state


def numbers(state: FacesetList) -> list[int]:
    return [face.key[0] for face in state.shown]


def passing(text: str, *faces: Face) -> list[int]:
    state = listed(*faces)
    state.filter_by(text)
    return numbers(state)


def test_faces_stand_by_name_at_first() -> None:
    assert numbers(listed(face(2), face(10), face(1))) == [1, 2, 10]


def test_a_long_name_leaves_room_for_the_numbers() -> None:
    name = "A_film_of_2019_in_1080p_second_take_00123_0.jpg"
    line = current_line(listed(Face(name, (1, 2, 3), yaw_rad=0.1)))
    assert line == "1.  A_film_of_2019_in…ke_00123_0.jpg  yaw +6°"


def test_nothing_is_turned_by_minus_nought() -> None:
    assert current_line(listed(face(1, yaw=-0.004))) == "1.  00001_0.jpg  yaw +0°"


def test_faces_without_the_number_come_last_whichever_way_they_are_ordered() -> None:
    state = listed(face(1, yaw=0.2), face(2), face(3, yaw=-0.4), face(4, yaw=0.2))
    state.sort_by(field("yaw"))
    assert numbers(state) == [3, 1, 4, 2]
    state.reverse()
    assert numbers(state) == [1, 4, 3, 2]


def test_without_an_index_only_what_files_tell_is_gone_through() -> None:
    state = listed(face(1))
    names = []
    for _ in range(3):
        state.next_order(indexed=False)
        names.append(state.order.name)
    assert names == ["bytes", "name", "bytes"]


def test_the_cursor_stays_on_its_face_through_orders_and_filters() -> None:
    state = listed(*(face(n, yaw=-n / 10) for n in range(1, 6)))
    state.move_to(3)
    state.sort_by(field("yaw"))
    assert state.current == face(4, yaw=-0.4)
    for text in ("yaw<-2", "yaw<-2.", "yaw<-50", "yaw<-9"):
        state.filter_by(text)
    assert state.current == face(4, yaw=-0.4)


def test_the_cursor_goes_to_the_next_face_when_its_own_is_gone() -> None:
    state = listed(*map(face, range(1, 6)))
    state.move_to(2)
    state.replace(map(face, (1, 2, 5)))
    assert state.current == face(5)
    state.replace(map(face, (1, 2)))
    assert state.current == face(2)
    state.replace(())
    assert state.current is None
    state.move(1)
    state.move_rows(1, 3)
    assert state.cursor == 0


def test_rows_are_moved_in_columns_and_a_short_last_row_is_entered_at_its_end() -> None:
    state = listed(*map(face, range(1, 9)))
    state.move_to(2)
    state.move_rows(1, 3)
    assert state.cursor == 5
    state.move_rows(1, 3)
    assert state.cursor == 7
    state.move_rows(-9, 3)
    assert state.cursor == 1


def test_a_range_marks_from_where_it_began_to_the_cursor_either_way() -> None:
    state = listed(*map(face, range(1, 9)))
    state.move_to(5)
    state.start_range()
    state.move_to(2)
    assert not state.marks
    assert {key[0] for key in state.range_keys()} == {3, 4, 5, 6}
    state.toggle_mark()
    assert {key[0] for key in state.marks} == {3, 4, 5, 6}
    assert not state.in_range


def test_a_range_whose_start_is_filtered_away_marks_nothing() -> None:
    state = listed(*map(face, range(1, 9)))
    state.start_range()
    state.filter_by("!00001")
    assert state.range_keys() == set()


def test_marks_outlive_a_sort_that_renames_the_files_and_not_the_file_itself() -> None:
    state = listed(face(1), face(2))
    state.toggle_mark()
    state.replace([Face("00009.jpg", face(1).key), face(2)])
    assert [chosen.name for chosen in state.chosen()] == ["00009.jpg"]
    state.replace([face(2)])
    assert state.marks == set()


def test_without_marks_the_face_under_the_cursor_is_chosen() -> None:
    state = listed(face(1), face(2))
    state.move(1)
    assert state.chosen() == [face(2)]
    state.mark_shown()
    assert state.chosen() == [face(1), face(2)]
    state.mark_shown()
    assert state.chosen() == [face(2)]


def test_a_limit_shows_only_these_until_it_is_taken_away() -> None:
    state = listed(*map(face, range(1, 5)))
    state.limit_to([face(2).key, face(4).key], "marked")
    assert numbers(state) == [2, 4]
    state.limit_to(None)
    assert numbers(state) == [1, 2, 3, 4]


def test_filters_compare_numbers_by_the_beginning_of_their_names() -> None:
    faces = (face(1, 0.5, 20), face(2, 0.1, 80), face(3, -0.5, 90), face(4))
    assert passing("yaw>17", *faces) == [1]
    assert passing("yaw<17 SHARP>=80", *faces) == [2, 3]
    assert passing(f"yaw>{math.degrees(0.4)}deg", *faces) == [1]
    assert passing("bytes=103", *faces) == [3]


def test_other_words_must_be_in_the_name_or_the_frames_name() -> None:
    faces = (face(1), face(12), face(13))
    assert passing("clip1", *faces) == [12, 13]
    assert passing("CLIP1 !00013", *faces) == [12]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yaw>x", "'x' in 'yaw>x' is no number"),
        ("nose>1", "'nose' in 'nose>1' is no field"),
        ("b>1", "'b' in 'b>1' could be several fields"),
        ("sharp>20deg", "'20deg' in 'sharp>20deg' is no number"),
    ],
)
def test_what_no_filter_is_gets_told_and_changes_nothing(text: str, message: str) -> None:
    state = listed(face(1, 0.5), face(2, 0.1))
    state.filter_by("yaw>17")
    with pytest.raises(UsageError) as refused:
        state.filter_by(text)
    assert refused.value.message == message
    assert refused.value.remedy
    assert numbers(state) == [1]


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        tests = parse_filter(text)
    except UsageError:
        return
    assert all(isinstance(test(face(1)), bool) for test in tests)
