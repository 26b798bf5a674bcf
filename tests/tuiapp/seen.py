"""What a user of the app sees and waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from engine.protocol.workspace import Workspace
from tuiapp.app import FacewrightApp

SMALL = (80, 24)
SIZES = (SMALL, (120, 40), (200, 60))


@asynccontextmanager
async def opened(
    workspace: Workspace, size: tuple[int, int] = SMALL, attach: str | None = None
) -> AsyncIterator[tuple[FacewrightApp, Pilot[None]]]:
    """The app on a workspace, looked at once."""
    app = FacewrightApp(workspace, attach=attach)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.survey is not None)
        yield app, pilot


class HeldReading:
    """Functions that read: they begin, and are held until `go_on` is set. begun: how often."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = threading.Event()

    def of(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """`read`, held."""

        def held(*given: object) -> Any:
            self.begun += 1
            self.go_on.wait(15)
            return read(*given)

        return held


async def until(pilot: Pilot[None], true: Callable[[], object], limit_s: float = 15.0) -> None:
    """Let the app work until `true()`; fails with the screen's text when it never is."""
    deadline, pause_s = time.monotonic() + limit_s, 0.005
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"never came about; the screen:\n{screen_text(pilot)}")
        await pilot.pause(pause_s)
        pause_s = min(0.05, 2 * pause_s)
    await pilot.pause(0)  # what came about comes to its end: rows just made are shown or not


async def sees(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all texts stand on the screen; a long line may be broken anywhere in them."""
    await until(pilot, lambda: all(_stands(text, screen_text(pilot)) for text in texts))


def _stands(text: str, screen: str) -> bool:
    return text in screen or text in " ".join(screen.split())


def screen_text(pilot: Pilot[None]) -> str:
    """The screen as lines of text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
