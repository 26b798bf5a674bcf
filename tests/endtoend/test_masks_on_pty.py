"""Masks drawn in a real terminal session: by keys alone, and by the mouse to the pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from engine.protocol.label_commands import Polygons
from engine.protocol.workspace import Workspace
from engine.stages.label_session.desk_file import DeskFile
from engine.stages.label_session.label_file import read_label_file
from tests.stages.label_session.large_faces import FACE_PX, large_faces
from tests.support.pty_app import BLOCKS, CELL_PX, SIXEL, PtyApp, on_pty
from tuiapp.widgets.canvas_sight import XY, Sight

pytestmark = [pytest.mark.terminal, pytest.mark.slow, pytest.mark.timeout(900)]

COLUMNS, ROWS = 100, 40
# The canvas is right of nothing and below the crumbs; hints, strip and the lines below it are not
# its own.
CANVAS_CELLS, CANVAS_TOP = (64, 29), 1
# Where a hand wants its points, in pixels of the face; not on whole ones.
INTENDED = ((131.3, 90.6), (380.8, 112.2), (402.1, 300.9), (255.5, 431.4), (110.7, 288.0))
NEAR_ENOUGH_PX = 0.5


@contextmanager
def masks(root: Path, answers: bytes) -> Iterator[tuple[PtyApp, Path]]:
    """The mask screen on a face of 512 px, and that face's file. At the end the session ends."""
    folder = large_faces(root)
    with on_pty(root, answers=answers, columns=COLUMNS, rows=ROWS) as app:
        app.wait_for_text("Home")
        app.wait_until_quiet()
        app.send(b"M")
        app.wait_for_text("zoom 1.0")
        app.wait_until_quiet()
        yield app, folder / "00000_0.jpg"
        app.send(b"\x1b")
        app.wait_for_text("end the session")
        app.send(b"\x1b[B\r")
        app.wait_until_runs_end(root)


def sight_of(box_wh: tuple[int, int]) -> Sight:
    return Sight((FACE_PX, FACE_PX), box_wh)


def polygons_in(path: Path) -> Polygons:
    return read_label_file(path).polygons


def has_begun(root: Path, points: int) -> bool:
    """Whether the begun polygon has so many points by now."""
    begun = DeskFile(Workspace(root), "dst").open_polygon("00000_0.jpg")
    return begun is not None and len(begun.points) == points


def farthest_px(polygons: Polygons) -> float:
    [polygon] = polygons
    assert len(polygon.points) == len(INTENDED)
    return max(math.dist(*pair) for pair in zip(polygon.points, INTENDED, strict=True))


def travel(app: PtyApp, far: float, coarse: float, less: bytes, more: bytes) -> float:
    """Press arrows to go that far: eight pixels of the screen at a time, then quarters of the
    face's. Returns how far that was."""
    key, sign = (more, 1) if far > 0 else (less, -1)
    steps, rest = divmod(abs(far), coarse)
    quarters = round(rest / 0.25)
    app.send((b"\x1b[" + key) * int(steps) + (b"\x1b[1;5" + key) * quarters)
    return sign * (steps * coarse + quarters * 0.25)


@pytest.mark.parametrize(
    ("answers", "coarse_px"),
    [
        # 29 rows of 20 px in whole sixel bands are 576; 8 px of the screen are 7.1 of the face.
        pytest.param(SIXEL, 8 / (576 / FACE_PX), id="sixel"),
        # In characters a cell of 10x20 px is 4x8 samples.
        pytest.param(BLOCKS, 8 * 0.4 / (29 * 8 / FACE_PX), id="blocks"),
    ],
)
def test_a_polygon_is_placed_by_keys_alone(
    tmp_path: Path, answers: bytes, coarse_px: float
) -> None:
    with masks(tmp_path, answers) as (app, path):
        x, y = FACE_PX / 2, FACE_PX / 2  # where the cursor begins
        for point in INTENDED:
            x += travel(app, point[0] - x, coarse_px, b"D", b"C")
            y += travel(app, point[1] - y, coarse_px, b"A", b"B")
            app.send(b"\r")
        app.send(b"c")
        app.wait_for(lambda: polygons_in(path))
        assert farthest_px(polygons_in(path)) <= NEAR_ENOUGH_PX


def screen_px(box_xy: XY) -> tuple[int, int]:
    """The pixel of the screen at a place of the canvas."""
    return int(box_xy[0]), int(box_xy[1]) + CANVAS_TOP * CELL_PX[1]


def test_a_polygon_is_placed_by_a_mouse_that_tells_pixels(tmp_path: Path) -> None:
    fit = sight_of((CANVAS_CELLS[0] * CELL_PX[0], 576))
    with masks(tmp_path, SIXEL) as (app, path):
        for count, point in enumerate(INTENDED, start=1):
            sight = fit
            for _ in range(4):
                pixel = screen_px(sight.to_box(point))
                app.wheel_up(*pixel)
                under = sight.to_picture((pixel[0] + 0.5, pixel[1] - CELL_PX[1] + 0.5))
                sight = sight.stepped(1, sight.clamped(under))
            app.click(*screen_px(sight.to_box(point)))
            # Not before the mouse was heard: keys go another way through the app.
            app.wait_for(partial(has_begun, tmp_path, count))
            drawn = len(app.heard)
            app.send(b"0")
            app.wait_for_text("zoom 1.0", drawn)
        app.send(b"c")
        app.wait_for(lambda: polygons_in(path))
        assert farthest_px(polygons_in(path)) <= NEAR_ENOUGH_PX


def test_a_point_is_dragged_by_a_mouse_that_tells_pixels(tmp_path: Path) -> None:
    sight = sight_of((CANVAS_CELLS[0] * CELL_PX[0], 576))
    with masks(tmp_path, SIXEL) as (app, path):
        for count, point in enumerate(INTENDED, start=1):
            app.click(*screen_px(sight.to_box(point)))
            app.wait_for(partial(has_begun, tmp_path, count))
        app.send(b"co")
        app.wait_for_text("polygon 1/1")
        app.drag(screen_px(sight.to_box(INTENDED[3])), screen_px(sight.to_box((300.0, 480.0))))
        # A pixel of the screen is 0.9 of the face's here.
        app.wait_for(lambda: math.dist(polygons_in(path)[0].points[3], (300.0, 480.0)) < 1)
        drawn = len(app.heard)
        app.send(b"\x1b")
        app.wait_for_text("next polygon", drawn)
