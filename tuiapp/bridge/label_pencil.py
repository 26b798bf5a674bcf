"""The hand that draws: what is selected and held, and what a press at a point does. DeepFaceLab's
rules of its mask editor (pipeline specification 8.2), for keys and mouse alike."""

from __future__ import annotations

from collections.abc import Callable

from engine.protocol.label_commands import LabelPolygon, Polygons
from tuiapp.bridge.label_drawing import XY, Drawing, exact, foot, nearest_edge, nearest_point

# What a change of the drawing goes to: the drawing, and whether it belongs to the change before.
Changed = Callable[[Drawing, bool], None]


class LabelPencil:
    """selected: the polygon that is edited. held: its point that is moved. includes: whether the
    next polygon includes. edits_points: a press inserts and removes points."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self.drawing = Drawing()
        self.selected: int | None = None
        self.held: int | None = None
        self.includes = True
        self.edits_points = False
        self._before_held: Drawing | None = None

    @property
    def is_drawing(self) -> bool:
        """A polygon is begun."""
        return self.drawing.open is not None

    def take(self, drawing: Drawing) -> None:
        """Another drawing (of another face, or undone): what was selected stays if it is there."""
        chosen = self._chosen
        self.drawing = drawing
        self.held = self._before_held = None
        self.selected = drawing.place(chosen) if chosen is not None else None
        if self.selected is None or self.is_drawing:
            self.selected, self.edits_points = None, False

    @property
    def _chosen(self) -> LabelPolygon | None:
        if self.selected is None or self.selected >= len(self.drawing.polygons):
            return None
        return self.drawing.polygons[self.selected]

    # Presses

    def press(self, xy: XY, radius: float, *, edits_points: bool = False) -> None:
        """A press there; what lies within `radius` is meant. edits_points: as if in that mode."""
        if self.is_drawing:
            self._press_drawing(xy, radius)
        elif self.selected is None:
            self._press_idle(xy, radius)
        elif self.edits_points or edits_points:
            self._press_points(self.selected, xy, radius)
        else:
            self._press_editing(self.selected, xy, radius)

    def _press_drawing(self, xy: XY, radius: float) -> None:
        begun = self.drawing.open
        assert begun is not None
        first = nearest_point((begun,), xy)
        if self.drawing.can_close and first is not None:
            first = nearest_point((LabelPolygon(True, begun.points[:1]),), xy)
            if first is not None and first.distance <= radius:
                self.close()
                return
        self._change(self.drawing.continued(xy))

    def _press_idle(self, xy: XY, radius: float) -> None:
        edge = nearest_edge(self.drawing.polygons, xy)
        if edge is not None and edge.distance <= radius:
            self.selected = edge.polygon
        else:
            self._change(self.drawing.begun(xy, is_include=self.includes))

    def _press_points(self, polygon: int, xy: XY, radius: float) -> None:
        point = nearest_point(self.drawing.polygons, xy, polygon)
        edge = nearest_edge(self.drawing.polygons, xy, polygon)
        if point is not None and point.distance <= radius:
            self.remove_point(point.point)
        elif edge is not None and edge.distance <= radius:
            self._insert(polygon, edge.point, xy)

    def _press_editing(self, polygon: int, xy: XY, radius: float) -> None:
        point = nearest_point(self.drawing.polygons, xy, polygon)
        if point is not None and point.distance <= radius:
            self._hold(polygon, point.point)
            return
        edge = nearest_edge(self.drawing.polygons, xy)
        near = edge is not None and edge.distance <= radius
        self.selected = edge.polygon if near and edge is not None else None

    # Points

    def hold_nearest(self, xy: XY) -> XY | None:
        """Take hold of the nearest point, of the selected polygon if there is one; where it is."""
        point = nearest_point(self.drawing.polygons, xy, self.selected)
        if point is None or self.is_drawing:
            return None
        self._hold(point.polygon, point.point)
        return self.drawing.polygons[point.polygon].points[point.point]

    def _hold(self, polygon: int, point: int) -> None:
        self.selected, self.held = polygon, point
        self._before_held = self.drawing

    def drag(self, xy: XY) -> None:
        """Move the point that is held."""
        if self.selected is None or self.held is None:
            return
        moved = self.drawing.with_point(self.selected, self.held, xy)
        self._change(moved, is_same_step=self.drawing is not self._before_held)

    def drop(self) -> None:
        """Let go of it."""
        self.held = self._before_held = None

    def put_back(self) -> None:
        """Let go of it where it was."""
        if self._before_held is not None and self.held is not None:
            self._change(self._before_held, is_same_step=self.drawing is not self._before_held)
        self.drop()

    def insert_nearest(self, xy: XY) -> XY | None:
        """A point in the nearest edge of the selected polygon (or of any), held; where it is."""
        edge = nearest_edge(self.drawing.polygons, xy, self.selected)
        if edge is None or self.is_drawing:
            return None
        at = foot(self.drawing.polygons, edge, xy)
        self._insert(edge.polygon, edge.point, at)
        return exact(at)

    def _insert(self, polygon: int, after: int, xy: XY) -> None:
        self._change(self.drawing.with_point_after(polygon, after, xy))
        self.selected, self.held = polygon, after + 1
        self._before_held = self.drawing

    def remove_nearest(self, xy: XY) -> None:
        """Take out the nearest point of the selected polygon."""
        point = nearest_point(self.drawing.polygons, xy, self.selected)
        if point is not None and self.selected is not None:
            self.remove_point(point.point)

    def remove_point(self, point: int) -> None:
        """Take that point of the selected polygon out."""
        if self.selected is None:
            return
        self.drop()
        count = len(self.drawing.polygons)
        self._change(self.drawing.without_point(self.selected, point))
        if len(self.drawing.polygons) < count:
            self.deselect()

    def step_point(self, xy: XY, direction: int) -> XY | None:
        """The point after (1) or before (-1) the one nearest to `xy`, of the selected polygon or of
        all; None if there is none."""
        polygons = self.drawing.polygons
        points = [
            point
            for place, polygon in enumerate(polygons)
            if self.selected in (None, place)
            for point in polygon.points
        ]
        if not points:
            return None
        nearest = min(range(len(points)), key=lambda n: _far(points[n], xy))
        if _far(points[nearest], xy) > 1 / 32**2:
            return points[nearest]
        return points[(nearest + direction) % len(points)]

    # Polygons

    def close(self) -> None:
        """Close the polygon that is begun, if it has three points."""
        self._change(self.drawing.closed())

    def delete(self) -> None:
        """The selected polygon, or the one that is begun."""
        if self.is_drawing:
            self._change(Drawing(self.drawing.polygons))
        elif self.selected is not None:
            polygon = self.selected
            self.deselect()
            self._change(self.drawing.without(polygon))

    def turn(self) -> None:
        """The selected polygon excludes instead of including, or the reverse."""
        chosen = self._chosen
        if chosen is None or self.selected is None:
            return
        self.drop()
        turned = self.drawing.turned(self.selected)
        place = next(
            place
            for place, one in enumerate(turned.polygons)
            if one.points is chosen.points and one.is_include != chosen.is_include
        )
        self._change(turned)
        self.selected = place

    def select_next(self, direction: int) -> XY | None:
        """The next polygon, or the one before; its first point."""
        count = len(self.drawing.polygons)
        if not count or self.is_drawing:
            return None
        self.drop()
        start = -1 if direction > 0 else 0
        self.selected = ((start if self.selected is None else self.selected) + direction) % count
        return self.drawing.polygons[self.selected].points[0]

    def deselect(self) -> None:
        self.drop()
        self.selected, self.edits_points = None, False

    def set_polygons(self, polygons: Polygons) -> None:
        """Others in the place of all that are closed."""
        self.deselect()
        self._change(self.drawing.with_polygons(polygons))

    def _change(self, drawing: Drawing, *, is_same_step: bool = False) -> None:
        if drawing != self.drawing:
            self.drawing = drawing
            self._changed(drawing, is_same_step)


def _far(one: XY, other: XY) -> float:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2
