"""What a viewer of a manual extraction makes of events and wishes."""

from __future__ import annotations

import math

from engine.protocol.events import ManualFace, ManualRefused, ManualRun, ManualShown, ManualState
from engine.protocol.landmark_groups import GROUPS
from engine.protocol.manual_commands import (
    ManualCopy,
    ManualFill,
    ManualGo,
    ManualKeep,
    ManualLock,
    ManualPoints,
    ManualRectangle,
    ManualSkip,
    ManualSquare,
    ManualView,
)
from tuiapp.bridge.manual_desk import WINDOW_PX, ManualDesk, Points, Square

POINTS: Points = tuple((100.0 + n, 200.0 + 2 * n) for n in range(68))


def face(frame: int = 2, *, answered: int = 0, locked: bool = False, kept: bool = False) -> object:
    return ManualFace(
        frame=frame,
        answered=answered,
        source="file" if kept else "square",
        locked=locked,
        kept=kept,
        points=POINTS,
        corners=((0, 0), (9, 0), (9, 9), (0, 9)),
        square=(240.0, 240.0, 60.0, 0.0),
    )


def opened(*, locked: bool = False, kept: bool = False) -> ManualDesk:
    """At the third of six frames; the first is kept, the fourth skipped, the last has a face."""
    desk = ManualDesk()
    desk.heard(ManualShown(frame=2, name="00003.png", path="", width=480, height=480))
    runs = (("kept", 1), ("open", 2), ("skipped", 1), ("open", 1), ("known", 1))
    told = tuple(ManualRun(*run) for run in runs)
    desk.heard(ManualState(frame=2, runs=told, accurate=True))
    desk.heard(face(locked=locked, kept=kept))  # type: ignore[arg-type]
    return desk


def test_a_viewer_begins_by_asking_for_all() -> None:
    assert ManualDesk().greeting() == [ManualView()]


def test_the_square_follows_and_of_many_moves_the_newest_is_sent() -> None:
    desk = opened()
    for x in range(10):
        desk.square_to((100.0 + x, 50.0))
    assert desk.take_outbox() == [ManualSquare(2, 109.0, 50.0, 60.0, 0.0, 10)]
    assert desk.square == Square(109.0, 50.0, 60.0)


def test_a_locked_face_is_left_alone_by_the_square() -> None:
    desk = opened(locked=True)
    desk.square_to((10.0, 10.0))
    desk.resize(1)
    desk.roll(5)
    assert desk.take_outbox() == []


def test_until_a_frame_that_was_gone_to_is_known_the_square_moves_nothing() -> None:
    desk = opened()
    desk.go(1)
    desk.take_outbox()
    desk.square_to((10.0, 10.0))
    assert desk.take_outbox() == []


def test_the_square_grows_by_steps_of_its_size_and_singly_where_it_is_small() -> None:
    unit = 480 / WINDOW_PX
    assert math.isclose(Square(0, 0, 100 * unit).resized(1, 480).half_side, 110 * unit)
    assert math.isclose(Square(0, 0, 50 * unit).resized(-1, 480).half_side, 45 * unit)
    assert math.isclose(Square(0, 0, 30 * unit).resized(1, 480).half_side, 31 * unit)
    assert math.isclose(Square(0, 0, 6 * unit).resized(-9, 480).half_side, 5 * unit)
    assert Square(0, 0, 40 * unit).is_small(480) and not Square(0, 0, 41 * unit).is_small(480)


def test_lock_is_seen_at_once_and_an_older_answer_does_not_undo_it() -> None:
    desk = opened()
    desk.turn_lock((0.0, 0.0))
    desk.heard(face(answered=0))  # type: ignore[arg-type]
    assert desk.locked and desk.take_outbox() == [ManualLock(2, True)]


def test_letting_go_puts_the_square_where_the_cursor_is() -> None:
    desk = opened(locked=True)
    desk.turn_lock((300.0, 310.0))
    assert desk.take_outbox() == [
        ManualLock(2, False),
        ManualSquare(2, 300.0, 310.0, 60.0, 0.0, 1),
    ]


def test_a_free_rectangle_is_drawn_from_its_anchor_and_locked() -> None:
    desk = opened()
    desk.turn_rectangle((200.0, 220.0))
    desk.square_to((240.0, 230.0))
    assert desk.take_outbox() == [ManualRectangle(2, 200.0, 220.0, 40.0, 10.0, 1)]
    desk.turn_lock((240.0, 230.0))
    assert desk.anchor is None and desk.locked


