"""A picture to work on: seen closer and from elsewhere, pointed at by keys or mouse, drawn over.

It speaks in coordinates of its picture (see `tuiapp.widgets.canvas_sight`) and knows nothing of
what is edited: screens give layers and act on its messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.message import Message

from tuiapp.graphics import textual_hooks
from tuiapp.graphics.encode import box_px, cell_box_px
from tuiapp.graphics.frame import Fit, Target
from tuiapp.graphics.view import PixelView
from tuiapp.widgets.canvas_drawing import Drawer, Layer, Pen, Scene, SceneSource
from tuiapp.widgets.canvas_sight import XY, Sight

Button = Literal[1, 2, 3]  # left, middle, right
# Where characters make the picture, thinner than half a cell's quarter does not show.
_THINNEST_SAMPLES = 1.5


class Canvas(PixelView):
    """Shows `set_picture` with `set_layers` over it and a cursor, all of them by `sight`.

    wheel_zooms: the wheel zooms about the pointer, else it is only told. pans_with: the button that
    drags the picture along; it is not told. locks_view: the cursor stays in the middle.
    """

    class PointMessage(Message):
        """x, y: in pixels of the picture, 0..its size; of a press outside, what is nearest."""

        def __init__(self, canvas: Canvas, xy: XY) -> None:
            super().__init__()
            self.canvas = canvas
            self.x, self.y = xy

        @property
        def control(self) -> Canvas:
            return self.canvas

        @property
        def xy(self) -> XY:
            return self.x, self.y

    class CursorMoved(PointMessage):
        """By the mouse or by keys."""

    class _ButtonMessage(PointMessage):
        def __init__(self, canvas: Canvas, xy: XY, button: int, event: events.MouseEvent) -> None:
            super().__init__(canvas, xy)
            self.button = button
            self.shift, self.ctrl, self.alt = event.shift, event.ctrl, event.meta

    class Pressed(_ButtonMessage):
        """A mouse button; the canvas hears the mouse until it is released."""

    class Dragged(_ButtonMessage):
        """The mouse moved with the button down."""

    class Released(_ButtonMessage):
        """The button that was pressed."""

    class Wheel(PointMessage):
        """up: away from the user. Modifiers as for buttons."""

        def __init__(self, canvas: Canvas, xy: XY, event: events.MouseEvent) -> None:
            super().__init__(canvas, xy)
            self.up = isinstance(event, events.MouseScrollUp)
            self.shift, self.ctrl, self.alt = event.shift, event.ctrl, event.meta

    def __init__(
        self,
        *,
        wheel_zooms: bool = True,
        pans_with: Button | None = 2,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(fit=Fit.ACTUAL, id=id, classes=classes)
        self.wheel_zooms = wheel_zooms
        self.pans_with = pans_with
        self.locks_view = False
        self._picture: NDArray[np.uint8] | None = None
        self._layers: tuple[Layer, ...] = ()
        self._sight = Sight((1, 1), (1, 1))
        self._cursor_xy: XY | None = None
        self._shows_cursor = True
        self._pressed: int | None = None
        self._held_xy: XY | None = None
        self._stale = False
        self._drawer = Drawer()

    # What is shown

    def set_picture(self, rgb_u8: NDArray[np.uint8]) -> None:
        """Another picture, (h, w, 3) uint8 RGB, not changed afterwards. Seen as the one before; the
        cursor starts in the middle."""
        height, width = rgb_u8.shape[:2]
        before = self._picture
        self._picture = rgb_u8
        self._sight = self._sight.fitted((width, height), self._sight.box_wh)
        if before is None or self._cursor_xy is None:
            self._cursor_xy = width / 2, height / 2
        elif before.shape != rgb_u8.shape:
            across, down = width / before.shape[1], height / before.shape[0]
            self._cursor_xy = self._cursor_xy[0] * across, self._cursor_xy[1] * down
        self.redraw()

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """What lies over the picture, the last one on top. The same ones again are not drawn."""
        if tuple(layers) != self._layers:
            self._layers = tuple(layers)
            self.redraw()

    @property
    def shows_cursor(self) -> bool:
        return self._shows_cursor

    @shows_cursor.setter
    def shows_cursor(self, shows: bool) -> None:
        self._shows_cursor = shows
        self.redraw()

    @property
    def cursor_xy(self) -> XY:
        return self._cursor_xy or (0.0, 0.0)

    @property
    def sight(self) -> Sight:
        """Which part is seen; `sight.scale` holds in pixels of the box (see `screen_px`)."""
        return self._sight

    def screen_px(self, picture_px: float) -> float:
        """So many pixels of the picture in pixels of the screen (of a cell as large as the
        terminal's, where the picture is drawn in characters)."""
        return picture_px * self._sight.scale / self._pen().unit

    def picture_px(self, screen_px: float) -> float:
        """The reverse of `screen_px`."""
        return screen_px * self._pen().unit / self._sight.scale

    # Moving

    def move_cursor_to(self, xy: XY) -> None:
        """To that point, or the nearest one of the picture; the view follows it if it must."""
        xy = self._sight.clamped(xy)
        if xy == self._cursor_xy:
            return
        self._cursor_xy = xy
        self.see(self._sight.centred(xy) if self.locks_view else self._sight.showing(xy))
        self.redraw()
        self.post_message(self.CursorMoved(self, xy))

    def move_cursor(self, dx: float, dy: float) -> None:
        """By pixels of the picture."""
        self.move_cursor_to((self.cursor_xy[0] + dx, self.cursor_xy[1] + dy))

    def zoom_by(self, steps: int) -> None:
        """In (> 0) or out by steps, the cursor staying where it is."""
        self.see(self._sight.stepped(steps, self.cursor_xy))

    def zoom_to(self, zoom: float) -> None:
        """1 shows the whole picture; the cursor stays where it is."""
        self.see(self._sight.zoomed(zoom, self.cursor_xy))

    def pan(self, across: float, down: float) -> None:
        """By parts of what is seen; the cursor stays on its point."""
        scale = self._sight.scale
        width, height = self._sight.box_wh
        self.see(self._sight.panned(across * width / scale, down * height / scale))

    def centre_on(self, xy: XY) -> None:
        self.see(self._sight.centred(xy))

    def see(self, sight: Sight) -> None:
        """See the picture by that sight."""
        sight = sight.fitted(self._sight.picture_wh, self._sight.box_wh)
        if sight != self._sight:
            self._sight = sight
            self.redraw()

    # Drawing

    def redraw(self) -> None:
        """Draw soon; once for all that changes until then."""
        if not self._stale:
            self._stale = True
            self.call_next(self._draw_scene)

    def _draw_scene(self) -> None:
        self._stale = False
        if self._picture is None or not self.is_attached or not self.content_region.area:
            return
        target = self._target()
        box_wh = box_px(target)
        if not all(box_wh):
            return
        self._sight = self._sight.fitted(self._sight.picture_wh, box_wh)
        scene = Scene(
            self._picture,
            self._layers,
            self._sight,
            target.background_rgb,
            self._cursor_xy if self._shows_cursor else None,
            _pen(target),
        )
        self._give(SceneSource(scene, self._drawer))

    def _pen(self) -> Pen:
        return _pen(self._target())

    def on_resize(self) -> None:
        self.redraw()

    def retarget(self) -> None:
        super().retarget()
        self.redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self.redraw()

    def clear(self) -> None:
        """Shows nothing."""
        self._picture = None
        super().clear()

    # The mouse

    def _box_point(self, event: events.MouseEvent) -> XY:
        """Where in the box the mouse is: to the pixel, or the middle of its cell."""
        gutter = self.gutter
        across, down = cell_box_px(self._target().graphics)
        inside = (0.5, 0.5)
        if textual_hooks.has_pixel_mouse(self.app):
            graphics = self.overlay.graphics
            inside = 0.5 / graphics.cell_width_px, 0.5 / graphics.cell_height_px
            x, y = event.pointer_x, event.pointer_y
        else:
            x, y = event.x, event.y
        return (x - gutter.left + inside[0]) * across, (y - gutter.top + inside[1]) * down

    def _point(self, event: events.MouseEvent) -> XY:
        return self._sight.clamped(self._sight.to_picture(self._box_point(event)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._picture is None:
            return
        if self._held_xy is not None:
            self.see(self._sight.with_point_at(self._held_xy, self._box_point(event)))
            return
        xy = self._point(event)
        if self._point_at(xy) and self._pressed is not None:
            self.post_message(self.Dragged(self, xy, self._pressed, event))

    def _point_at(self, xy: XY) -> bool:
        """The cursor follows the mouse; the view stays, or the mouse would point elsewhere. Returns
        whether that is another point."""
        if xy == self._cursor_xy:
            return False
        self._cursor_xy = xy
        self.redraw()
        self.post_message(self.CursorMoved(self, xy))
        return True

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._picture is None or self._pressed is not None or self._held_xy is not None:
            return
        event.stop()
        self.capture_mouse()
        if event.button == self.pans_with:
            self._held_xy = self._sight.to_picture(self._box_point(event))
            return
        self._pressed = event.button
        xy = self._point(event)
        self._point_at(xy)
        self.post_message(self.Pressed(self, xy, event.button, event))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._picture is None or (self._pressed is None and self._held_xy is None):
            return
        event.stop()
        self.release_mouse()
        button, self._pressed = self._pressed, None
        if self._held_xy is not None:
            self._held_xy = None
            return
        assert button is not None
        xy = self._point(event)
        self._point_at(xy)
        self.post_message(self.Released(self, xy, button, event))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        if self._picture is None:
            return
        event.stop()
        xy = self._point(event)
        if self.wheel_zooms:
            self.see(self._sight.stepped(steps, xy))
        self.post_message(self.Wheel(self, xy, event))


def _pen(target: Target) -> Pen:
    graphics = target.graphics
    if graphics.protocol.has_pixels:
        return Pen()
    return Pen(cell_box_px(graphics)[0] / graphics.cell_width_px, _THINNEST_SAMPLES)
