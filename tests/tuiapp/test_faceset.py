from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widgets import Static

from engine.protocol.workspace import Workspace
from tests.tuiapp.faces_made import made_pack
from tests.tuiapp.made import made_run
from tests.tuiapp.seen import SIZES, opened, screen_text, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.bridge.face_folder import trash_folder
from tuiapp.screens.faceset import FacesetScreen
from tuiapp.screens.home import HomeScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.widgets.face_zoom import frame_path


@pytest.fixture(autouse=True)
def truecolor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever terminal the tests run in: colours tell which faces are seen."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")


def browser(app: FacewrightApp) -> FacesetScreen:
    assert isinstance(app.screen, FacesetScreen)
    return app.screen


def words_of_pane(app: FacewrightApp, id: str) -> str:
    """What stands in the place of a picture of the zoom."""
    return str(app.screen.query_one(f"#{id} Static", Static).visual)


def face_names(workspace: Workspace) -> list[str]:
    return sorted(path.name[:5] for path in workspace.src.aligned.iterdir())


def colours_seen(pilot: Pilot[None]) -> set[tuple[int, int, int]]:
    """All colours of the characters on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    styles = [segment.style for strip in strips for segment in strip if segment.style]
    colours = [colour for style in styles for colour in (style.color, style.bgcolor) if colour]
    return {tuple(colour.triplet) for colour in colours if colour.triplet}


def is_near(colour: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(one - two) <= 12 for one, two in zip(colour, other, strict=True))


async def shows_colour(pilot: Pilot[None], colour: tuple[int, int, int]) -> None:
    await until(pilot, lambda: any(is_near(colour, seen) for seen in colours_seen(pilot)))


async def test_faces_are_seen_and_told_at_every_size(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await sees(pilot, "12 faces  by name", "1.  00001_0.jpg  yaw +6°", "sharpness 10")
            await sees(pilot, "x Trash", "/ Filter", "esc Back", "f1 Help")
            await shows_colour(pilot, (80, 90, 175))  # the third face


async def test_marked_faces_go_to_the_trash_and_come_back(faces: Workspace) -> None:
    before = face_names(faces)
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("l", "space", "right", "v", "right", "right", "v")
        await sees(pilot, "4 marked", "5.  00005_0.jpg  marked")
        await pilot.press("x")
        await sees(pilot, "4 marked faces go to data_src/aligned_trash. Key u undoes it.")
        await pilot.press("n")
        assert face_names(faces) == before
        await pilot.press("x", "y")
        await sees(pilot, "8 faces  by name", "4 faces to", "2.  00006_0")
        assert face_names(faces) == ["00001", *before[5:]]
        await pilot.press("u")
        await sees(pilot, "12 faces  by name", "4 faces back from")
        assert face_names(faces) == before
        assert not list(trash_folder(faces.src).iterdir())


async def test_without_marks_the_face_under_the_cursor_is_trashed(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("G", "x")
        await sees(pilot, "00012_0.jpg goes to")
        await pilot.press("y")
        await sees(pilot, "11 faces", "11.  00011_0.jpg")
        assert "00012" not in face_names(faces)


async def test_faces_are_ordered_and_filtered_by_what_the_index_knows(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("s", "S", "g")
        await sees(pilot, "by yaw down", "1.  00012_0.jpg")
        await pilot.press("slash", *"yaw<31.5", "enter")
        await sees(pilot, "12 faces, 5 shown  by yaw down  filter yaw<31.5", "00005_0.jpg")


async def test_a_filter_that_is_none_says_why_while_it_is_typed(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("slash", *"nose>1")
        await sees(pilot, "'nose' in 'nose>1' is no field; known: yaw, pitch")
        await pilot.press(*["backspace"] * 6, *"zzz", "escape")
        await sees(pilot, "no face passes: esc shows all again")
        await pilot.press("escape")
        await sees(pilot, "12 faces  by name", "1.  00001_0.jpg")
        await pilot.press("slash", *"yaw>20")
        await pilot.press("enter")
        await sees(pilot, "12 faces, 9 shown  by name  filter yaw>20")


async def test_only_duplicates_or_one_persons_faces_can_be_shown(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("d")
        await sees(pilot, "1 shown  by name  only near duplicates", "00001_0.jpg")
        await pilot.press("p")
        await sees(pilot, "2 shown  by name  only like 00001_0.jpg")
        await pilot.press("space", "d")
        await sees(pilot, "1 shown", "only near duplicates")
        await pilot.press("p")
        await sees(pilot, "only like")
        await pilot.press("p")
        await sees(pilot, "12 faces, 1 marked  by name")
        await pilot.press("m")
        await sees(pilot, "1 shown, 1 marked  by name  only marked")
        await pilot.press("escape", "slash", *"00007", "enter", "x")
        await sees(pilot, "1 marked face, 1 of them not shown now, goes to")


async def test_what_only_the_index_knows_is_said_to_be_so(workspace: Workspace) -> None:
    async with opened(workspace) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "3 faces  by name  no index (i)")
        await pilot.press("m")
        await sees(pilot, "no face is marked")
        await pilot.press("d")
        await sees(pilot, "what looks nearly the same", "index knows: key i makes it")
        await pilot.press("p")
        await sees(pilot, "who this is only the index knows", "with Identity")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.form.state.values["identity"] is True


async def test_zoom_shows_the_frame_with_landmarks_on_it(faces: Workspace) -> None:
    Image.new("RGB", (400, 320), (255, 0, 255)).save(faces.src.frames / "00001.png")
    async with opened(faces, (120, 40)) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("enter")
        await sees(pilot, "00001_0.jpg ─", "00001.png ─")
        await shows_colour(pilot, (255, 0, 255))
        await until(pilot, lambda: any(g > 150 and r < 200 for r, g, _ in colours_seen(pilot)))
        await pilot.press("right", "space")
        await sees(pilot, "00002.png", "1 marked")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_without_an_index_zoom_shows_the_face_and_how_to_get_its_frame(
    workspace: Workspace,
) -> None:
    async with opened(workspace, (120, 40)) as (app, pilot):
        await pilot.press("F")
        await sees(pilot, "3 faces  by name  no index (i)")
        await pilot.press("enter")
        words = "not in the index; make the index (key i) to see the frame and the landmarks"
        assert words in words_of_pane(app, "frame")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.form.state.values["side"] == "dst"


async def test_the_stage_that_sorts_the_files_opens_for_this_side(faces: Workspace) -> None:
    async with opened(faces) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        assert isinstance(app.screen, StageScreen)
        assert app.screen.spec.id == "faceset-sort"
        assert app.screen.form.state.values["side"] == "src"


async def test_marks_and_place_are_there_again_after_leaving(faces: Workspace) -> None:
    async with opened(faces) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("l", "l", "space", "o")
        await sees(pilot, "Faces of dst", "3 faces")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("f")
        await sees(pilot, "1 marked", "3.  00003_0.jpg  marked")


async def test_changes_on_disk_are_followed(faces: Workspace) -> None:
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        (faces.src.aligned / "00001_0.jpg").rename(faces.src.aligned / "99999_0.jpg")
        await sees(pilot, "12 faces  by name", "12.  99999_0.jpg  yaw +6°")
        Image.new("RGB", (32, 32)).save(faces.src.aligned / "00013_0.jpg")
        await sees(pilot, "1 not in the index (i)")


async def test_a_file_that_is_no_picture_is_told_and_can_be_trashed(faces: Workspace) -> None:
    (faces.src.aligned / "00000_0.jpg").write_bytes(b"no picture")
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "13 faces")
        await pilot.press("home")
        await sees(pilot, "1.  00000_0.jpg  00000_0.jpg: no readable picture")
        await pilot.press("x", "y")
        await sees(pilot, "12 faces")


async def test_nothing_is_moved_while_a_run_writes_the_faceset(faces: Workspace) -> None:
    run = made_run(faces, "faces-extract-done", alive=True)
    events = run.journal_path.read_bytes().splitlines(keepends=True)
    run.journal_path.write_bytes(b"".join(events[:-1]))  # not finished yet
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.press("x")
        await sees(pilot, "faces-extract is changing")
        assert len(face_names(faces)) == 12
        for face in faces.src.aligned.iterdir():
            face.unlink()
        await sees(pilot, "no faces in", "yet: faces-extract goes on")


async def test_an_empty_side_and_a_packed_one_say_what_to_do(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    async with opened(workspace) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "no faces in", "faces-extract makes them")
        workspace.dst.aligned.mkdir(parents=True)
        workspace.dst.pack.write_bytes(b"pack")
        await pilot.press("x")
        await sees(pilot, "no face to trash")
        await pilot.press("u", "enter", "space", "v", "j", "o")
        await sees(pilot, "the faces of dst are packed and not in the index", "faceset-unpack")


async def test_a_pack_is_seen_and_zoomed_but_not_marked(faces: Workspace) -> None:
    made_pack(faces, "src")
    async with opened(faces) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces  by name  packed: only to be seen", "1.  00001_0.jpg  yaw")
        await shows_colour(pilot, (80, 90, 175))  # the third face
        await pilot.press("space")
        await sees(pilot, "these faces are packed")
        await pilot.press("v", "a", "x", "l", "enter")
        await sees(pilot, "2.  00002_0.jpg", "00002.png")
        assert not browser(app).state.marks
        await shows_colour(pilot, (40, 90, 215))


async def test_a_name_with_markup_and_escapes_is_shown_as_text(workspace: Workspace) -> None:
    face = workspace.src.aligned / "00001_0.jpg"
    face.rename(workspace.src.aligned / "0[b]\x1b[2J[.jpg")
    async with opened(workspace) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "3 faces")
        await pilot.press("G")
        await sees(pilot, "3.  0[b][.jpg")
        await pilot.press("enter")
        await until(pilot, lambda: screen_text(pilot).count("0[b][.jpg") == 2)


def test_a_frame_is_looked_for_in_the_sides_folder_only(tmp_path: Path) -> None:
    (tmp_path / "data_src").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    for name in ("secret.png", "frame.jpg"):
        (tmp_path / "data_src" / name).write_bytes(b"x")
    assert frame_path(tmp_path / "data_src", "../secret.png").parent.name == "data_src"
    assert frame_path(tmp_path / "data_src", "frame.png").name == "frame.jpg"


async def test_a_click_takes_the_face_under_it(faces: Workspace) -> None:
    async with opened(faces) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        await pilot.click("FaceGrid", offset=(20, 8))
        await until(pilot, lambda: browser(app).state.cursor == 7)
        await pilot._post_mouse_events([MouseScrollUp], "FaceGrid", button=0)
        await until(pilot, lambda: browser(app).state.cursor == 1)
        await pilot._post_mouse_events([MouseScrollDown], "FaceGrid", button=0)
        await until(pilot, lambda: browser(app).state.cursor == 7)
        await pilot.click("FaceGrid", offset=(20, 2), times=2)
        await until(pilot, lambda: browser(app).zoomed)
        assert browser(app).state.cursor == 1


async def test_the_command_palette_leads_to_the_faces_of_either_side(faces: Workspace) -> None:
    async with opened(faces) as (app, pilot):
        await pilot.press("ctrl+p", *"faces of dst")
        await sees(pilot, "see, filter, mark")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, FacesetScreen))
        await sees(pilot, "Faces of dst")
