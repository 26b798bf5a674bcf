"""Frames looked through, marked, their debug pictures deleted, and extracted again."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Static

from engine.protocol.frame_marks import (
    BY_HAND,
    KEEP,
    NO_FACE,
    SUSPICIOUS,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
    set_reason,
)
from engine.protocol.workspace import Workspace
from tests.tuiapp.seen import SIZES, HeldReading, opened, sees, until
from tuiapp.app import FacewrightApp
from tuiapp.bridge.frame_review import FrameLook, FrameReview, look_at_frames
from tuiapp.screens.debug_review.screen import DebugReviewScreen
from tuiapp.screens.stage import StageScreen
from tuiapp.widgets.face_zoom import read_rgb


@pytest.fixture
def reviewed(workspace: Workspace) -> Workspace:
    """30 frames of dst with debug pictures; one suspicious, two without a face."""
    side = workspace.dst
    side.aligned_debug.mkdir()
    for number in range(1, 31):
        Image.new("RGB", (64, 36), (20, 20, 60)).save(side.frames / f"{number:05d}.png")
        Image.new("RGB", (64, 36), (200, 20, 20)).save(side.aligned_debug / f"{number:05d}.jpg")
    mark(workspace, SUSPICIOUS, "00007.png", note="the landmarks jump by 8 %")
    mark(workspace, NO_FACE, "00012.png", "00020.png")
    return workspace


def mark(workspace: Workspace, reason: str, *names: str, note: str = "") -> None:
    notes = dict.fromkeys(names, note)
    path = marks_path(workspace, "dst")
    change_marks(path, lambda marks: set_reason(marks, reason, notes, names))


def marked(workspace: Workspace, reason: str) -> list[str]:
    return frames_with(read_marks(marks_path(workspace, "dst")), reason)


def screen(app: FacewrightApp) -> DebugReviewScreen:
    assert isinstance(app.screen, DebugReviewScreen)
    return app.screen


async def is_at(pilot: Pilot[None], name: str, *more: str) -> None:
    await sees(pilot, f"{name}.png", *more)


async def test_the_review_is_seen_whole_at_every_size(reviewed: Workspace) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await is_at(pilot, "00001", "1 of 30")
            await sees(pilot, "2 without a face (w), 1 suspicious (s)")
            await sees(pilot, "space Bad", "x Delete", "e Again", "esc Leave", "f1 Help")


@pytest.mark.parametrize("what", ["frames", "picture"])
async def test_the_review_may_be_left_while_it_reads(
    reviewed: Workspace, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    held = HeldReading()
    async with opened(reviewed) as (app, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        review = screen(app)
        await until(pilot, lambda: review._shown is not None)
        module = "tuiapp.screens.debug_review.screen"
        monkeypatch.setattr(f"{module}.look_at_frames", held.of(look_at_frames))
        monkeypatch.setattr(f"{module}.read_rgb", held.of(read_rgb))
        review._version = review._shown = None
        reading = asyncio.create_task(
            review._look() if what == "frames" else review._show_picture("00001.png")
        )
        await until(pilot, lambda: held.begun)
        await pilot.press("escape")
        await until(pilot, lambda: not review.children)
        held.go_on.set()
        await reading


async def test_keys_go_through_frames_by_one_and_ten_and_stop_at_the_ends(
    reviewed: Workspace,
) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("l", "right")
        await is_at(pilot, "00003", "3 of 30")
        await pilot.press("down", "j", "j", "j")
        await is_at(pilot, "00030", "30 of 30")
        await pilot.press("up", "left")
        await is_at(pilot, "00019", "19 of 30")
        await pilot.press("g", "k")
        await is_at(pilot, "00001", "1 of 30")


async def test_keys_find_suspicious_frames_and_those_without_a_face(reviewed: Workspace) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("s")
        await is_at(pilot, "00007", "7 of 30", "suspicious: the landmarks jump by 8 %")
        await pilot.press("w")
        await is_at(pilot, "00012", "12 of 30", "without a face")
        await pilot.press("w")
        await is_at(pilot, "00020", "20 of 30")
        await pilot.press("w")
        await is_at(pilot, "00012", "12 of 30")
        await pilot.press("W")
        await is_at(pilot, "00020", "20 of 30")
        await pilot.press("m")
        await sees(pilot, "no frame is marked")


async def test_a_frame_is_marked_with_a_reason_and_unmarked(reviewed: Workspace) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("space")
        await sees(pilot, "1 marked (m)")
        assert marked(reviewed, BY_HAND) == ["00001.png"]
        await pilot.press("n")
        await sees(pilot, "What is wrong with 00001.png?")
        await pilot.press(*"chin", "enter")
        await sees(pilot, "marked: chin")
        await pilot.press("space")
        await until(pilot, lambda: marked(reviewed, BY_HAND) == [])
        await pilot.press("K")
        await sees(pilot, "kept as is")
        assert marked(reviewed, KEEP) == ["00001.png"]


async def test_fast_keys_lose_no_mark(reviewed: Workspace) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("space", "l", "space", "l", "space", "l", "space", "space")
        await until(pilot, lambda: len(marked(reviewed, BY_HAND)) == 3)
        await sees(pilot, "3 marked (m)")
        assert marked(reviewed, BY_HAND) == ["00001.png", "00002.png", "00003.png"]


async def test_a_debug_picture_goes_to_the_trash_and_back(reviewed: Workspace) -> None:
    picture = reviewed.dst.aligned_debug / "00002.jpg"
    content = picture.read_bytes()
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("l", "x")
        await sees(pilot, "debug picture deleted", "1 deleted")
        assert not picture.exists()
        assert [path.read_bytes() for path in reviewed.trash.rglob("00002.jpg")] == [content]
        await pilot.press("u")
        await until(pilot, picture.exists)
        assert picture.read_bytes() == content
        await pilot.press("u")
        await sees(pilot, "no debug picture was deleted here")


async def test_marked_frames_lead_to_their_extraction_by_detector_or_by_hand(
    reviewed: Workspace,
) -> None:
    async with opened(reviewed) as (app, pilot):
        for presses, stage, frames in (
            (["enter"], "faces-extract", "marked"),
            (["j", "j", "j", "enter"], "faces-manual", "deleted-debug"),
        ):
            await pilot.press("d")
            await is_at(pilot, "00001", "1 of 30")
            await pilot.press("e")
            await sees(pilot, "Which frames again, and how?")
            counts = app.screen.query_one("#note", Static)
            assert "2 without a face (w), 1 suspicious (s)" in str(counts.render())
            await pilot.press(*presses)
            await until(pilot, lambda: isinstance(app.screen, StageScreen))
            form = app.screen
            assert isinstance(form, StageScreen)
            assert form.spec.id == stage
            await until(pilot, partial(_asks_for, form, frames))
            await pilot.press("f2")


async def test_the_picture_is_that_with_landmarks_else_the_frame(reviewed: Workspace) -> None:
    async with opened(reviewed) as (app, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await until(pilot, lambda: screen(app)._shown is not None)
        assert screen(app)._shown == reviewed.dst.aligned_debug / "00001.jpg"
        await pilot.press("x")
        await until(pilot, lambda: screen(app)._shown == reviewed.dst.frames / "00001.png")


async def test_without_debug_pictures_it_says_how_to_get_them(reviewed: Workspace) -> None:
    for picture in reviewed.dst.aligned_debug.iterdir():
        picture.unlink()
    async with opened(reviewed, size=(120, 30)) as (app, pilot):
        await pilot.press("d")
        await sees(pilot, "no debug pictures: key p makes them")
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, StageScreen))
        form = app.screen
        assert isinstance(form, StageScreen)
        await until(pilot, lambda: form.form.state.values["debug_images"] == "yes")


async def test_marks_that_cannot_be_used_are_told_and_stay(reviewed: Workspace) -> None:
    path = marks_path(reviewed, "dst")
    path.write_bytes(b"{")
    async with opened(reviewed) as (app, pilot):
        await pilot.press("d")
        await until(
            pilot,
            lambda: "cannot be used" in str(screen(app).query_one("#nothing", Static).content),
        )
        await pilot.press("space")
    assert path.read_bytes() == b"{"


async def test_what_an_extraction_changes_is_seen_and_the_place_is_kept(
    reviewed: Workspace,
) -> None:
    async with opened(reviewed) as (_, pilot):
        await pilot.press("d")
        await is_at(pilot, "00001", "1 of 30")
        await pilot.press("j")
        await is_at(pilot, "00011", "11 of 30")
        (reviewed.dst.frames / "00001.png").unlink()
        mark(reviewed, NO_FACE, "00011.png")
        await is_at(pilot, "00011", "10 of 29", "without a face")


def _asks_for(form: StageScreen, frames: str) -> bool:
    return bool(form.form.state.values["frames"] == frames)


def test_an_empty_side_has_no_frame_to_seek() -> None:
    review = FrameReview("dst")
    review.take(FrameLook())
    review.move(1)
    assert review.current is None
    assert not review.seek(lambda mark: True, 1)
