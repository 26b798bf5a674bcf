"""What is drawn over a canvas's picture, and how: shapes in the picture's coordinates, rasterised
for the visible part only. Runs in the encoder thread."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tuiapp.graphics.frame import Rgb, Source
from tuiapp.widgets.canvas_sight import XY, Sight

U8 = NDArray[np.uint8]
Points = tuple[XY, ...]

# From this magnification on single pixels are of interest: no smoothing.
NEAREST_FROM_SCALE = 6.0
# Shapes are drawn at this multiple of the size and shrunk, for smooth edges.
_FINE = 2
_DASH_PX, _GAP_PX = 6.0, 5.0
CURSOR_ARM_PX, CURSOR_GAP_PX = 13.0, 4.0
_CURSOR_RGB, _CURSOR_EDGE_RGB = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Stroke:
    """A line through points; `width_px` in pixels of the screen."""

    points_xy: Points
    rgb: Rgb
    width_px: float = 2.0
    closed: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Dots:
    """A dot at each point, or a ring where `hollow`; `radius_px` in pixels of the screen."""

    points_xy: Points
    rgb: Rgb
    radius_px: float = 4.0
    hollow: bool = False


@dataclass(frozen=True)
class Fill:
    """What lies inside any of `inside` and in none of `outside`, tinted; `alpha` 0..1."""

    inside: tuple[Points, ...]
    rgb: Rgb
    alpha: float
    outside: tuple[Points, ...] = ()


@dataclass(frozen=True, eq=False)
class Tint:
    """A mask over the whole picture, (h, w) uint8 of any size: tinted where it is 255."""

    mask_u8: U8
    rgb: Rgb
    alpha: float


Layer = Stroke | Dots | Fill | Tint


@dataclass(frozen=True)
class Pen:
    """Pixels of the box per pixel of the screen, and the thinnest line that shows: both differ
    where the box is drawn in characters."""

    unit: float = 1.0
    thinnest: float = 1.0

    def px(self, screen_px: float) -> float:
        return max(self.thinnest, screen_px * self.unit)


@dataclass(frozen=True, eq=False)
class Scene:
    """All that one picture of a canvas is made of. cursor_xy: None for no cursor."""

    picture_rgb_u8: U8
    layers: tuple[Layer, ...]
    sight: Sight
    background_rgb: Rgb
    cursor_xy: XY | None = None
    pen: Pen = Pen()


class SceneSource(Source):
    """A scene as a view's source: drawn when it is encoded, and not at all if a newer one comes."""

    def __init__(self, scene: Scene, drawer: Drawer) -> None:
        super().__init__()
        self._scene = scene
        self._drawer = drawer
        self._drawn: U8 | None = None

    def rgb_u8(self) -> U8:
        if self._drawn is None:
            self._drawn = self._drawer.draw(self._scene)
        return self._drawn


