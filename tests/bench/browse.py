"""The app's browser of faces on a generated faceset: how soon it shows and answers a key."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from textual.pilot import Pilot

from engine.protocol.workspace import Workspace
from tests.tuiapp.faces_made import made_index
from tuiapp.app import FacewrightApp
from tuiapp.bridge.face_fields import FIELDS
from tuiapp.screens.faceset import FacesetScreen

FACES = 20_000
TRASHED = 500
PICTURES = 20  # so many different ones, each with an end of its own length
Row = tuple[str, float, str]


def measure() -> Iterator[Row]:
    """Rows of (what, value, unit); 120x40 cells of characters, no terminal behind them."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        _make_faces(workspace.src.aligned)
        made_index(workspace, "src")
        yield from asyncio.run(_browse(workspace))


def _make_faces(folder: Path) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    pictures = []
    for _ in range(PICTURES):
        coarse = Image.fromarray(random.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        encoded = BytesIO()
        coarse.resize((512, 512), Image.Resampling.BICUBIC).save(encoded, "JPEG", quality=90)
        pictures.append(encoded.getvalue())
    for n in range(FACES):
        data = pictures[n % PICTURES] + bytes(n % 300)
        (folder / f"{n + 1:05d}_0.jpg").write_bytes(data)


async def _browse(workspace: Workspace) -> list[Row]:
    app = FacewrightApp(workspace)
    async with app.run_test(size=(120, 40)) as pilot:
        await _until(lambda: app.survey is not None)
        began = time.perf_counter()
        app.open_faceset("src")
        await _until(lambda: isinstance(app.screen, FacesetScreen) and app.screen.state.shown)
        screen = app.screen
        assert isinstance(screen, FacesetScreen)
        listed_s = time.perf_counter() - began
        await _until(lambda: screen.grid.is_complete)
        rows = [
            (f"browser: {FACES} faces listed with their index", listed_s, "s"),
            ("browser: first page of thumbnails, none kept yet", time.perf_counter() - began, "s"),
        ]
        for key, what in (("right", "one face on"), ("pagedown", "one page on"), ("s", "order")):
            times = [await _answer_ms(screen, lambda k=key: pilot.press(k)) for _ in range(15)]
            rows.append((f"browser: key to new picture, {what}", statistics.median(times), "ms"))
        rows += [row async for row in _clean(screen, pilot)]
    return rows


async def _clean(screen: FacesetScreen, pilot: Pilot[None]) -> AsyncIterator[Row]:
    """What a user does to get rid of bad faces, each from the first key to what it shows."""
    state = screen.state

    async def took(what: str, keys: Sequence[str], done: Callable[[], object]) -> Row:
        began = time.perf_counter()
        await pilot.press(*keys)
        await _until(done)
        return f"browser: {what}", time.perf_counter() - began, "s"

    await pilot.press("g")
    typed = ["slash", *"sharp>5000", "enter"]
    yield await took("filter of 10 keys", typed, lambda: 0 < len(state.shown) < FACES)
    yield await took("all shown again", ["escape"], lambda: len(state.shown) == FACES)
    for field in (field for field in FIELDS if field is not state.order):
        state.sort_by(field)
        yield await took(f"turned order by {field.name}", ["S"], lambda: state.descending)
    await pilot.press("g", "v")
    state.move_to(TRASHED - 1)
    yield await took(f"range of {TRASHED} marked", ["v"], lambda: len(state.marks) == TRASHED)
    left = FACES - TRASHED
    yield await took(f"{TRASHED} faces to the trash", ["x", "y"], lambda: len(state.faces) == left)
    yield await took(f"{TRASHED} faces back", ["u"], lambda: len(state.faces) == FACES)
    yield await took("near duplicates found", ["d"], lambda: state.limit_label)


async def _answer_ms(screen: FacesetScreen, press: Callable[[], object]) -> float:
    drawn = screen.grid.stats.sent
    began = time.perf_counter()
    await press()  # type: ignore[misc]
    await _until(lambda: screen.grid.stats.sent > drawn)
    return (time.perf_counter() - began) * 1000


async def _until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.002)
