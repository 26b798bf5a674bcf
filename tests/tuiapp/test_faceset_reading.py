"""The browser of faces with files that are late, gone, damaged or no faces."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3

import pytest
from PIL import Image

from engine.protocol.errors import InputError
from engine.protocol.face_index import index_path
from engine.protocol.workspace import Side, Workspace
from tests.tuiapp.seen import HeldReading, opened, sees, until
from tests.tuiapp.test_faceset import browser
from tuiapp.bridge.face_facts import read_faceset
from tuiapp.bridge.face_fields import Face
from tuiapp.bridge.face_folder import read_face_file
from tuiapp.screens.faceset import FacesetScreen
from tuiapp.widgets.face_zoom import FaceZoom


async def test_files_that_the_index_left_out_are_told_apart_from_those_it_does_not_know(
    faces: Workspace,
) -> None:
    file = faces.src.aligned / "00000_0.jpg"
    Image.new("RGB", (32, 32)).save(file)
    left_out = (file.name, file.stat().st_mtime_ns, file.stat().st_size, "it has no face metadata")
    with sqlite3.connect(index_path(faces, "src")) as connection:
        connection.execute("INSERT INTO skipped VALUES (?, ?, ?, ?)", left_out)
    connection.close()
    Image.new("RGB", (32, 32)).save(faces.src.aligned / "00013_0.jpg")
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "14 faces  by name  1 without face data  1 not in the index (i)")
        await pilot.press("g", "enter")
        await sees(pilot, "1.  00000_0.jpg  no face: it has no face metadata")


async def test_a_file_that_could_not_be_read_is_tried_again_on_looking_again(
    faces: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_access(_: Side, face: Face) -> bytes:
        raise InputError(f"{face.name}: Input/output error", "look again (key r)")

    monkeypatch.setattr("tuiapp.bridge.thumbnails.read_face_file", no_access)
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "00001_0.jpg: Input/output error")
        monkeypatch.undo()
        await pilot.press("r")
        await sees(pilot, "1.  00001_0.jpg  yaw +6°")


async def test_a_folder_that_cannot_be_listed_says_so_for_good(workspace: Workspace) -> None:
    shutil.rmtree(workspace.src.aligned)
    workspace.src.aligned.write_bytes(b"")
    async with opened(workspace) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "cannot list")
        app.clear_notifications()
        await pilot.pause()
        await sees(pilot, "cannot list", "check the folder and its rights")


async def test_a_look_that_takes_long_is_let_finish(
    faces: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, painted = HeldReading(), []

    def counted_paint(screen: FacesetScreen) -> None:
        painted.append(screen)
        paint(screen)

    paint = FacesetScreen.paint
    monkeypatch.setattr("tuiapp.screens.faceset.read_faceset", held.of(read_faceset))
    monkeypatch.setattr("tuiapp.screens.faceset.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(FacesetScreen, "paint", counted_paint)
    async with opened(faces) as (_, pilot):
        await pilot.press("f")
        await sees(pilot, "looking ...")
        await until(pilot, lambda: len(painted) > 3)
        assert held.begun == 1
        held.go_on.set()
        await sees(pilot, "12 faces")


@pytest.mark.parametrize("what", ["faces", "picture"])
async def test_the_screen_may_be_left_while_it_reads(
    faces: Workspace, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    held = HeldReading()
    async with opened(faces) as (app, pilot):
        await pilot.press("f")
        await sees(pilot, "12 faces")
        screen = browser(app)
        monkeypatch.setattr("tuiapp.screens.faceset.read_faceset", held.of(read_faceset))
        monkeypatch.setattr("tuiapp.widgets.face_zoom.read_face_file", held.of(read_face_file))
        screen._version = None
        zoom = screen.query_one(FaceZoom)
        assert screen.state.current is not None
        reading = asyncio.create_task(
            screen._look() if what == "faces" else zoom._load(screen.state.current)
        )
        await until(pilot, lambda: held.begun)
        await pilot.press("escape")
        await until(pilot, lambda: not screen.children)
        held.go_on.set()
        await reading