class Drawer:
    """Draws scenes one after the other: what the last two had in common at the bottom (while the
    cursor moves: all but the last line) is not drawn again. Used by one thread at a time."""

    def __init__(self) -> None:
        self._last: Scene | None = None
        self._ground: Image.Image | None = None  # with the first `_ground_layers` of the last scene
        self._ground_layers = 0

    def draw(self, scene: Scene) -> U8:
        """The scene, (box height, box width, 3) uint8 RGB."""
        common = self._common_layers(scene)
        if self._ground is None or common < self._ground_layers:
            ground, drawn = _without_layers(scene), 0
        else:
            ground, drawn = self._ground, self._ground_layers
        for layer in scene.layers[drawn:common]:
            _draw_layer(ground, layer, scene.sight, scene.pen)
        self._last, self._ground, self._ground_layers = scene, ground, common
        image = ground.copy()
        for layer in scene.layers[common:]:
            _draw_layer(image, layer, scene.sight, scene.pen)
        if scene.cursor_xy is not None:
            _draw_cursor(image, scene.sight.to_box(scene.cursor_xy), scene.pen)
        return np.asarray(image)

    def _common_layers(self, scene: Scene) -> int:
        """How many layers are as in the last scene; the ground is forgotten where it differs."""
        last = self._last
        if last is None or _ground_of(last) != _ground_of(scene):
            self._ground, self._ground_layers = None, 0
            return 0
        pairs = zip(last.layers, scene.layers, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _ground_of(scene: Scene) -> tuple[object, ...]:
    """All that the picture below the layers depends on."""
    return id(scene.picture_rgb_u8), scene.sight, scene.background_rgb, scene.pen


def _without_layers(scene: Scene) -> Image.Image:
    image = Image.new("RGB", scene.sight.box_wh, scene.background_rgb)
    _paste_picture(image, Image.fromarray(scene.picture_rgb_u8), scene.sight)
    return image


def _paste_picture(image: Image.Image, picture: Image.Image, sight: Sight) -> None:
    part = _visible(sight)
    if part is not None:
        box, source = part
        image.paste(_scaled(picture, box, source, sight.scale), box[:2])


def _visible(
    sight: Sight,
) -> tuple[tuple[int, int, int, int], tuple[float, float, float, float]] | None:
    """The part of the picture that is seen: (left, top, right, bottom) in the box and exactly what
    of the picture lies there. None where nothing of it is."""
    start, end = sight.to_box((0, 0)), sight.to_box(sight.picture_wh)
    # A hundredth of a pixel is rounding, not a pixel that is only partly covered.
    left, top = (max(0, math.ceil(at - 0.01)) for at in start)
    right, bottom = (
        min(side, math.floor(at + 0.01)) for at, side in zip(end, sight.box_wh, strict=True)
    )
    if right <= left or bottom <= top:
        return None
    first = sight.clamped(sight.to_picture((left, top)))
    last = sight.clamped(sight.to_picture((right, bottom)))
    return (left, top, right, bottom), (*first, *last)


def _scaled(
    picture: Image.Image,
    box: tuple[int, int, int, int],
    source: tuple[float, float, float, float],
    scale: float,
) -> Image.Image:
    size = box[2] - box[0], box[3] - box[1]
    if scale >= NEAREST_FROM_SCALE:
        return picture.resize(size, Image.Resampling.NEAREST, box=source)
    gap = 2.0 if scale < 1 else None
    return picture.resize(size, Image.Resampling.BILINEAR, box=source, reducing_gap=gap)


def _draw_layer(image: Image.Image, layer: Layer, sight: Sight, pen: Pen) -> None:
    if isinstance(layer, Tint):
        _draw_tint(image, layer, sight)
    elif isinstance(layer, Fill):
        _draw_fill(image, layer, sight)
    elif isinstance(layer, Stroke):
        _draw_stroke(image, layer, sight, pen)
    else:
        _draw_dots(image, layer, sight, pen)


def _draw_tint(image: Image.Image, tint: Tint, sight: Sight) -> None:
    height, width = tint.mask_u8.shape
    part = _visible(sight)
    if part is None:
        return
    box, source = part
    across, down = width / sight.picture_wh[0], height / sight.picture_wh[1]
    left, top, right, bottom = source
    in_mask = (left * across, top * down, right * across, bottom * down)
    alpha = tint.alpha
    mask = _scaled(Image.fromarray(tint.mask_u8), box, in_mask, sight.scale / across)
    image.paste(tint.rgb, box, mask.point(lambda value: round(value * alpha)))


def _draw_fill(image: Image.Image, fill: Fill, sight: Sight) -> None:
    inside = [_placed(points, sight) for points in fill.inside if len(points) > 2]
    outside = [_placed(points, sight) for points in fill.outside if len(points) > 2]

    def paint(pencil: ImageDraw.ImageDraw, place: Callable[[Sequence[XY]], list[XY]]) -> None:
        for points in inside:
            pencil.polygon(place(points), fill=round(255 * fill.alpha))
        for points in outside:
            pencil.polygon(place(points), fill=0)

    _stencilled(image, [point for points in inside for point in points], 1, fill.rgb, paint)


def _draw_stroke(image: Image.Image, stroke: Stroke, sight: Sight, pen: Pen) -> None:
    points = _placed(stroke.points_xy, sight)
    if len(points) < 2:
        return
    if stroke.closed:
        points.append(points[0])
    width = pen.px(stroke.width_px)
    lines = _dashes(points, pen) if stroke.dashed else [points]

    def paint(pencil: ImageDraw.ImageDraw, place: Callable[[Sequence[XY]], list[XY]]) -> None:
        for line in lines:
            pencil.line(place(line), fill=255, width=round(width * _FINE), joint="curve")

    _stencilled(image, points, width, stroke.rgb, paint)


def _dashes(points: Sequence[XY], pen: Pen) -> list[list[XY]]:
    """The line cut into dashes that are as long everywhere, around corners too."""
    dash, gap = pen.px(_DASH_PX), pen.px(_GAP_PX)
    dashes: list[list[XY]] = []
    for start, end in itertools.pairwise(points):
        length = math.dist(start, end)
        if length == 0:
            continue
        for n in range(math.ceil(length / (dash + gap))):
            parts = [min(1.0, at / length) for at in (n * (dash + gap), n * (dash + gap) + dash)]
            dashes.append([_between(start, end, part) for part in parts])
    return dashes


def _between(start: XY, end: XY, part: float) -> XY:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _draw_dots(image: Image.Image, dots: Dots, sight: Sight, pen: Pen) -> None:
    points = _placed(dots.points_xy, sight)
    radius = pen.px(dots.radius_px)
    ring = round(pen.px(1.5) * _FINE)

    def paint(pencil: ImageDraw.ImageDraw, place: Callable[[Sequence[XY]], list[XY]]) -> None:
        far = radius * _FINE
        for x, y in place(points):
            around = (x - far, y - far, x + far, y + far)
            if dots.hollow:
                pencil.ellipse(around, outline=255, width=ring)
            else:
                pencil.ellipse(around, fill=255)

    _stencilled(image, points, radius, dots.rgb, paint)


def _draw_cursor(image: Image.Image, at: XY, pen: Pen) -> None:
    """A cross that leaves its middle free, white within black: seen on any picture."""
    arm, gap = pen.px(CURSOR_ARM_PX), pen.px(CURSOR_GAP_PX)
    ends = [(-arm, -gap), (gap, arm)]
    for width, rgb in ((pen.px(4.5), _CURSOR_EDGE_RGB), (pen.px(2.0), _CURSOR_RGB)):
        lines = [[(at[0] + a, at[1]), (at[0] + b, at[1])] for a, b in ends]
        lines += [[(at[0], at[1] + a), (at[0], at[1] + b)] for a, b in ends]

        def paint(
            pencil: ImageDraw.ImageDraw,
            place: Callable[[Sequence[XY]], list[XY]],
            lines: list[list[XY]] = lines,
            width: float = width,
        ) -> None:
            for line in lines:
                pencil.line(place(line), fill=255, width=max(1, round(width * _FINE)))

        _stencilled(image, [point for line in lines for point in line], width, rgb, paint)


def _placed(points_xy: Points, sight: Sight) -> list[XY]:
    return [sight.to_box(point) for point in points_xy]


def _stencilled(
    image: Image.Image,
    points: Sequence[XY],
    margin: float,
    rgb: Rgb,
    paint: Callable[[ImageDraw.ImageDraw, Callable[[Sequence[XY]], list[XY]]], None],
) -> None:
    """Paint `rgb` through a stencil that is drawn at twice the size, only as large as needed.

    points: what is drawn lies within `margin` around them. paint: draws in grey 0..255, at points
    as given by its second argument.
    """
    if not points:
        return
    reach = margin + 2
    left = max(0, math.floor(min(x for x, _ in points) - reach))
    top = max(0, math.floor(min(y for _, y in points) - reach))
    right = min(image.width, math.ceil(max(x for x, _ in points) + reach))
    bottom = min(image.height, math.ceil(max(y for _, y in points) + reach))
    if right <= left or bottom <= top:
        return
    stencil = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))

    def place(line: Sequence[XY]) -> list[XY]:
        return [((x - left) * _FINE - 0.5, (y - top) * _FINE - 0.5) for x, y in line]

    paint(ImageDraw.Draw(stencil), place)
    image.paste(rgb, (left, top, right, bottom), stencil.reduce(_FINE))