def test_a_part_is_moved_together_seen_at_once_and_locked() -> None:
    desk = opened()
    for _ in range(3):  # the whole face, the jaw, the left brow
        desk.choose_part(1)
    assert desk.chosen == GROUPS["left brow"]
    desk.move_chosen(1.5, -2.0)
    moved = [n for n in range(68) if desk.points[n] != POINTS[n]]
    assert tuple(moved) == GROUPS["left brow"] and desk.locked
    assert desk.points[17] == (POINTS[17][0] + 1.5, POINTS[17][1] - 2.0)
    [command] = desk.take_outbox()
    assert isinstance(command, ManualPoints) and command.points == desk.points


def test_parts_come_round_to_none() -> None:
    desk = opened()
    seen = []
    for _ in range(9):
        seen.append(desk.part)
        desk.choose_part(1)
    assert seen == ["", "face", *GROUPS] and desk.part == ""
    desk.choose_part(-1)
    assert desk.part == "mouth"


def test_single_points_are_chosen_within_their_part() -> None:
    desk = opened()
    desk.choose_part(-1)
    desk.choose_point(1)
    assert desk.chosen == (48,)
    desk.choose_point(-1)
    assert desk.chosen == (67,)


def test_parts_are_scaled_and_turned_about_their_middle() -> None:
    desk = opened()
    desk.choose_part(1)
    desk.roll(90)
    middle = [sum(axis) / 68 for axis in zip(*POINTS, strict=True)]
    x, y = POINTS[0]
    turned = (middle[0] - (y - middle[1]), middle[1] + (x - middle[0]))
    assert math.dist(desk.points[0], turned) < 1e-9
    desk.roll(-90)
    desk.resize(1)
    far = math.dist(POINTS[0], middle)
    assert math.isclose(math.dist(desk.points[0], middle), 1.02 * far)


def test_moves_of_points_are_undone_one_by_one() -> None:
    desk = opened()
    desk.choose_part(1)
    desk.move_chosen(5.0, 0.0)
    once = desk.points
    desk.move_chosen(0.0, 5.0)
    desk.undo()
    assert desk.points == once
    desk.undo()
    assert desk.points == POINTS


def test_keeping_goes_to_the_next_frame_that_is_to_be_done() -> None:
    desk = opened()
    desk.keep()
    assert desk.take_outbox() == [ManualKeep(2, then=4)]
    assert desk.frame == 4 and desk.states[2] == "kept"
    desk.keep()
    assert desk.take_outbox() == [ManualKeep(4, then=4)]


def test_skipping_goes_on_too() -> None:
    desk = opened()
    desk.skip()
    assert desk.take_outbox() == [ManualSkip(2), ManualGo(4)] and desk.done == (3, 5)


def test_a_face_that_could_not_be_kept_brings_one_back_to_its_frame() -> None:
    desk = opened()
    desk.keep()
    desk.heard(ManualRefused(message="there are no landmarks to keep"))
    assert desk.take_outbox()[-1] == ManualView()
    desk.heard(face(2))  # type: ignore[arg-type]
    assert desk.frame == 2 and desk.refusals


def test_leaving_a_frame_by_other_ways_keeps_what_is_locked() -> None:
    desk = opened(locked=True)
    desk.go(1)
    assert desk.take_outbox() == [ManualGo(1, keeps=True)]
    desk.go(99)
    assert desk.frame == 5
    desk.go_open(-1)
    assert desk.frame == 4


def test_faces_of_frames_on_the_way_are_passed_over() -> None:
    desk = opened()
    desk.go(1)
    desk.go(0)
    desk.heard(face(1))  # type: ignore[arg-type]
    assert desk.face is None and desk.frame == 0
    desk.heard(face(0, locked=True, kept=True))  # type: ignore[arg-type]
    assert desk.is_kept and desk.locked


def test_copying_filling_and_following_are_asked_for() -> None:
    desk = opened()
    desk.copy()
    desk.fill("between")
    desk.fill("follow", 25)
    assert desk.take_outbox() == [
        ManualCopy(2),
        ManualFill(2, "between"),
        ManualFill(2, "follow", 25),
    ]
