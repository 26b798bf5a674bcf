from __future__ import annotations

import dataclasses
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine import catalog
from engine.protocol.events import FaceBox, KeyMark, MergeRefused, MergeShown, MergeState
from engine.protocol.look import Look
from engine.protocol.look_options import MORPH_FACTOR
from engine.protocol.merge_commands import (
    MergeCommand,
    MergeCopy,
    MergeEdit,
    MergeGo,
    MergeKey,
    MergeProcess,
    MergeUndo,
    MergeView,
)
from engine.protocol.workspace import Workspace
from tests.models.dfm.made_dfm import made_dfm
from tuiapp.bridge import merge_sight
from tuiapp.bridge.merge_desk import MergeDesk, morphs


def shown(frame: int, answered: int = 0, **look: Any) -> MergeShown:
    return MergeShown(
        frame=frame,
        name=f"{frame:05d}.png",
        path="x.jpg",
        view="result",
        width=120,
        height=80,
        frame_width=120,
        frame_height=80,
        crop=(0, 0, 120, 80),
        look=asdict(Look()) | look,
        answered=answered,
        faces=(FaceBox("A", 10, 10, 50, 50),),
    )


def desk_at(frame: int = 0, frames: int = 10, **look: Any) -> MergeDesk:
    """A desk that a session has told of that frame."""
    desk = MergeDesk()
    desk.heard(MergeState(frames=frames, frame=frame, done=(frames,)))
    desk.heard(shown(frame, **look))
    return desk


def sent(desk: MergeDesk) -> list[MergeCommand]:
    """What is to be sent now, without its numbers."""
    return [replace(command, seq=0) for command in desk.take_outbox()]


def answer(desk: MergeDesk, frame: int, **look: Any) -> None:
    """The session shows what came of all that was sent."""
    desk.heard(shown(frame, answered=1000, **look))


def value(desk: MergeDesk, field: str) -> Any:
    assert desk.look is not None
    return desk.look[field]


def test_a_held_key_is_one_edit_with_the_last_value() -> None:
    desk = desk_at()
    for _ in range(20):
        desk.step("erode_mask_modifier", 5)
    assert value(desk, "erode_mask_modifier") == 100
    assert sent(desk) == [MergeEdit(0, {"erode_mask_modifier": 100})]
    assert sent(desk) == []


def test_values_stop_at_the_ends_of_their_ranges() -> None:
    desk = desk_at(blur_mask_modifier=398)
    desk.step("blur_mask_modifier", 5)
    assert value(desk, "blur_mask_modifier") == 400
    sent(desk)
    desk.step("blur_mask_modifier", 1)
    assert sent(desk) == []


def test_choices_go_round() -> None:
    desk = desk_at(color_transfer_mode="mix-m", mask_mode="full")
    desk.cycle("color_transfer_mode")
    desk.cycle("mask_mode")
    assert sent(desk) == [
        MergeEdit(0, {"color_transfer_mode": "none"}),
        MergeEdit(0, {"mask_mode": "dst"}),
    ]


def test_a_burst_of_several_keys_is_undone_key_by_key() -> None:
    """Also one that waited for the session's first picture, and then goes out at once."""
    desk = MergeDesk()
    desk.heard(MergeState(frames=10, frame=0, done=(10,)))
    for _ in range(3):
        desk.step("erode_mask_modifier", 1)
    desk.step("blur_mask_modifier", 5)
    desk.step("erode_mask_modifier", 1)
    desk.undo()
    answer(desk, 0)
    assert sent(desk) == [
        MergeEdit(0, {"erode_mask_modifier": 3}),
        MergeEdit(0, {"blur_mask_modifier": 5}),
        MergeEdit(0, {"erode_mask_modifier": 4}),
        MergeUndo(),
    ]


def test_histogram_keys_do_nothing_where_no_histogram_is_matched() -> None:
    desk = desk_at(mode="overlay")
    desk.step("hist_match_threshold", 1)
    desk.turn("masked_hist_match")
    assert sent(desk) == []
    desk.set("mode", "hist-match")
    desk.step("hist_match_threshold", 1)
    assert value(desk, "hist_match_threshold") == 239


def test_an_answer_to_an_older_edit_does_not_undo_what_is_wished() -> None:
    desk = desk_at()
    desk.step("erode_mask_modifier", 1)
    desk.step("erode_mask_modifier", 1)
    desk.heard(shown(0, answered=1, erode_mask_modifier=1))
    assert value(desk, "erode_mask_modifier") == 2
    desk.heard(shown(0, answered=2, erode_mask_modifier=2))
    desk.heard(shown(0, answered=2, erode_mask_modifier=7))  # another viewer changed it
    assert value(desk, "erode_mask_modifier") == 7


