from __future__ import annotations

from engine.protocol.events import (
    LabelsKept,
    LabelsRefused,
    LabelsShown,
    LabelsState,
    LabelsSuggested,
)
from engine.protocol.label_commands import (
    LabelPolygon,
    LabelsGo,
    LabelsSet,
    LabelsSuggest,
    LabelsTrash,
    LabelsUntrash,
    LabelsView,
    Polygons,
    labels_stamp,
)
from tuiapp.bridge.label_desk import LabelDesk
from tuiapp.bridge.label_drawing import XY

TRIANGLE = LabelPolygon(True, ((1.0, 1.0), (20.0, 1.0), (20.0, 20.0)))
OTHER = LabelPolygon(True, ((5.0, 1.0), (20.0, 1.0), (20.0, 20.0)))


def shown(face: int = 0, *polygons: LabelPolygon, open: LabelPolygon | None = None) -> LabelsShown:
    return LabelsShown(
        face=face,
        name=f"{face:05d}_0.jpg",
        path="",
        width=64,
        height=64,
        polygons=polygons,
        open=open,
    )


def state(*labelled: int, face: int = 0, suggested: tuple[int, ...] = ()) -> LabelsState:
    return LabelsState(faces=10, face=face, labelled=labelled or (10,), suggested=suggested)


def desk_at(face: int = 0, *polygons: LabelPolygon) -> LabelDesk:
    """A desk whose session shows that face."""
    desk = LabelDesk("src")
    desk.greeting()
    desk.heard(state(face=face))
    desk.heard(shown(face, *polygons))
    return desk


def draw(desk: LabelDesk, *points: XY) -> None:
    for point in points:
        desk.when_shown(lambda point=point: desk.pencil.press(point, 1.0))  # type: ignore[misc]


def sets(desk: LabelDesk) -> list[LabelsSet]:
    return [command for command in desk.take_outbox() if isinstance(command, LabelsSet)]


def kept(desk: LabelDesk, command: LabelsSet) -> None:
    stamp = labels_stamp(command.polygons)
    desk.heard(LabelsKept(name=command.name, command_seq=command.seq, stamp=stamp))


def polygons(desk: LabelDesk) -> Polygons:
    return desk.pencil.drawing.polygons


def test_every_press_is_sent_with_what_it_goes_over() -> None:
    desk = desk_at()
    sent: list[LabelsSet] = []
    for point in (*TRIANGLE.points, TRIANGLE.points[0]):
        draw(desk, point)
        sent += sets(desk)
    assert [len(one.open.points) if one.open else 0 for one in sent] == [1, 2, 3, 0]
    assert sent[-1].polygons == (TRIANGLE,)
    assert {one.over for one in sent} == {labels_stamp(())}
    draw(desk, (40, 40))
    assert sets(desk)[0].over == labels_stamp((TRIANGLE,))


def test_what_was_not_sent_yet_is_sent_as_one() -> None:
    desk = desk_at()
    draw(desk, *TRIANGLE.points, TRIANGLE.points[0], (40, 40))
    [one] = sets(desk)
    assert one.polygons == (TRIANGLE,) and one.over == labels_stamp(())


def test_it_is_kept_when_the_last_change_is_acknowledged() -> None:
    desk = desk_at()
    draw(desk, (1, 1))
    [first] = sets(desk)
    draw(desk, (2, 9))
    [second] = sets(desk)
    kept(desk, first)
    assert not desk.is_kept
    kept(desk, second)
    assert desk.is_kept


def test_what_was_not_acknowledged_is_sent_again_to_the_next_session() -> None:
    desk = desk_at()
    draw(desk, (1, 1))
    [first] = sets(desk)
    assert desk.greeting() == [first, LabelsView()]
    kept(desk, first)
    assert desk.greeting() == [LabelsView()]


def test_undo_and_redo_have_no_end_and_each_face_has_its_own() -> None:
    desk = desk_at()
    for n in range(300):
        draw(desk, (n, n % 7))
    assert desk.undo_depths == (300, 0)
    desk.heard(shown(1))
    assert desk.undo_depths == (0, 0)
    desk.heard(shown(0))
    for _ in range(400):
        desk.undo()
    assert desk.pencil.drawing.open is None and desk.undo_depths == (0, 300)
    for _ in range(400):
        desk.redo()
    assert desk.pencil.drawing.open is not None
    assert len(desk.pencil.drawing.open.points) == 300


def test_the_last_point_undone_removes_the_polygon() -> None:
    desk = desk_at()
    draw(desk, (1, 1), (9, 9))
    desk.undo()
    assert desk.pencil.is_drawing
    desk.undo()
    assert not desk.pencil.is_drawing
    assert sets(desk)[-1].open is None


def test_what_was_begun_in_an_earlier_session_goes_on() -> None:
    desk = desk_at()
    desk.heard(shown(1, open=LabelPolygon(False, ((1, 1), (9, 1)))))
    draw(desk, (9, 9), (1, 1))
    assert polygons(desk) == (LabelPolygon(False, ((1, 1), (9, 1), (9, 9))),)


def test_answers_on_the_way_do_not_take_a_newer_point_away() -> None:
    desk = desk_at()
    draw(desk, (1, 1))
    desk.heard(shown(0))
    assert desk.pencil.is_drawing


