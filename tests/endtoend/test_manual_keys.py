"""Placing faces in a terminal that draws pixels, with a real session behind: by keys alone and by
the mouse alone; judged by the files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.detect.detection import Detection
from engine.detect.landmarks68 import Landmarker68
from engine.media.images import read_image_bgr_u8
from engine.protocol.commands import Stop
from engine.protocol.workspace import Workspace
from engine.runtime import client
from tests.stages.extracting import workspace
from tests.stages.faces_manual.serving import face_file, points_in
from tests.support.pixel_terminal import PixelTerminal, pixel_terminal

pytestmark = [pytest.mark.terminal, pytest.mark.slow, pytest.mark.timeout(600)]
COLUMNS, ROWS, CELL_PX = 120, 40, (9, 18)
# The canvas: beside 36 columns of hints, between a line above and five below.
CANVAS_CELLS = (COLUMNS - 36, ROWS - 6)
FRAME_PX = 480
LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four frames of a nearly still face."""
    return workspace(tmp_path, "pairA_dst.mp4", range(4))


@contextmanager
def placing(root: Path) -> Iterator[PixelTerminal]:
    """The screen of a session, at rest at the first frame."""
    run = client.start_run(Workspace(root), "faces-manual", {"frames": "all"})
    with pixel_terminal(root, columns=COLUMNS, rows=ROWS, cell_px=CELL_PX) as terminal:
        terminal.wait_for("running")
        terminal.type("\x1bOR")  # F3
        terminal.wait_for("1/4")
        terminal.wait_for_picture(since=0)
        terminal.wait_for_rest()
        yield terminal
    client.send(run, Stop())


def landmarks(root: Path) -> np.ndarray:
    """Those of the first frame, found from a box around the face."""
    image = read_image_bgr_u8(Workspace(root).dst.frames / "00001.png")
    found = Landmarker68().landmarks(image, Detection((126, 150, 358, 382), 1.0))
    assert found is not None
    return found.points


def apart(points: np.ndarray, others: np.ndarray) -> float:
    """In parts of the distance between the eyes' corners."""
    eyes = np.hypot(*(others[45] - others[36]))
    return float(np.hypot(*(points - others).T).mean() / eyes)


def cell_of(x: float, y: float) -> tuple[int, int]:
    """The cell of the terminal, from 1, that shows that point of the frame."""
    box = [count * size for count, size in zip(CANVAS_CELLS, CELL_PX, strict=True)]
    scale = min(box) / FRAME_PX
    place = [
        (side - FRAME_PX * scale) / 2 + at * scale for side, at in zip(box, (x, y), strict=True)
    ]
    return int(place[0] / CELL_PX[0]) + 1, int(place[1] / CELL_PX[1]) + 2


def mouse(terminal: PixelTerminal, button: int, x: float, y: float, *, up: bool = False) -> None:
    """An event as terminals tell it (SGR): 0 left, 2 right, 32 more while moving, 35 moving without
    a button, 64 and 65 the wheel."""
    column, row = cell_of(x, y)
    terminal.type(f"\x1b[<{button};{column};{row}{'m' if up else 'M'}")
    terminal.listen(0.1)


def test_by_keys_alone_faces_are_placed_kept_copied_filled_and_corrected(root: Path) -> None:
    with placing(root) as terminal:
        terminal.type(DOWN * 4 + "+" * 7)
        terminal.wait_for_rest()
        terminal.type("\r")
        terminal.wait_for("2/4")
        terminal.type("...")  # to the last frame; the first one's face is copied there
        terminal.wait_for("4/4")
        terminal.type("c")
        terminal.wait_for("locked as before")
        terminal.type("\t\t\t\t\t" + "P")  # the nose, its last point
        terminal.wait_for("moves point 35")
        terminal.type("\x1b[1;2C" * 4)  # shift and right: four pixels of the screen
        terminal.wait_for_rest()
        terminal.type("\r")
        terminal.wait_for("in its file")
        terminal.type("\x1b")
        terminal.listen(0.5)
        terminal.type("i")
        terminal.wait_for("4 of 4 done")
    assert [face_file(root, frame) is not None for frame in range(4)] == [True] * 4
    first, last = points_in(root, 0), points_in(root, 3)
    assert apart(first, landmarks(root)) < 0.03
    moved = last - first
    scale = CANVAS_CELLS[1] * CELL_PX[1] / FRAME_PX
    assert np.abs(moved[35] - (4 / scale, 0)).max() < 0.05
    assert np.abs(np.delete(moved, 35, axis=0)).max() < 0.05
    assert np.abs(points_in(root, 1) - (first + moved / 3)).max() < 0.2


def test_by_the_mouse_alone_a_face_is_placed_locked_and_one_landmark_dragged(root: Path) -> None:
    wanted = landmarks(root)
    with placing(root) as terminal:
        mouse(terminal, 35, 241, 265)
        for button in [64] * 8 + [65]:
            mouse(terminal, button, 241, 265)
        terminal.wait_for_rest()
        mouse(terminal, 0, 241, 265)
        mouse(terminal, 0, 241, 265, up=True)
        terminal.wait_for("locked")
        nose, goal = wanted[30], wanted[30] + (40.0, 25.0)
        mouse(terminal, 0, *nose)
        mouse(terminal, 32, *(nose + goal) / 2)
        mouse(terminal, 32, *goal)
        mouse(terminal, 0, *goal, up=True)
        terminal.wait_for_rest()
        terminal.type("\r")
        terminal.wait_for("1 of 4 done")  # "2/4" is seen before the file is there
    points = points_in(root, 0)
    off = np.hypot(*(points - wanted).T)
    [dragged] = np.flatnonzero(off > 20)
    assert dragged in range(27, 36)
    assert apart(np.delete(points, dragged, axis=0), np.delete(wanted, dragged, axis=0)) < 0.05


def test_by_the_mouse_alone_a_free_rectangle_is_drawn(root: Path) -> None:
    with placing(root) as terminal:
        mouse(terminal, 35, 241, 290)
        mouse(terminal, 2, 241, 290)
        mouse(terminal, 2, 241, 290, up=True)
        terminal.wait_for("free rectangle")
        mouse(terminal, 35, 300, 310)
        mouse(terminal, 35, 341, 290)
        terminal.wait_for_rest()
        mouse(terminal, 0, 341, 290)
        mouse(terminal, 0, 341, 290, up=True)
        terminal.wait_for("locked")
        terminal.type("\r")
        terminal.wait_for("1 of 4 done")  # "2/4" is seen before the file is there
    points = points_in(root, 0)
    assert np.ptp(points[:17], axis=0).max() < 1e-6
    cell = max(CELL_PX) * FRAME_PX / (CANVAS_CELLS[1] * CELL_PX[1])
    assert np.abs(points[30] - (241, 290)).max() <= cell / 2
    across = points[26][0] - points[30][0]
    assert abs(across - 100) <= cell
