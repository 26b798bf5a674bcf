"""What each command makes of a session's state."""

from __future__ import annotations

import pytest

from engine.protocol.errors import UsageError
from engine.protocol.look import Look
from engine.protocol.merge_commands import (
    MergeCommand,
    MergeCopy,
    MergeEdit,
    MergeGo,
    MergeKey,
    MergeNamed,
    MergeProcess,
    MergeRedo,
    MergeShot,
    MergeUndo,
    MergeView,
)
from engine.protocol.timeline import Timeline, look_at
from engine.protocol.undo import History
from engine.stages.merge_session.desk import SAME_STEP_S, Desk, carry_out

FRAMES = 10


def after(*commands: MergeCommand, start: Desk | None = None, apart_s: float = 60) -> Desk:
    """A session of ten frames after these commands."""
    desk = start or Desk(FRAMES, History(Timeline()))
    for number, command in enumerate(commands):
        desk = carry_out(desk, command, number * apart_s)
    return desk


def erode(frame: int, amount: int) -> MergeEdit:
    return MergeEdit(frame=frame, changes={"erode_mask_modifier": amount})


def eroded(desk: Desk) -> list[int]:
    return [look_at(desk.timeline, frame).erode_mask_modifier for frame in range(FRAMES)]


def test_an_edit_changes_its_frame_and_shows_it() -> None:
    desk = after(erode(4, 7))
    assert eroded(desk) == [0] * 4 + [7] * 6
    assert desk.frame == 4


def test_a_value_out_of_range_is_refused_with_its_range() -> None:
    with pytest.raises(UsageError, match="401") as refused:
        after(erode(4, 401))
    assert "-400 to 400" in refused.value.remedy


def test_a_frame_that_is_not_there_is_refused_with_the_numbers_there_are() -> None:
    for command in (MergeGo(frame=FRAMES), erode(-1, 3), MergeCopy(frame=99, to="next")):
        with pytest.raises(UsageError, match="no frame") as refused:
            after(command)
        assert "0 to 9" in refused.value.remedy


def test_a_track_that_no_face_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="track"):
        after(MergeEdit(frame=1, changes={"erode_mask_modifier": 1}, track="A person"))


def test_a_held_key_is_one_step_to_undo() -> None:
    held = after(*(erode(4, amount) for amount in range(1, 30)), apart_s=SAME_STEP_S / 2)
    assert eroded(held)[4] == 29
    undone = after(MergeUndo(), start=held)
    assert eroded(undone) == [0] * FRAMES
    assert eroded(after(MergeRedo(), start=undone)) == eroded(held)


def test_changes_that_lie_apart_are_undone_one_by_one() -> None:
    desk = after(erode(4, 1), erode(4, 2), erode(4, 3), MergeUndo())
    assert eroded(desk)[4] == 2


def test_changes_of_other_fields_or_frames_are_steps_of_their_own() -> None:
    blur = MergeEdit(frame=4, changes={"blur_mask_modifier": 5})
    desk = after(erode(4, 1), blur, erode(5, 1), apart_s=0)
    assert len(desk.history.past) == 3


def test_copying_goes_where_it_copies_to() -> None:
    start = after(erode(4, 7))
    goes = {"previous": 3, "next": 5, "before": 0, "after": 9}
    for to, frame in goes.items():
        assert after(MergeCopy(frame=4, to=to), start=start).frame == frame


def test_there_is_nothing_to_copy_to_before_the_first_and_after_the_last_frame() -> None:
    for frame, to in ((0, "previous"), (0, "before"), (9, "next"), (9, "after")):
        with pytest.raises(UsageError, match="there is no frame"):
            after(MergeCopy(frame=frame, to=to))


def test_copying_to_all_before_reaches_the_first_frame() -> None:
    assert eroded(after(erode(4, 7), MergeCopy(frame=4, to="before"))) == [7] * FRAMES


def test_whatever_changes_a_look_or_the_frame_ends_the_rendering_of_the_rest() -> None:
    processing = after(MergeProcess(on=True))
    assert processing.processing
    for command in (erode(4, 1), MergeGo(frame=3), MergeCopy(frame=4, to="next"), MergeUndo()):
        assert not after(command, start=processing).processing
    assert after(MergeView(view="mask"), start=processing).processing


def test_keys_are_added_lead_on_and_are_moved_and_removed() -> None:
    desk = after(MergeKey(frame=2, action="add", goes_on="linear"), erode(6, 8))
    assert eroded(desk)[2:7] == [0, 2, 4, 6, 8]
    moved = after(MergeKey(frame=6, action="move", to=4), start=desk)
    assert (moved.frame, eroded(moved)[2:5]) == (4, [0, 4, 8])
    assert eroded(after(MergeKey(frame=4, action="remove"), start=moved)) == [0] * FRAMES


def test_a_shot_is_cut_filled_and_joined() -> None:
    desk = after(MergeShot(frame=5, action="cut"), erode(6, 8), MergeShot(frame=6, action="fill"))
    assert eroded(desk) == [0] * 5 + [8] * 5
    assert desk.timeline.cuts == (5,)
    assert after(MergeShot(frame=5, action="join"), start=desk).timeline.cuts == ()


def test_a_shot_begins_with_the_look_that_is_made_its_start() -> None:
    desk = after(MergeShot(frame=5, action="cut"), erode(7, 8), MergeShot(frame=7, action="start"))
    assert eroded(desk) == [0] * 5 + [8] * 5


def test_named_looks_are_saved_applied_and_deleted() -> None:
    desk = after(erode(4, 7), MergeNamed(frame=4, action="save", name="soft"))
    assert dict(desk.timeline.names)["soft"] == Look(erode_mask_modifier=7)
    applied = after(MergeNamed(frame=1, action="apply", name="soft"), start=desk)
    assert eroded(applied)[1] == 7
    deleted = after(MergeNamed(frame=1, action="delete", name="soft"), start=applied)
    assert deleted.timeline.names == ()
    with pytest.raises(UsageError, match="no look named"):
        after(MergeNamed(frame=1, action="apply", name="soft"), start=deleted)


def test_views_that_no_picture_can_have_are_refused() -> None:
    for view in (
        MergeView(width=0),
        MergeView(height=100_000),
        MergeView(scale=0.01),
        MergeView(strip_frames=-1),
    ):
        with pytest.raises(UsageError):
            after(view)
