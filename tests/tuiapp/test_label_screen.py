"""The mask screen's functions by their keys and by the mouse, on real face files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from engine.faces.face_file import read_face_data
from engine.protocol.commands import Command
from engine.protocol.label_commands import LabelPolygon, LabelsSet, Polygons
from engine.protocol.label_order import LabelOrder, SuggestedFace, write_label_order
from engine.protocol.workspace import Workspace
from engine.stages.label_session.label_file import plain_polygons
from tests.stages.facesets import faceset, labelled
from tests.tuiapp.label_engine import RUN_ID, label_engine
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.keymap import KEYS
from tuiapp.screens.help import HelpScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.labels.screen import LabelScreen
from tuiapp.widgets.canvas import Canvas
from tuiapp.widgets.canvas_sight import XY

NAMES = [f"{number:05d}_0.jpg" for number in range(12)]


class Editor:
    """The screen, what was sent, and what is in the files."""

    def __init__(self, pilot: Pilot[None], taken: list[Command], folder: Path) -> None:
        self.pilot, self.taken, self.folder = pilot, taken, folder
        assert isinstance(pilot.app.screen, LabelScreen)
        self.screen = pilot.app.screen

    @property
    def canvas(self) -> Canvas:
        return self.screen.canvas

    def in_file(self, face: int = 0) -> Polygons:
        data = read_face_data(self.folder / NAMES[face])
        assert data is not None
        return plain_polygons(data.seg_ie_polys)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def point(self, *points: XY, key: str = "enter") -> None:
        """Presses a key with the cursor at each of these points."""
        for point in points:
            self.canvas.move_cursor_to(point)
            await self.press(key)

    async def until(self, true: object) -> None:
        assert callable(true)
        await until(self.pilot, true)

    async def keeps(self, *polygons: LabelPolygon, face: int = 0) -> None:
        """Wait until these are in the file."""
        await self.until(lambda: self.in_file(face) == polygons)

    async def at_face(self, face: int) -> None:
        await sees(self.pilot, f"{face + 1}/")
        await self.until(lambda: self.screen.desk.name == NAMES[face])

    async def click(self, xy: XY, *, ctrl: bool = False, button: int = 1) -> XY:
        """A click on the cell at that point; the point in the middle of the cell."""
        canvas = self.canvas
        box = canvas.sight.to_box(xy)
        cell = int(box[0] // 4), int(box[1] // 8)
        for event in (events.MouseDown, events.MouseUp):
            await self.pilot._post_mouse_events([event], Canvas, cell, button=button, control=ctrl)
        return canvas.sight.to_picture(((cell[0] + 0.5) * 4, (cell[1] + 0.5) * 8))


@asynccontextmanager
async def editor(
    workspace: Workspace, size: tuple[int, int] = (100, 40), count: int = 12, **changes: object
) -> AsyncIterator[Editor]:
    """The screen on faces of 64 px, at the first one."""
    for path in workspace.dst.aligned.glob("*"):
        path.unlink()
    workspace.dst.aligned.rmdir()
    folder = faceset(workspace.root, count, side="dst", **changes)
    async with label_engine(workspace) as taken, opened(workspace, size, RUN_ID) as (_, pilot):
        await sees(pilot, f"1/{count}", NAMES[0])
        made = Editor(pilot, taken, folder)
        await until(pilot, lambda: made.canvas.stats.sent)
        await pilot.pause()
        yield made


TRIANGLE = ((10.0, 10.0), (50.0, 10.0), (30.0, 50.0))
INCLUDE, EXCLUDE = LabelPolygon(True, TRIANGLE), LabelPolygon(False, TRIANGLE)


async def test_everything_has_its_place_in_small_and_large_terminals(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        for size in SIZES:
            await edit.pilot.resize_terminal(*size)
            await sees(edit.pilot, "1/12", NAMES[0], "0 labelled", "zoom 1.0", "x 32.00 y 32.00")
            await sees(edit.pilot, "next polygon: include", "⏎ Point", "Hair line")
            assert edit.canvas.size.width >= 60 and edit.canvas.size.height >= 18


async def test_a_polygon_is_drawn_by_keys_and_closed_on_its_first_point(
    workspace: Workspace,
) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await sees(edit.pilot, "drawing, include: 3 points")
        await edit.point(TRIANGLE[0], key="space")
        await edit.keeps(INCLUDE)
        await sees(edit.pilot, "1 labelled")


async def test_w_draws_what_is_excluded_and_q_what_is_included(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.press("w")
        await edit.point(*TRIANGLE)
        await edit.press("q")  # not while a polygon is open
        await sees(edit.pilot, "drawing, exclude")
        await edit.press("c")
        await edit.keeps(EXCLUDE)
        await edit.press("q")
        await sees(edit.pilot, "next polygon: include")


async def test_undo_and_redo_go_point_by_point_and_over_polygons(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("c", "ctrl+z", "u", "backspace")
        await sees(edit.pilot, "drawing, include: 1 point")
        await edit.press("ctrl+z")
        await sees(edit.pilot, "next polygon")
        await edit.press("ctrl+y", "U", "ctrl+y", "ctrl+y", "ctrl+y")
        await edit.keeps(INCLUDE)


async def test_delete_removes_the_selected_polygon_and_the_begun_one(workspace: Workspace) -> None:
    async with editor(workspace, **labelled()) as edit:
        await edit.press("o", "o")
        await sees(edit.pilot, "polygon 2/2, exclude")
        await edit.press("delete")
        await edit.until(lambda: [p.is_include for p in edit.in_file()] == [True])
        await edit.point((5, 5), (60, 5))
        await edit.press("delete")
        await sees(edit.pilot, "next polygon")


async def test_points_are_held_moved_by_arrows_and_dropped(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("c")
        edit.canvas.move_cursor_to((48, 14))
        await edit.press("m")
        await sees(edit.pilot, "moving a point")
        assert edit.canvas.cursor_xy == (50, 10)
        await edit.press("ctrl+right", "ctrl+right", "ctrl+down", "enter")
        await edit.keeps(LabelPolygon(True, ((10, 10), (50.5, 10.25), (30, 50))))
        await edit.press("m", "right", "escape")
        await edit.keeps(LabelPolygon(True, ((10, 10), (50.5, 10.25), (30, 50))))


async def test_points_are_inserted_and_removed_by_keys(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("c")
        edit.canvas.move_cursor_to((30, 9))
        await edit.press("o", "i")
        edit.canvas.move_cursor_to((30, 2))
        await edit.press("m")
        await edit.keeps(LabelPolygon(True, ((10, 10), (30, 2), (50, 10), (30, 50))))
        edit.canvas.move_cursor_to((12, 12))
        await edit.press("k")
        await edit.keeps(LabelPolygon(True, ((30, 2), (50, 10), (30, 50))))


async def test_the_points_mode_makes_presses_put_points_in_and_out(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("c", "o", "p")
        await sees(edit.pilot, "points in and out")
        await edit.point((30, 10))
        await edit.press("enter")  # the new point is held: let go
        await edit.keeps(LabelPolygon(True, ((10, 10), (30, 10), (50, 10), (30, 50))))
        await edit.point((10, 10))
        await edit.keeps(LabelPolygon(True, ((30, 10), (50, 10), (30, 50))))


async def test_e_turns_what_is_selected_and_tab_goes_along_its_points(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("c", "o", "tab")
        assert edit.canvas.cursor_xy == TRIANGLE[1]
        await edit.press("shift+tab", "shift+tab")
        assert edit.canvas.cursor_xy == TRIANGLE[2]
        await edit.press("e")
        await edit.keeps(EXCLUDE)


async def test_arrows_move_by_the_chosen_step_and_finer_with_shift_and_ctrl(
    workspace: Workspace,
) -> None:
    async with editor(workspace) as edit:
        canvas = edit.canvas
        pixel = canvas.picture_px(1)
        for keys, far in (
            (["right"], 8 * pixel),
            (["shift+right"], pixel),
            (["ctrl+right"], 0.25),
            (["alt+right"], 0.25),
            (["f", "right"], pixel),
            (["f", "right"], 0.25),
        ):
            before = canvas.cursor_xy
            await edit.press(*keys)
            assert canvas.cursor_xy == pytest.approx((before[0] + far, before[1]))
        await sees(edit.pilot, "1/4 px of the face")


async def test_the_view_zooms_about_the_cursor_pans_and_locks(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        canvas = edit.canvas
        canvas.move_cursor_to((20, 40))
        await edit.press("z")
        assert canvas.sight.zoom == 8 and canvas.sight.middle_xy == (20, 40)
        await edit.press("end", "pagedown")
        assert canvas.sight.middle_xy > (20, 40)
        await edit.press("l")
        await sees(edit.pilot, "view locked")
        await edit.press("left")
        assert canvas.sight.middle_xy == canvas.cursor_xy
        await edit.press("0")
        assert canvas.sight.zoom == 1
        for _ in range(60):
            await edit.press("plus")
        assert canvas.sight.zoom == 20
        await edit.press("minus")
        assert canvas.sight.zoom < 20


async def test_colours_and_views(workspace: Workspace) -> None:
    async with editor(workspace, **labelled()) as edit:
        screen = edit.screen
        await edit.until(lambda: screen.outside is not None)
        for key, colour in (("1", "red"), ("3", "blue"), ("2", "green")):
            await edit.press(key)
            assert screen.look.colour == colour
        await edit.press("4")
        assert screen.look.view == "drawn" and len(edit.canvas._layers) == 0
        picture = edit.canvas._picture
        assert picture is not None and picture[20, 12].tolist() == [255] * 3
        assert picture[20, 20].tolist() == picture[2, 2].tolist() == [0] * 3
        await edit.press("5")
        assert screen.look.view == "applied"
        await edit.press("5", "grave_accent")
        assert screen.look.view == "face" and screen.look.overlay
        layers = len(edit.canvas._layers)
        await edit.press("t")
        assert screen.look.hidden and len(edit.canvas._layers) < layers
        await edit.press("d")
        await edit.at_face(1)
        assert screen.look.overlay and screen.look.hidden


async def test_without_an_applied_mask_that_is_said(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.press("5")
        await sees(edit.pilot, "no applied mask")


async def test_faces_are_gone_through_by_one_by_five_and_by_number(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        for keys, face in ((["d", "d"], 2), (["a"], 1), (["D"], 6), (["A", "A"], 0), (["a"], 0)):
            await edit.press(*keys)
            await edit.at_face(face)
        await edit.press("ctrl+g", "9", "enter")
        await edit.at_face(8)


async def test_keys_jump_to_labelled_unlabelled_and_suggested_faces(workspace: Workspace) -> None:
    suggested = tuple(SuggestedFace(NAMES[face], 0.5, 0.5, 0.5) for face in (7, 3))
    write_label_order(workspace, "dst", LabelOrder("a model", suggested))
    async with editor(workspace) as edit:
        await edit.press("D")
        await edit.at_face(5)
        await edit.point(*TRIANGLE, key="enter")
        await edit.press("c")
        await edit.keeps(INCLUDE, face=5)
        await sees(edit.pilot, "1 labelled")
        for key, face in (
            ("left_curly_bracket", 4),
            ("right_square_bracket", 5),
            ("right_curly_bracket", 6),
            ("ctrl+a", 5),
            ("n", 7),
            ("n", 3),
            ("N", 7),
            ("left_square_bracket", 5),
        ):
            await edit.press(key)
            await edit.at_face(face)
        await edit.press("ctrl+d")
        await sees(edit.pilot, "no face that is labelled after")


async def test_a_face_goes_to_the_trash_and_back(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.press("x")
        await sees(edit.pilot, "1/11", NAMES[1])
        assert not (edit.folder / NAMES[0]).exists()
        await edit.press("X")
        await sees(edit.pilot, "1/12", NAMES[0])
        assert (edit.folder / NAMES[0]).exists()


async def test_suggestions_are_drawn_and_undone(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        for key in ("j", "h", "g"):
            before = edit.in_file()
            await edit.press(key)
            await edit.until(lambda: edit.screen.desk.asked is None)
            await edit.until(lambda: edit.screen.desk.is_kept and edit.in_file())
        await edit.press("u", "u", "u")
        await edit.keeps()
        assert before


async def test_polygons_are_drawn_by_the_mouse(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        points = [await edit.click(point) for point in TRIANGLE]
        await edit.click(TRIANGLE[0])
        await edit.keeps(LabelPolygon(True, tuple(map(_exact, points))))
        await edit.click((3, 60))  # begins another
        await sees(edit.pilot, "drawing, include: 1 point")
        await edit.press("delete")
        await edit.click(TRIANGLE[1])
        await sees(edit.pilot, "polygon 1/1, include")


def _exact(xy: XY) -> XY:
    return round(xy[0] * 64) / 64, round(xy[1] * 64) / 64


async def test_points_are_dragged_by_the_mouse_and_clicks_with_ctrl_take_them_out(
    workspace: Workspace,
) -> None:
    async with editor(workspace) as edit:
        square = [await edit.click(p) for p in ((10, 10), (50, 10), (50, 50), (10, 50))]
        await edit.press("c", "o")
        box = edit.canvas.sight.to_box(square[2])
        cell = int(box[0] // 4), int(box[1] // 8)
        await edit.pilot._post_mouse_events([events.MouseDown], Canvas, cell, button=1)
        await edit.pilot._post_mouse_events(
            [events.MouseMove], Canvas, (cell[0] - 4, cell[1] - 2), button=1
        )
        await edit.pilot._post_mouse_events(
            [events.MouseUp], Canvas, (cell[0] - 4, cell[1] - 2), button=1
        )
        moved = edit.canvas.sight.to_picture((box[0] - 16, box[1] - 16))
        await edit.until(
            lambda: edit.in_file() and edit.in_file()[0].points[2] == pytest.approx(moved, abs=0.1)
        )
        await edit.click(square[0], ctrl=True)
        await edit.until(lambda: len(edit.in_file()[0].points) == 3)


async def test_the_right_button_closes_and_the_wheel_zooms(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        for point in TRIANGLE:
            await edit.click(point)
        await edit.click((60, 60), button=3)
        await edit.until(lambda: len(edit.in_file()) == 1)
        await edit.pilot._post_mouse_events([events.MouseScrollUp], Canvas, (10, 5), button=0)
        await sees(edit.pilot, "zoom 1.3")


async def test_the_strip_comes_and_goes(workspace: Workspace) -> None:
    async with editor(workspace, (100, 40)) as edit:
        await sees(edit.pilot, "  9")
        await edit.press("f8")
        await edit.until(lambda: "  9 " not in screen_text(edit.pilot))


async def test_a_face_that_cannot_be_read_says_so(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        (edit.folder / NAMES[1]).write_bytes(b"\xff\xd8 nothing")
        await edit.press("d")
        await sees(edit.pilot, "2/12")
        await edit.until(lambda: edit.screen.desk.shown and edit.screen.desk.shown.trouble)


async def test_help_is_the_key_table_and_shows_moved_keys(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.press("question_mark")
        await edit.until(lambda: isinstance(edit.pilot.app.screen, HelpScreen))
        await sees(edit.pilot, "Masks", "mask-press")


async def test_leaving_the_screen_leaves_the_session_and_its_undo(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(*TRIANGLE)
        await edit.press("escape")
        await sees(edit.pilot, "Leave the masks?", "saved as it is drawn")
        await edit.press("enter")
        await edit.until(lambda: isinstance(edit.pilot.app.screen, HomeScreen))
        await edit.press("M")
        await sees(edit.pilot, "drawing, include: 3 points")
        await edit.press("u")
        await sees(edit.pilot, "drawing, include: 2 points")


async def test_every_key_of_the_table_does_something_that_is_there(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        for key in KEYS:
            if key.context == "mask" and not key.action.startswith("app."):
                assert hasattr(edit.screen, f"action_{key.action.partition('(')[0]}"), key.id


async def test_each_point_is_sent_at_once(workspace: Workspace) -> None:
    async with editor(workspace) as edit:
        await edit.point(TRIANGLE[0])
        await edit.until(lambda: any(isinstance(one, LabelsSet) for one in edit.taken))