def test_what_something_else_changed_is_taken_and_one_can_undo_to_what_was_drawn() -> None:
    desk = desk_at(0, TRIANGLE)
    draw(desk, (40, 40))
    [sent] = sets(desk)
    desk.heard(LabelsRefused(command_seq=sent.seq, message="changed"))
    there = shown(0, OTHER)
    there.changed_elsewhere = True
    desk.heard(there)
    assert polygons(desk) == (OTHER,) and desk.is_kept
    desk.undo()
    assert polygons(desk) == (TRIANGLE,) and desk.pencil.is_drawing
    assert sets(desk)[-1].over == labels_stamp((OTHER,))


def test_what_could_not_be_written_stays_and_is_tried_with_the_next_change() -> None:
    desk = desk_at(0, TRIANGLE)
    draw(desk, (40, 40))
    [sent] = sets(desk)
    desk.heard(LabelsRefused(command_seq=sent.seq, message="the disk is full"))
    desk.heard(shown(0, TRIANGLE))
    assert desk.pencil.is_drawing and not desk.is_kept
    draw(desk, (41, 50))
    [again] = sets(desk)
    assert again.over == labels_stamp((TRIANGLE,)) and again.open is not None
    kept(desk, again)
    assert desk.is_kept


def test_refusals_are_there_to_be_told() -> None:
    desk = desk_at()
    desk.heard(LabelsRefused(command_seq=0, message="no face went to the trash"))
    assert [refusal.message for refusal in desk.refusals] == ["no face went to the trash"]


def test_presses_on_the_way_to_a_face_are_for_that_face() -> None:
    desk = desk_at()
    desk.go_by(1)
    draw(desk, (1, 1), (9, 1))
    assert desk.take_outbox() == [LabelsGo(1)]
    desk.heard(shown(0))
    assert not desk.pencil.is_drawing
    desk.heard(shown(1))
    [sent] = sets(desk)
    assert sent.name == "00001_0.jpg" and sent.open is not None and len(sent.open.points) == 2


def test_held_keys_go_to_the_face_that_they_add_up_to() -> None:
    desk = desk_at(3)
    for faces in (1, 1, 5, -1):  # there are ten
        desk.go_by(faces)
    assert desk.take_outbox() == [LabelsGo(8)]
    desk.go_by(100)
    assert desk.face == 9


def test_jumps_go_to_labelled_and_unlabelled_faces() -> None:
    desk = desk_at(4)
    desk.heard(state(2, 1, 4, 2, 1, face=4))
    assert desk.labelled == [2, 7, 8]
    assert desk.go_among("labelled", 1) and desk.face == 7
    assert desk.go_among("labelled", -1) and desk.face == 2
    assert desk.go_among("unlabelled", -1) and desk.face == 1
    assert not desk.go_among("labelled", -1)


def test_suggested_faces_are_gone_to_best_first_without_those_that_are_done() -> None:
    desk = desk_at(0)
    desk.heard(state(2, 1, 7, face=0, suggested=(5, 2, 8)))
    assert desk.go_among("suggested", 1) and desk.face == 5
    assert desk.go_among("suggested", 1) and desk.face == 8
    assert not desk.go_among("suggested", 1)
    assert desk.go_among("suggested", -1) and desk.face == 5


def test_suggestions_are_drawn_as_one_change() -> None:
    desk = desk_at(0, OTHER)
    desk.suggest("hairline")
    assert desk.asked == "hairline"
    assert desk.take_outbox() == [LabelsSuggest("00000_0.jpg", "hairline")]
    desk.heard(LabelsSuggested(name="00000_0.jpg", how="hairline", polygons=(TRIANGLE,)))
    assert polygons(desk) == (TRIANGLE,) and desk.asked is None
    desk.undo()
    assert polygons(desk) == (OTHER,)


def test_a_suggestion_for_another_face_is_dropped() -> None:
    desk = desk_at(0)
    desk.suggest("landmarks")
    desk.heard(shown(1))
    desk.heard(LabelsSuggested(name="00000_0.jpg", how="landmarks", polygons=(TRIANGLE,)))
    assert polygons(desk) == ()


def test_trash_and_restore_wait_for_the_face_that_follows() -> None:
    desk = desk_at(3)
    desk.trash()
    draw(desk, (1, 1))
    assert desk.take_outbox() == [LabelsTrash("00003_0.jpg")]
    desk.heard(shown(4))
    assert desk.pencil.is_drawing
    desk.take_outbox()
    desk.untrash()
    assert desk.take_outbox() == [LabelsUntrash()]


def test_the_first_face_may_be_named() -> None:
    desk = LabelDesk("src")
    desk.begin_at("00005_0.jpg")
    assert desk.greeting() == [LabelsGo(name="00005_0.jpg"), LabelsView()]
    assert desk.greeting() == [LabelsView()]


def test_nothing_is_drawn_on_a_face_that_cannot_be_read() -> None:
    desk = desk_at(0)
    broken = shown(1)
    broken.trouble = "it is no face"
    desk.heard(broken)
    draw(desk, (1, 1))
    assert not sets(desk)
    desk.trash()
    assert desk.take_outbox() == [LabelsTrash("00001_0.jpg")]
