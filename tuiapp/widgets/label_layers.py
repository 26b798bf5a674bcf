"""How a mask that is being drawn looks over its face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.protocol.label_commands import LabelPolygon, Polygons
from tuiapp.bridge.label_pencil import LabelPencil
from tuiapp.graphics.frame import Rgb
from tuiapp.widgets.canvas_drawing import Dots, Fill, Layer, Stroke, Tint
from tuiapp.widgets.canvas_sight import XY

U8 = NDArray[np.uint8]
Colour = Literal["red", "green", "blue"]
View = Literal["face", "drawn", "applied"]

# DeepFaceLab's three schemes, for faces of any colour; softer, and never the colour of skin.
COLOURS: dict[Colour, Rgb] = {"red": (255, 70, 70), "green": (64, 230, 100), "blue": (80, 160, 255)}
WHITE: Rgb = (255, 255, 255)
BLACK: Rgb = (0, 0, 0)
FILL_ALPHA = 0.18
DIMMED_ALPHA = 0.5  # DeepFaceLab's
POINT_RADIUS_PX = 4.0  # DeepFaceLab's


@dataclass(frozen=True)
class Look:
    """How the face and its mask are seen; kept from face to face."""

    colour: Colour = "green"
    view: View = "face"
    overlay: bool = False
    hidden: bool = False


def outside_of(applied_u8: U8) -> Tint:
    """What is outside of the applied mask, dimmed."""
    return Tint(np.asarray(255 - applied_u8, np.uint8), BLACK, DIMMED_ALPHA)


def layers_of(pencil: LabelPencil, look: Look, cursor_xy: XY, outside: Tint | None) -> list[Layer]:
    """What lies over the face, the last one on top. outside: `outside_of` its applied mask."""
    layers: list[Layer] = [outside] if look.overlay and outside is not None else []
    if look.hidden:
        return layers
    rgb = COLOURS[look.colour]
    polygons = pencil.drawing.polygons
    layers.append(_filled(polygons, rgb))
    for place, polygon in enumerate(polygons):
        layers += _wire(polygon, rgb, is_selected=place == pencil.selected)
    if pencil.selected is not None:
        layers += _points(polygons[pencil.selected], pencil, rgb)
    if pencil.drawing.open is not None:
        layers += _begun(pencil.drawing.open, rgb, cursor_xy, pencil.drawing.can_close)
    return layers


def _filled(polygons: Polygons, rgb: Rgb) -> Fill:
    inside = tuple(polygon.points for polygon in polygons if polygon.is_include)
    outside = tuple(polygon.points for polygon in polygons if not polygon.is_include)
    return Fill(inside, rgb, FILL_ALPHA, outside)


def _wire(polygon: LabelPolygon, rgb: Rgb, *, is_selected: bool) -> list[Layer]:
    """Included areas are outlined solid, excluded ones dotted."""
    dashed, width = not polygon.is_include, 2.5 if is_selected else 1.5
    return [Stroke(polygon.points, rgb, width, closed=True, dashed=dashed)]


def _points(polygon: LabelPolygon, pencil: LabelPencil, rgb: Rgb) -> list[Layer]:
    layers: list[Layer] = [
        Dots(polygon.points, BLACK, POINT_RADIUS_PX + 1),
        Dots(polygon.points, WHITE if pencil.edits_points else rgb, POINT_RADIUS_PX),
    ]
    if pencil.held is not None:
        held = (polygon.points[pencil.held],)
        layers.append(Dots(held, WHITE, POINT_RADIUS_PX * 2, hollow=True))
    return layers


def _begun(polygon: LabelPolygon, rgb: Rgb, cursor_xy: XY, can_close: bool) -> list[Layer]:
    layers: list[Layer] = [
        Stroke(polygon.points, rgb, 2.0, dashed=not polygon.is_include),
        Stroke((polygon.points[-1], cursor_xy), WHITE, 1.0),
        Dots(polygon.points, rgb, POINT_RADIUS_PX - 1),
    ]
    if can_close:
        layers.append(Dots(polygon.points[:1], WHITE, POINT_RADIUS_PX * 2, hollow=True))
    return layers


def baked(polygons: Polygons, size_wh: tuple[int, int]) -> U8:
    """The mask as drawn, (h, w) uint8 0 or 255: as face files' readers paint it."""
    image = Image.new("L", size_wh)
    pencil = ImageDraw.Draw(image)
    for polygon in polygons:
        points = [(int(x), int(y)) for x, y in polygon.points]
        pencil.polygon(points, fill=255 if polygon.is_include else 0)
    return np.asarray(image)


def grey_as_rgb(grey_u8: U8) -> U8:
    """(h, w) as (h, w, 3)."""
    return np.repeat(grey_u8[..., None], 3, axis=2)
