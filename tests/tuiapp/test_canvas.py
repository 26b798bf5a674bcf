from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.tuiapp.seen import until
from tuiapp.graphics.appmixin import PixelApp
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.canvas_drawing import (
    Dots,
    Drawer,
    Fill,
    Layer,
    Pen,
    Scene,
    Stroke,
    Tint,
)
from tuiapp.widgets.canvas_sight import Sight

SQUARE = ((2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 6.0))
RED, GREEN = (255, 0, 0), (0, 255, 0)


class CanvasApp(PixelApp[None]):
    """One canvas of 40x20 cells (160x160 samples) and what it told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Canvas()

    def on_canvas_cursor_moved(self, event: Canvas.CursorMoved) -> None:
        self.told.append(event)

    def on_canvas_pressed(self, event: Canvas.Pressed) -> None:
        self.told.append(event)

    def on_canvas_dragged(self, event: Canvas.Dragged) -> None:
        self.told.append(event)

    def on_canvas_released(self, event: Canvas.Released) -> None:
        self.told.append(event)

    def on_canvas_wheel(self, event: Canvas.Wheel) -> None:
        self.told.append(event)


@asynccontextmanager
async def canvas(side_px: int = 80) -> AsyncIterator[tuple[Canvas, Pilot[None], list[Message]]]:
    app = CanvasApp()
    async with app.run_test(size=(40, 20)) as pilot:
        shown = app.query_one(Canvas)
        shown.set_picture(np.zeros((side_px, side_px, 3), np.uint8))
        await until(pilot, lambda: shown.stats.sent)
        yield shown, pilot, app.told


def drawn(*layers: Layer, side_px: int = 8, scale: int = 8) -> np.ndarray:
    """A black square picture with layers, each of its pixels `scale` pixels large."""
    sight = Sight((side_px, side_px), (side_px * scale, side_px * scale))
    picture = np.zeros((side_px, side_px, 3), np.uint8)
    return Drawer().draw(Scene(picture, layers, sight, (9, 9, 9)))


def test_a_point_of_the_picture_comes_back_from_the_box_at_any_zoom() -> None:
    sight = Sight((512, 256), (900, 660)).zoomed(7.3, (400.25, 31.5)).panned(3.1, 8.7)
    assert sight.to_picture(sight.to_box((123.25, 45.75))) == pytest.approx((123.25, 45.75))


def test_zooming_keeps_the_point_that_it_is_about() -> None:
    sight = Sight((512, 512), (900, 660))
    for step in (1, 3, 5, -2):
        before = sight.to_box((100.0, 300.0))
        sight = sight.stepped(step, (100.0, 300.0))
        assert sight.to_box((100.0, 300.0)) == pytest.approx(before)


def test_zoom_ends_at_1_and_20_times() -> None:
    sight = Sight((512, 512), (900, 660))
    assert sight.stepped(60, (0, 0)).zoom == 20
    assert sight.stepped(60, (0, 0)).stepped(-60, (0, 0)).zoom == 1


def test_at_zoom_1_the_whole_picture_is_in_the_middle() -> None:
    sight = Sight((100, 50), (400, 400)).panned(30, 30)
    assert sight.to_box((0, 0)) == (0, 100) and sight.to_box((100, 50)) == (400, 300)


def test_pixels_of_the_picture_are_drawn_where_the_sight_has_them() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[2, 5] = 255
    sight = Sight((8, 8), (160, 120), 3.0, (5.5, 2.5))
    box = Drawer().draw(Scene(picture, (), sight, (9, 9, 9)))
    ys, xs = np.nonzero((box == 255).all(-1))
    left, top = sight.to_box((5, 2))
    right, bottom = sight.to_box((6, 3))
    assert (xs.min(), ys.min()) == pytest.approx((left, top), abs=1)
    assert (xs.max() + 1, ys.max() + 1) == pytest.approx((right, bottom), abs=1)


def test_what_is_outside_of_the_picture_is_background() -> None:
    box = Drawer().draw(
        Scene(np.zeros((8, 8, 3), np.uint8), (), Sight((8, 8), (64, 32)), (9, 8, 7))
    )
    assert (box[:, :16] == (9, 8, 7)).all() and (box[:, 16:48] == 0).all()


def test_a_fill_tints_what_is_inside_and_not_what_is_excluded() -> None:
    hole = ((3.0, 3.0), (5.0, 3.0), (5.0, 5.0), (3.0, 5.0))
    box = drawn(Fill((SQUARE,), RED, 0.5, (hole,)))
    assert tuple(box[20, 20]) == pytest.approx((128, 0, 0), abs=1)
    assert tuple(box[32, 32]) == tuple(box[8, 8]) == (0, 0, 0)


def test_a_stroke_lies_on_its_points_and_a_dashed_one_has_gaps() -> None:
    for dashed in (False, True):
        row = drawn(Stroke(((0.0, 4.0), (8.0, 4.0)), GREEN, dashed=dashed))[31:33, :, 1].max(0)
        assert (row > 128).all() != dashed and (row > 128).mean() > 0.3


def test_a_closed_stroke_returns_to_its_first_point() -> None:
    assert drawn(Stroke(SQUARE, GREEN))[32, 16, 1] == 0
    assert drawn(Stroke(SQUARE, GREEN, closed=True))[32, 16, 1] > 100


def test_dots_are_round_about_their_points_within_half_a_pixel() -> None:
    box = drawn(Dots(((3.0, 5.0),), GREEN, 4))
    ys, xs = np.nonzero(box[..., 1] > 128)
    assert (xs.mean() + 0.5, ys.mean() + 0.5) == pytest.approx((24, 40), abs=0.5)
    assert np.ptp(xs) + 1 == pytest.approx(8, abs=1)


def test_a_tint_follows_a_mask_of_any_size() -> None:
    mask = np.zeros((4, 4), np.uint8)
    mask[:, 2:] = 255
    box = drawn(Tint(mask, RED, 1.0))
    assert box[30, 60, 0] == 255 and box[30, 4, 0] == 0


def test_shapes_beyond_the_box_are_left_out() -> None:
    far = ((900.0, 900.0), (990.0, 900.0), (990.0, 990.0))
    assert not drawn(Fill((far,), RED, 1), Stroke(far, RED), Dots(far, RED)).any()


def test_scenes_drawn_one_after_the_other_are_as_if_drawn_alone() -> None:
    picture, sight = np.full((8, 8, 3), 40, np.uint8), Sight((8, 8), (64, 64))
    fill, first, second = Fill((SQUARE,), RED, 0.5), Dots(SQUARE, GREEN), Dots(SQUARE[:2], GREEN)
    line = Stroke(SQUARE[:2], GREEN)
    drawer = Drawer()
    for layers, cursor in (
        ((fill, first), (1.0, 1.0)),
        ((fill, first), (5.0, 1.0)),
        ((fill, first, line), (5.0, 2.0)),
        ((fill, second), (5.0, 2.0)),
        ((fill,), None),
        ((), (3.0, 3.0)),
        ((line, fill), (3.0, 3.0)),
    ):
        for seen in (sight, sight, sight.zoomed(3, (2, 2))):
            scene = Scene(picture, layers, seen, (9, 9, 9), cursor)
            assert np.array_equal(drawer.draw(scene), Drawer().draw(scene))


def test_lines_made_of_characters_are_as_thick_as_those_show() -> None:
    assert Pen(0.4, 1.5).px(1.0) == 1.5 and Pen(0.4, 1.5).px(10.0) == 4.0


async def test_the_cursor_moves_by_fractions_and_stays_in_the_picture() -> None:
    async with canvas() as (shown, pilot, told):
        shown.move_cursor(0.25, -0.25)
        assert shown.cursor_xy == (40.25, 39.75)
        shown.move_cursor(900, -900)
        assert shown.cursor_xy == (80, 0)
        await until(pilot, lambda: len(told) == 2)


async def test_a_view_that_is_zoomed_follows_the_cursor() -> None:
    async with canvas() as (shown, _, _):
        shown.zoom_to(10)
        shown.move_cursor(30, 0)
        box_x, _ = shown.sight.to_box(shown.cursor_xy)
        assert 0 < box_x < shown.sight.box_wh[0]
        shown.locks_view = True
        shown.move_cursor(-20, -20)
        assert shown.sight.middle_xy == shown.cursor_xy


async def test_steps_of_the_screen_become_smaller_as_one_zooms_in() -> None:
    async with canvas() as (shown, _, _):
        before = shown.picture_px(1)
        shown.zoom_to(4)
        assert shown.picture_px(1) == pytest.approx(before / 4)
        assert shown.screen_px(shown.picture_px(3)) == pytest.approx(3)


async def test_the_mouse_tells_points_of_the_picture() -> None:
    async with canvas() as (shown, pilot, told):
        await pilot.mouse_down(Canvas, offset=(10, 5))
        await pilot.hover(Canvas, offset=(12, 6))
        await pilot.mouse_up(Canvas, offset=(12, 6))
        buttons = [event for event in told if not isinstance(event, Canvas.CursorMoved)]
        kinds = [type(event) for event in buttons]
        assert kinds == [Canvas.Pressed, Canvas.Dragged, Canvas.Released]
        assert all(isinstance(e, Canvas.PointMessage) for e in buttons)
        # 40x20 cells show 80 px on 20 rows of 4 px: 2 px a column.
        assert [(e.x, e.y) for e in buttons] == [(21, 22), (25, 26), (25, 26)]
        assert shown.cursor_xy == (25, 26)


async def test_the_wheel_zooms_about_the_pointer() -> None:
    async with canvas() as (shown, pilot, told):
        before = shown.sight
        await pilot._post_mouse_events([events.MouseScrollUp], Canvas, (10, 5), button=0)
        assert shown.sight.zoom == pytest.approx(1.3)
        assert shown.sight.to_box((21, 22)) == pytest.approx(before.to_box((21, 22)))
        assert any(isinstance(event, Canvas.Wheel) and event.up for event in told)


async def test_a_drag_with_the_middle_button_moves_the_picture_along() -> None:
    async with canvas() as (shown, pilot, told):
        shown.zoom_to(5)
        await pilot._post_mouse_events([events.MouseDown], Canvas, (10, 5), button=2)
        point = shown.sight.to_picture((42, 44))
        await pilot._post_mouse_events([events.MouseMove], Canvas, (20, 8), button=2)
        await pilot._post_mouse_events([events.MouseUp], Canvas, (20, 8), button=2)
        assert shown.sight.to_box(point) == pytest.approx((82, 68))
        assert not any(isinstance(event, Canvas.Pressed | Canvas.Released) for event in told)


async def test_a_picture_of_another_size_is_seen_in_the_same_part() -> None:
    async with canvas() as (shown, _, _):
        shown.zoom_to(4)
        shown.move_cursor_to((20, 20))
        shown.centre_on((20, 20))
        shown.set_picture(np.zeros((160, 160, 3), np.uint8))
        assert shown.cursor_xy == (40, 40) and shown.sight.middle_xy == (40, 40)
