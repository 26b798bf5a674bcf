"""What is drawn on a face, as a value: closed polygons and the one that is begun; and what each
touch of a pencil makes of it. Coordinates are pixels of the face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as struct_replace

from engine.protocol.label_commands import LabelPolygon, Polygons, in_file_order

XY = tuple[float, float]

# Points lie on 64ths of a pixel: finer than anyone points, and exact in a file's float32.
_PARTS_OF_PX = 64
FEWEST_POINTS = 3


@dataclass(frozen=True)
class Drawing:
    """polygons: closed ones, in a file's order. open: the one that is being drawn."""

    polygons: Polygons = ()
    open: LabelPolygon | None = None

    def begun(self, xy: XY, *, is_include: bool) -> Drawing:
        """With a polygon that begins there."""
        return replace(self, open=LabelPolygon(is_include, (exact(xy),)))

    def continued(self, xy: XY) -> Drawing:
        """With one more point of the open polygon; the same for a point on the last one."""
        if self.open is None or exact(xy) == self.open.points[-1]:
            return self
        points = (*self.open.points, exact(xy))
        return replace(self, open=struct_replace(self.open, points=points))

    @property
    def can_close(self) -> bool:
        return self.open is not None and len(self.open.points) >= FEWEST_POINTS

    def closed(self) -> Drawing:
        """With the open polygon among the others; the same if it has too few points."""
        if self.open is None or not self.can_close:
            return self
        return Drawing(in_file_order((*self.polygons, self.open)))

    def place(self, polygon: LabelPolygon) -> int | None:
        """Where that polygon is among the closed ones; None if it is not."""
        return self.polygons.index(polygon) if polygon in self.polygons else None

    def without(self, polygon: int) -> Drawing:
        return self.with_polygons(
            [one for place, one in enumerate(self.polygons) if place != polygon]
        )

    def with_polygons(self, polygons: Sequence[LabelPolygon]) -> Drawing:
        """With other closed polygons."""
        return replace(self, polygons=in_file_order(polygons))

    def turned(self, polygon: int) -> Drawing:
        """What included excludes now, and the reverse. Its place among the others changes."""
        one = self.polygons[polygon]
        other = struct_replace(one, is_include=not one.is_include)
        return self._with(polygon, other)

    def with_point(self, polygon: int, point: int, xy: XY) -> Drawing:
        """That point moved there."""
        points = list(self.polygons[polygon].points)
        points[point] = exact(xy)
        return self._with_points(polygon, points)

    def with_point_after(self, polygon: int, point: int, xy: XY) -> Drawing:
        """A new point behind that one."""
        points = list(self.polygons[polygon].points)
        points.insert(point + 1, exact(xy))
        return self._with_points(polygon, points)

    def without_point(self, polygon: int, point: int) -> Drawing:
        """That point taken out; the polygon goes with it if less than a triangle is left."""
        points = list(self.polygons[polygon].points)
        del points[point]
        if len(points) < FEWEST_POINTS:
            return self.without(polygon)
        return self._with_points(polygon, points)

    def _with_points(self, polygon: int, points: Sequence[XY]) -> Drawing:
        return self._with(polygon, struct_replace(self.polygons[polygon], points=tuple(points)))

    def _with(self, polygon: int, other: LabelPolygon) -> Drawing:
        polygons = list(self.polygons)
        polygons[polygon] = other
        return self.with_polygons(polygons)


@dataclass(frozen=True)
class Near:
    """What lies nearest: a polygon, its point (or the one that an edge begins at), how far away."""

    polygon: int
    point: int
    distance: float


def nearest_point(polygons: Polygons, xy: XY, among: int | None = None) -> Near | None:
    """The nearest point of all polygons, or of that one; None if there is none."""
    found = [
        Near(place, n, math.dist(point, xy))
        for place, polygon in enumerate(polygons)
        if among in (None, place)
        for n, point in enumerate(polygon.points)
    ]
    return min(found, key=lambda near: near.distance, default=None)


def nearest_edge(polygons: Polygons, xy: XY, among: int | None = None) -> Near | None:
    """The nearest edge of all polygons, or of that one; None if there is none."""
    found = [
        Near(place, n, _distance_to(xy, point, polygon.points[(n + 1) % len(polygon.points)]))
        for place, polygon in enumerate(polygons)
        if among in (None, place)
        for n, point in enumerate(polygon.points)
    ]
    return min(found, key=lambda near: near.distance, default=None)


def foot(polygons: Polygons, edge: Near, xy: XY) -> XY:
    """The point of that edge that is nearest to `xy`."""
    points = polygons[edge.polygon].points
    return _foot(xy, points[edge.point], points[(edge.point + 1) % len(points)])


def exact(xy: XY) -> XY:
    """The point as files can hold it."""
    return round(xy[0] * _PARTS_OF_PX) / _PARTS_OF_PX, round(xy[1] * _PARTS_OF_PX) / _PARTS_OF_PX


def _distance_to(xy: XY, start: XY, end: XY) -> float:
    return math.dist(xy, _foot(xy, start, end))


def _foot(xy: XY, start: XY, end: XY) -> XY:
    across, down = end[0] - start[0], end[1] - start[1]
    length = across**2 + down**2
    if length == 0:
        return start
    part = ((xy[0] - start[0]) * across + (xy[1] - start[1]) * down) / length
    part = min(1.0, max(0.0, part))
    return start[0] + part * across, start[1] + part * down