def test_a_refused_edit_is_taken_back() -> None:
    desk = desk_at()
    desk.step("erode_mask_modifier", 1)
    desk.heard(MergeRefused(command_seq=1, message="no"))
    assert value(desk, "erode_mask_modifier") == 0
    assert [refusal.message for refusal in desk.refusals] == ["no"]


def test_held_frame_keys_are_one_command() -> None:
    desk = desk_at()
    for _ in range(5):
        desk.go_by(1)
    assert sent(desk) == [MergeGo(5)]
    desk.heard(shown(2))  # on the way
    assert (desk.frame, desk.look) == (5, None)


def test_no_frame_is_gone_to_beyond_the_ends() -> None:
    desk = desk_at(frame=9)
    desk.go_by(1)
    desk.copy("next")
    assert sent(desk) == []
    desk.go_by(-100)
    assert sent(desk) == [MergeGo(0)]


def test_changes_wished_before_the_frame_is_known_are_made_to_its_own_look() -> None:
    desk = desk_at()
    desk.go_by(1)
    desk.step("erode_mask_modifier", 1)
    desk.step("erode_mask_modifier", 1)
    desk.go_by(1)
    assert sent(desk) == [MergeGo(1)]
    answer(desk, 1, erode_mask_modifier=40)
    assert sent(desk) == [
        MergeEdit(1, {"erode_mask_modifier": 42}),
        MergeGo(2),
    ]


def test_the_look_goes_along_when_it_is_given_on() -> None:
    desk = desk_at()
    desk.step("erode_mask_modifier", 3)
    desk.copy("next")
    desk.step("erode_mask_modifier", 1)
    assert sent(desk) == [
        MergeEdit(0, {"erode_mask_modifier": 3}),
        MergeCopy(0, "next"),
        MergeEdit(1, {"erode_mask_modifier": 4}),
    ]


def test_going_on_at_the_end_still_stops_rendering() -> None:
    desk = desk_at(frame=9)
    desk.process()
    assert sent(desk) == [MergeProcess(True)]
    desk.heard(MergeState(frames=10, frame=9, done=(10,), processing=True))
    desk.go_by(1)
    assert sent(desk) == [MergeGo(9)]


def test_a_key_is_set_and_taken_away_for_the_face_that_is_seen() -> None:
    desk = desk_at()
    desk.look_with(replace(desk.sight, track="A"))
    answer(desk, 0)
    sent(desk)
    desk.turn_key()
    assert sent(desk) == [MergeKey(0, "add", track="A")]
    keys = (KeyMark(0, "", "hold"), KeyMark(0, "A", "linear"))
    desk.heard(MergeState(frames=10, frame=0, done=(10,), keys=keys))
    desk.turn_key()
    assert desk.refusals == []
    desk.turn_goes_on()
    assert sent(desk) == [
        MergeKey(0, "remove", track="A"),
        MergeKey(0, "add", "smooth", track="A"),
    ]


def test_a_key_that_a_change_set_is_taken_away_only_when_that_is_asked_for_twice() -> None:
    desk = desk_at(frame=3)
    desk.turn_key()
    desk.step("erode_mask_modifier", 1)  # what the key holds from now on
    sent(desk)
    desk.heard(MergeState(frames=10, frame=3, done=(10,), keys=(KeyMark(3, "", "hold"),)))
    desk.turn_key()
    assert sent(desk) == []
    assert [refusal.message for refusal in desk.refusals] == [
        "the key of frame 4 holds the look that was set here"
    ]
    desk.turn_key()
    assert sent(desk) == [MergeKey(3, "remove")]


def test_asking_twice_is_asking_without_anything_in_between() -> None:
    desk = desk_at(frame=3)
    desk.heard(MergeState(frames=10, frame=3, done=(10,), keys=(KeyMark(3, "", "hold"),)))
    desk.turn_key()
    desk.step("erode_mask_modifier", 1)
    sent(desk)
    desk.turn_key()
    assert sent(desk) == []


def test_undo_waits_for_nothing_and_overtakes_nothing() -> None:
    desk = desk_at()
    desk.step("erode_mask_modifier", 1)
    desk.undo()
    assert [type(command) for command in sent(desk)] == [MergeEdit, MergeUndo]


