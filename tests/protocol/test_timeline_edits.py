"""Changes of looks over frames: for whom they are, and that each can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.errors import UsageError
from engine.protocol.look import Look
from engine.protocol.timeline import Key, Timeline, key_at, look_at
from engine.protocol.timeline_edits import (
    add_key,
    apply_name,
    copy_to_all_after,
    copy_to_all_before,
    copy_to_next,
    copy_to_previous,
    copy_to_shot,
    delete_name,
    move_key,
    redo,
    remove_key,
    save_name,
    set_cuts,
    set_look,
    set_shot_default,
    undo,
    visit,
)
from engine.protocol.undo import History
from tests.protocol.per_frame_looks import TRACKS, PerFrameLooks

FRAMES = 12
COPIES: dict[str, Callable[[Timeline, int], Timeline]] = {
    "next": copy_to_next,
    "previous": copy_to_previous,
    "before": copy_to_all_before,
    "after": copy_to_all_after,
}
frames = st.integers(0, FRAMES - 1)
tracks = st.sampled_from(TRACKS)
changes = st.one_of(
    st.fixed_dictionaries({"erode_mask_modifier": st.integers(0, 3)}),
    st.fixed_dictionaries({"mode": st.sampled_from(["overlay", "seamless"])}),
)
holding_edits = st.one_of(
    st.tuples(st.just("visit"), frames),
    st.tuples(st.just("set"), frames, changes, tracks),
    st.tuples(st.just("copy"), frames, st.sampled_from(sorted(COPIES))),
)
shots = st.sets(st.integers(1, FRAMES - 1), max_size=3).map(lambda cuts: tuple(sorted(cuts)))


def is_possible(edit: tuple[Any, ...]) -> bool:
    return edit[0] != "copy" or not (
        (edit[2] in ("previous", "before") and edit[1] == 0)
        or (edit[2] in ("next", "after") and edit[1] == FRAMES - 1)
    )


def edited(timeline: Timeline, edit: tuple[Any, ...]) -> Timeline:
    match edit:
        case "visit", frame:
            return visit(timeline, frame)
        case "set", frame, change, track:
            return set_look(timeline, frame, change, track)
        case "copy", frame, to:
            return COPIES[to](timeline, frame)
        case "add", frame, goes_on, track:
            return add_key(timeline, frame, goes_on, track)
        case "remove", frame, track:
            return remove_key(timeline, frame, track)
        case "move", frame, to, track:
            return move_key(timeline, frame, to, track)
        case "cuts", cuts:
            return set_cuts(timeline, cuts)
        case "shot", frame, erode:
            return set_shot_default(timeline, frame, Look(erode_mask_modifier=erode))
    raise AssertionError(edit)


all_edits = st.one_of(
    holding_edits.filter(is_possible),
    st.tuples(st.just("add"), frames, st.sampled_from(["", "hold", "linear", "smooth"]), tracks),
    st.tuples(st.just("remove"), frames, tracks),
    st.tuples(st.just("move"), frames, frames, tracks),
    st.tuples(st.just("cuts"), shots),
    st.tuples(st.just("shot"), frames, st.integers(-9, 9)),
)


@settings(max_examples=400, deadline=None)
@given(shots, st.lists(holding_edits.filter(is_possible), max_size=12))
def test_what_holds_is_what_deepfacelabs_copies_per_frame_would_be(
    cuts: tuple[int, ...], edits: list[tuple[Any, ...]]
) -> None:
    timeline, copies = set_cuts(Timeline(), cuts), PerFrameLooks(cuts)
    for edit in edits:
        timeline = edited(timeline, edit)
        match edit:
            case "visit", frame:
                copies.visit(frame)
            case "set", frame, change, track:
                copies.set_look(frame, change, track)
            case "copy", frame, to:
                copies.copy(frame, to)
    for frame in range(FRAMES):
        looks = {track: look_at(timeline, frame, track) for track in TRACKS}
        assert looks == copies.at(frame), frame


@settings(deadline=None)
@given(st.lists(all_edits, max_size=20))
def test_undoing_all_edits_gives_back_what_was_and_redoing_them_what_is(
    edits: list[tuple[Any, ...]],
) -> None:
    began = visit(Timeline(), 0, FRAMES)
    history = History(began)
    for edit in edits:
        history = history.changed(edited(history.present, edit))
    ended, count = history.present, len(history.past)
    for _ in range(count):
        history = undo(history)
    assert history.present == began
    assert undo(history) == history
    for _ in range(count):
        history = redo(history)
    assert history.present == ended
    assert redo(history) == history


@settings(deadline=None)
@given(st.lists(all_edits, max_size=20))
def test_keys_stay_sorted_and_one_to_a_place(edits: list[tuple[Any, ...]]) -> None:
    timeline = Timeline()
    for edit in edits:
        timeline = edited(timeline, edit)
    places = [key.place for key in timeline.keys]
    assert places == sorted(set(places))
    assert all(0 <= key.frame < FRAMES for key in timeline.keys)


def test_undoing_does_not_forget_what_was_visited() -> None:
    history = History(Timeline()).changed(set_look(Timeline(), 3, {"mode": "seamless"}))
    history = undo(history.amended(lambda timeline: visit(timeline, 4, 9)))
    assert history.present == Timeline(visited=((3, 9),))


def test_a_held_key_is_one_step_to_undo() -> None:
    history = History(Timeline())
    for erode in range(1, 20):
        changed = set_look(history.present, 0, {"erode_mask_modifier": erode})
        history = history.changed(changed, is_same_step=erode > 1)
    assert len(history.past) == 1
    assert look_at(undo(history).present, 0) == Look()


def test_an_edit_after_undoing_is_a_step_of_its_own() -> None:
    history = History(1).changed(2).changed(3).undo()
    assert history.changed(4, is_same_step=True) == History(4, (1, 2))


def test_a_change_on_the_way_between_keys_sets_a_key_on_that_way() -> None:
    timeline = add_key(Timeline(), 0, "linear")
    timeline = visit(set_look(timeline, 10, {"erode_mask_modifier": 10}), 0, 11)
    timeline = set_look(timeline, 5, {"erode_mask_modifier": 50})
    erosions = [look_at(timeline, frame).erode_mask_modifier for frame in range(12)]
    assert erosions == [0, 10, 20, 30, 40, 50, 42, 34, 26, 18, 10, 10]
    assert key_at(timeline, 5) == Key(5, "", Look(erode_mask_modifier=50), "linear")


def test_copying_onto_the_way_between_keys_leaves_the_rest_of_the_way_as_it_was() -> None:
    timeline = add_key(Timeline(), 0, "linear")
    timeline = set_look(timeline, 10, {"erode_mask_modifier": 100})
    timeline = copy_to_next(timeline, 2)
    erosions = [look_at(timeline, frame).erode_mask_modifier for frame in range(11)]
    assert erosions[3:] == [20, 40, 50, 60, 70, 80, 90, 100]


def test_a_new_look_for_one_face_leaves_the_others_keys_as_they_are() -> None:
    timeline = set_look(visit(Timeline(), 0, 9), 4, {"mode": "seamless"})
    one = set_look(timeline, 2, {"erode_mask_modifier": 7}, "b")
    assert [key for key in one.keys if key.track == ""] == list(timeline.keys)
    assert look_at(one, 2, "b") == Look(erode_mask_modifier=7)
    assert look_at(one, 3, "b") == Look()
    assert look_at(one, 4, "b").mode == "seamless"


def test_a_change_for_all_faces_keeps_what_else_is_one_faces_own() -> None:
    timeline = set_look(Timeline(), 0, {"erode_mask_modifier": 7}, "b")
    timeline = set_look(timeline, 3, {"mode": "seamless"})
    assert look_at(timeline, 3, "b") == Look(mode="seamless", erode_mask_modifier=7)
    assert look_at(timeline, 3, "a") == Look(mode="seamless")
    assert look_at(timeline, 2, "b") == Look(erode_mask_modifier=7)


def test_without_its_key_a_frame_goes_on_from_the_one_before() -> None:
    timeline = set_look(Timeline(), 5, {"mode": "seamless"})
    assert remove_key(timeline, 5) == replace(timeline, keys=())
    assert remove_key(timeline, 4) == timeline


def test_a_moved_key_replaces_the_one_that_it_comes_to() -> None:
    timeline = set_look(set_look(Timeline(), 2, {"mode": "seamless"}), 5, {"mode": "raw-rgb"})
    moved = move_key(timeline, 2, 5)
    assert [(key.frame, key.look.mode) for key in moved.keys] == [(5, "seamless")]


def test_a_shots_default_is_for_that_shot_alone_and_leaves_its_keys() -> None:
    timeline = set_cuts(visit(Timeline(), 0, 3), [4, 8])
    timeline = set_look(timeline, 6, {"mode": "raw-rgb"})
    timeline = set_shot_default(timeline, 7, Look(mode="seamless"))
    modes = [look_at(timeline, frame).mode for frame in range(10)]
    assert modes == ["overlay"] * 4 + ["seamless"] * 2 + ["raw-rgb"] * 4
    assert [key.frame for key in timeline.keys] == [4, 6]
    again = set_shot_default(timeline, 0, Look(mode="hist-match"))
    assert [look_at(again, frame).mode for frame in (0, 3, 4)] == [
        "hist-match",
        "hist-match",
        "seamless",
    ]


def test_a_shots_default_does_not_leak_into_the_next_shot() -> None:
    timeline = set_shot_default(set_cuts(Timeline(), [4]), 1, Look(mode="seamless"))
    assert [look_at(timeline, frame).mode for frame in (3, 4)] == ["seamless", "overlay"]


def test_a_shot_can_be_filled_with_one_look() -> None:
    timeline = visit(set_cuts(Timeline(), [3, 6]), 0, 9)
    timeline = set_look(set_look(timeline, 3, {"mode": "raw-rgb"}), 4, {"mode": "seamless"})
    timeline = copy_to_shot(timeline, 4)
    modes = [look_at(timeline, frame).mode for frame in range(7)]
    assert modes == ["overlay"] * 3 + ["seamless"] * 3 + ["overlay"]


def test_named_looks_are_saved_applied_and_deleted() -> None:
    look = Look(mode="seamless", blur_mask_modifier=40)
    timeline = save_name(save_name(Timeline(), "zoom", Look()), "night", look)
    assert [name for name, _ in timeline.names] == ["night", "zoom"]
    assert look_at(apply_name(timeline, 3, "night"), 3) == look
    assert delete_name(timeline, "zoom").names == (("night", look),)


@pytest.mark.parametrize("name", ["", "two\nlines", "x" * 61, "\ud800"])
def test_a_name_that_cannot_be_shown_on_a_line_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="printable"):
        save_name(Timeline(), name, Look())


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="'day'") as refused:
        apply_name(save_name(Timeline(), "night", Look()), 0, "day")
    assert "night" in refused.value.remedy


@pytest.mark.parametrize(
    ("change", "message"),
    [({"erode_mask_modifier": 401}, "-400 to 400"), ({"erosion": 3}, "unknown option --erosion")],
)
def test_what_no_look_can_have_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        set_look(Timeline(), 0, change)


def test_a_cut_that_is_found_again_stays_that_of_the_missing_frame() -> None:
    timeline = Timeline(cuts=(4, 8), missing_cuts=((4, "00005"),))
    assert set_cuts(timeline, [0, 4, 9]) == Timeline(cuts=(4, 9), missing_cuts=((4, "00005"),))
    assert set_cuts(timeline, [9]) == Timeline(cuts=(9,))
