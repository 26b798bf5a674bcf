from __future__ import annotations

import struct

import pytest

from engine.protocol.label_commands import LabelPolygon, Polygons
from tuiapp.bridge.label_drawing import XY, Drawing, exact, nearest_edge, nearest_point
from tuiapp.bridge.label_pencil import LabelPencil

RADIUS = 2.0
SQUARE = ((10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0))
INCLUDE, EXCLUDE = LabelPolygon(True, SQUARE), LabelPolygon(False, ((50.0, 5.0), (60, 5), (55, 9)))


class Pencil(LabelPencil):
    """A pencil whose changes are counted: (drawing, belongs to the one before)."""

    def __init__(self, *polygons: LabelPolygon) -> None:
        self.changes: list[tuple[Drawing, bool]] = []
        super().__init__(lambda drawing, same: self.changes.append((drawing, same)))
        self.take(Drawing(polygons))

    def presses(self, *points: XY) -> None:
        for point in points:
            self.press(point, RADIUS)

    @property
    def polygons(self) -> Polygons:
        return self.drawing.polygons


def test_presses_draw_points_and_one_on_the_first_closes() -> None:
    pencil = Pencil()
    pencil.presses((1, 1), (20, 1), (20, 20))
    assert pencil.is_drawing and len(pencil.changes) == 3
    pencil.press((2, 2), RADIUS)
    assert not pencil.is_drawing
    assert pencil.polygons == (LabelPolygon(True, ((1, 1), (20, 1), (20, 20))),)


def test_two_points_are_not_closed_by_a_press_on_the_first() -> None:
    pencil = Pencil()
    pencil.presses((1, 1), (20, 1), (1, 1.5))
    assert pencil.drawing.open is not None and len(pencil.drawing.open.points) == 3


def test_a_point_on_the_last_one_is_none() -> None:
    pencil = Pencil()
    pencil.presses((1, 1), (1, 1))
    assert len(pencil.changes) == 1


def test_the_type_of_the_next_polygon_is_what_was_chosen_and_includes_come_first() -> None:
    pencil = Pencil()
    pencil.includes = False
    pencil.presses((1, 1), (20, 1), (20, 20), (1, 1))
    pencil.includes = True
    pencil.presses((40, 40), (50, 40), (50, 50), (40, 40))
    assert [polygon.is_include for polygon in pencil.polygons] == [True, False]


def test_a_press_on_a_wire_selects_and_one_elsewhere_deselects() -> None:
    pencil = Pencil(INCLUDE)
    pencil.press((20, 11), RADIUS)
    assert pencil.selected == 0
    pencil.press((80, 80), RADIUS)
    assert pencil.selected is None and not pencil.changes


def test_a_selected_point_is_dragged_in_one_step_of_undo() -> None:
    pencil = Pencil(INCLUDE)
    pencil.presses((20, 10), (30, 30))
    for at in ((31, 31), (32.5, 33), (34, 35)):
        pencil.drag(at)
    pencil.drop()
    pencil.drag((1, 1))
    assert pencil.polygons[0].points[2] == (34, 35)
    assert [same for _, same in pencil.changes] == [False, True, True]


def test_a_point_that_is_put_back_is_where_it_was() -> None:
    pencil = Pencil(INCLUDE)
    assert pencil.hold_nearest((29, 28)) == (30, 30)
    pencil.drag((50, 50))
    pencil.put_back()
    assert pencil.polygons == (INCLUDE,) and pencil.held is None


def test_in_the_points_mode_presses_insert_in_edges_and_remove_points() -> None:
    pencil = Pencil(INCLUDE)
    pencil.press((20, 10), RADIUS)
    pencil.edits_points = True
    pencil.press((20, 11), RADIUS)
    assert pencil.polygons[0].points[:3] == ((10, 10), (20, 11), (30, 10))
    pencil.drop()
    pencil.press((20, 11), RADIUS)
    assert pencil.polygons == (INCLUDE,) and pencil.selected == 0


def test_a_click_with_ctrl_is_as_in_that_mode() -> None:
    pencil = Pencil(INCLUDE)
    pencil.press((20, 10), RADIUS)
    pencil.press((30, 30), RADIUS, edits_points=True)
    assert pencil.polygons[0].points == ((10, 10), (30, 10), (10, 30))


def test_a_polygon_goes_when_less_than_a_triangle_is_left() -> None:
    pencil = Pencil(INCLUDE)
    pencil.select_next(1)
    pencil.remove_nearest((30, 30))
    pencil.remove_nearest((30, 10))
    assert pencil.polygons == () and pencil.selected is None


def test_inserting_takes_the_nearest_edge_and_holds_the_point() -> None:
    pencil = Pencil(INCLUDE, EXCLUDE)
    assert pencil.insert_nearest((19, 26)) == (19, 30)
    assert (pencil.selected, pencil.held) == (0, 3)
    pencil.drag((19, 40))
    assert pencil.polygons[0].points[3] == (19, 40)


def test_delete_takes_the_selected_polygon_or_the_begun_one() -> None:
    pencil = Pencil(INCLUDE, EXCLUDE)
    pencil.select_next(-1)
    pencil.delete()
    assert pencil.polygons == (INCLUDE,)
    pencil.press((70, 70), RADIUS)
    pencil.delete()
    assert not pencil.is_drawing and pencil.polygons == (INCLUDE,)
    pencil.delete()
    assert pencil.polygons == (INCLUDE,)


def test_a_turned_polygon_stays_selected_among_the_others() -> None:
    pencil = Pencil(INCLUDE, LabelPolygon(True, EXCLUDE.points))
    pencil.select_next(1)
    pencil.turn()
    assert [polygon.is_include for polygon in pencil.polygons] == [True, False]
    assert pencil.selected == 1 and pencil.polygons[1].points == SQUARE


def test_points_are_gone_through_in_both_directions() -> None:
    pencil = Pencil(INCLUDE)
    at = pencil.step_point((11, 12), 1)
    assert at == (10, 10)
    assert pencil.step_point((10, 10), 1) == (30, 10)
    assert pencil.step_point((10, 10), -1) == (10, 30)
    assert Pencil().step_point((0, 0), 1) is None


def test_undone_drawings_keep_the_selection_where_the_polygon_still_is() -> None:
    pencil = Pencil(INCLUDE, EXCLUDE)
    pencil.select_next(1)
    pencil.take(Drawing((EXCLUDE,)))
    assert pencil.selected is None
    pencil.select_next(1)
    pencil.take(Drawing((INCLUDE, EXCLUDE)))
    assert pencil.selected == 1


@pytest.mark.parametrize("xy", [(1 / 3, 100.12345), (511.999, 0.0), (1e-9, 77.77)])
def test_points_are_exact_in_float32(xy: XY) -> None:
    for at, wanted in zip(exact(xy), xy, strict=True):
        assert struct.unpack("<f", struct.pack("<f", at))[0] == at
        assert abs(at - wanted) <= 1 / 128


def test_the_nearest_of_several_polygons_is_found() -> None:
    point = nearest_point((INCLUDE, EXCLUDE), (54, 8.5))
    assert point is not None and (point.polygon, point.point) == (1, 2)
    edge = nearest_edge((INCLUDE, EXCLUDE), (9, 20))
    assert edge is not None and (edge.polygon, edge.point, edge.distance) == (0, 3, 1)
    assert nearest_point((), (0, 0)) is None and nearest_edge((), (0, 0)) is None