def test_what_is_wished_after_an_undo_is_for_the_look_and_frame_that_it_brings_back() -> None:
    desk = desk_at(frame=4, erode_mask_modifier=9)
    desk.undo()
    desk.step("erode_mask_modifier", 1)
    desk.go_by(1)
    assert sent(desk) == [MergeUndo()]
    desk.heard(shown(4, erode_mask_modifier=9))  # from before
    assert sent(desk) == []
    desk.heard(shown(2, answered=1, erode_mask_modifier=5))
    assert sent(desk) == [MergeEdit(2, {"erode_mask_modifier": 6}), MergeGo(3)]


def test_a_held_undo_waits_for_no_answer() -> None:
    desk = desk_at()
    for _ in range(5):
        desk.undo()
    assert sent(desk) == [MergeUndo()] * 5


def test_a_key_is_picked_up_and_put_down_at_another_frame() -> None:
    desk = desk_at(frame=3)
    desk.carry_key()
    assert [refusal.message for refusal in desk.refusals] == ["frame 4 has no key to pick up"]
    desk.heard(MergeState(frames=10, frame=3, done=(10,), keys=(KeyMark(3, "", "linear"),)))
    desk.carry_key()
    assert desk.carried == KeyMark(3, "", "linear")
    desk.go_by(2)
    answer(desk, 5)
    desk.carry_key()
    assert desk.carried is None
    assert sent(desk) == [MergeGo(5), MergeKey(3, "move", to=5)]


def test_a_key_that_is_put_down_where_it_was_stays() -> None:
    desk = desk_at()
    desk.heard(MergeState(frames=10, frame=0, done=(10,), keys=(KeyMark(0, "", "hold"),)))
    desk.carry_key()
    desk.carry_key()
    assert (desk.carried, sent(desk)) == (None, [])


def test_the_frame_of_another_viewer_is_followed() -> None:
    desk = desk_at()
    desk.heard(shown(4, erode_mask_modifier=9))
    assert (desk.frame, value(desk, "erode_mask_modifier")) == (4, 9)


def test_nothing_is_wished_of_a_session_that_is_not_there_yet() -> None:
    desk = MergeDesk()
    desk.step("erode_mask_modifier", 1)
    desk.go_by(1)
    desk.undo()
    assert sent(desk) == []


def test_views_go_round_and_the_checkerboard_has_its_own_key() -> None:
    sight = MergeView()
    views = []
    for _ in merge_sight.VIEWS:
        sight = merge_sight.next_view(sight, 1)
        views.append(sight.view)
    assert views == ["wipe", "side", "mask", "original", "result"]
    assert merge_sight.turned_alpha(sight).view == "alpha"
    assert merge_sight.next_view(merge_sight.turned_alpha(sight), 1).view == "result"


def test_a_part_of_the_frame_is_moved_but_not_out_of_it() -> None:
    seen = replace(shown(0), crop=(0, 0, 60, 40))
    right = merge_sight.panned(MergeView(), seen, 1, 0)
    assert (right.centre_x, right.centre_y) == (0.35, 0.25)
    assert merge_sight.panned(MergeView(), seen, -1, -1).centre_x == 0.25
    whole = merge_sight.panned(MergeView(), shown(0), 1, 1)
    assert (whole.centre_x, whole.centre_y) == (0.5, 0.5)


def test_the_preview_scale_keeps_to_deepfacelabs_ends() -> None:
    sight = MergeView()
    for _ in range(50):
        sight = merge_sight.scaled(sight, 1)
    assert sight.scale == 4.0
    for _ in range(50):
        sight = merge_sight.scaled(sight, -1)
    assert sight.scale == 0.1


def test_the_morph_factor_is_a_setting_of_models_that_have_one() -> None:
    desk = desk_at()
    assert MORPH_FACTOR not in desk.rows
    desk.step("morph_factor", -5)
    assert (sent(desk), desk.changed_field) == ([], "")
    desk.has_morph_factor = True
    assert MORPH_FACTOR in desk.rows
    for _ in range(3):
        desk.step("morph_factor", -5)
    assert sent(desk) == [MergeEdit(0, {"morph_factor": 0.85})]


def test_whether_a_model_morphs_is_what_its_spec_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    first, *others = catalog.MODELS
    morphing = dataclasses.replace(first, id="morphing", has_morph_factor=True)
    monkeypatch.setattr(catalog, "MODELS", (morphing, *others))
    assert morphs(workspace, {"model_class": "morphing"})
    assert not morphs(workspace, {"model_class": others[0].id}) and not morphs(workspace, {})


def test_whether_a_ready_made_model_morphs_its_file_says(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    made_dfm(workspace.models / "one.dfm")
    made_dfm(workspace.models / "two.dfm", more_inputs={"morph_value:0": [1]})
    asked = [morphs(workspace, {"model": n, "model_class": "dfm"}) for n in ("one", "two", "no")]
    assert asked == [False, True, False]
