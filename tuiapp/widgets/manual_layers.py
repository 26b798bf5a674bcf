"""What lies over a frame whose face is placed by hand: landmarks, square, crop, chosen points."""

from __future__ import annotations

import math

from engine.protocol.landmark_groups import LINES
from tuiapp.bridge.manual_desk import ManualDesk, Points, Square
from tuiapp.graphics.frame import Rgb
from tuiapp.widgets.canvas_drawing import Dots, Layer, Stroke
from tuiapp.widgets.canvas_sight import XY

# DeepFaceLab's colours: landmarks green, cyan when locked; the crop red.
FREE_RGB: Rgb = (0, 235, 0)
LOCKED_RGB: Rgb = (0, 230, 235)
CROP_RGB: Rgb = (235, 60, 50)
SQUARE_RGB: Rgb = (240, 220, 90)
CHOSEN_RGB: Rgb = (255, 170, 0)
# The triangle at the crop's upper left corner, which shows where up is, in parts of its side.
UP_MARK = 0.1
POINT_PX, CHOSEN_PX = 2.5, 6.0
# Dark around each landmark: seen on skin, too, and where a palette has no room for pure green.
EDGE_RGB, EDGE_PX = (10, 20, 20), 1.0


def layers_of(desk: ManualDesk, cursor_xy: XY) -> list[Layer]:
    """All of it, the points on top. cursor_xy: where a free rectangle's edge is."""
    layers: list[Layer] = []
    if desk.face is not None:
        layers += _crop(desk.face.corners)
    if desk.square is not None and not desk.locked and desk.anchor is None:
        layers += _square(desk.square)
    if desk.anchor is not None:
        layers.append(Stroke((desk.anchor, cursor_xy), SQUARE_RGB, 2.0))
    return layers + _landmarks(desk)


def _landmarks(desk: ManualDesk) -> list[Layer]:
    points = desk.points
    if not points:
        return []
    rgb = LOCKED_RGB if desk.locked else FREE_RGB
    dim = (rgb[0] * 2 // 3, rgb[1] * 2 // 3, rgb[2] * 2 // 3)
    layers: list[Layer] = [
        Stroke(points[first : last + 1], dim, 1.0, closed=closed) for first, last, closed in LINES
    ]
    layers.append(Dots(points, EDGE_RGB, POINT_PX + EDGE_PX))
    layers.append(Dots(points, rgb, POINT_PX))
    if desk.chosen:
        layers.append(Dots(tuple(points[n] for n in desk.chosen), CHOSEN_RGB, CHOSEN_PX, True))
    return layers


def _crop(corners: Points) -> list[Layer]:
    if len(corners) != 4:
        return []
    (x, y), *others = corners[0], corners[1], corners[3]
    mark = tuple((x + UP_MARK * (ox - x), y + UP_MARK * (oy - y)) for ox, oy in others)
    return [
        Stroke(corners, CROP_RGB, 1.5, closed=True),
        Stroke(((x, y), *mark), CROP_RGB, 1.5, closed=True),
    ]


def _square(square: Square) -> list[Layer]:
    """The square, turned as its face, with a tick where up is."""
    cos, sin = math.cos(math.radians(square.roll_deg)), math.sin(math.radians(square.roll_deg))

    def at(across: float, down: float) -> XY:
        half = square.half_side
        return (
            square.x + half * (across * cos - down * sin),
            square.y + half * (across * sin + down * cos),
        )

    corners = (at(-1, -1), at(1, -1), at(1, 1), at(-1, 1))
    return [
        Stroke(corners, SQUARE_RGB, 1.0, closed=True, dashed=True),
        Stroke((at(0, -1), at(0, -0.85)), SQUARE_RGB, 1.5),
    ]
