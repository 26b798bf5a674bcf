"""From a key to the picture in the window of a manual extraction, through the real app in a pseudo
terminal and a real session: a frame of 512 px.

A moved point is drawn by the app alone; a moved square is drawn at once, and again with the
landmarks that the session finds in it.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import psutil

from engine.protocol.commands import Stop
from engine.protocol.workspace import Workspace
from engine.runtime import client
from tests.bench.keys import cpu_s
from tests.bench.merging import _frame
from tests.support.pixel_terminal import PixelTerminal, pixel_terminal

FRAME_HW = (512, 512)
FRAMES = 4
PRESSES = 30
PROTOCOLS = ("sixel", "kitty", "quadrant")
RIGHT, LEFT = "\x1b[C", "\x1b[D"


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder))
        run = client.start_run(workspace, "faces-manual", {"frames": "all", "accurate": False})
        engine = run.process()
        assert engine is not None
        session = psutil.Process(engine.pid)
        try:
            for protocol in PROTOCOLS:
                with pixel_terminal(workspace.root, protocol=protocol) as terminal:
                    _enter(terminal)
                    yield from _presses(terminal, session, f"the square moved, {protocol}")
                    terminal.type("l\t\t")  # locked, the jaw chosen
                    yield from _presses(terminal, session, f"points moved, {protocol}")
                    terminal.type("\x1b")
                    terminal.listen(0.5)
                    terminal.type("l")
                    terminal.wait_for_rest()
        finally:
            client.send(run, Stop())
            session.wait(60)


def _enter(terminal: PixelTerminal) -> None:
    terminal.wait_for("running")
    terminal.type("\x1bOR")  # F3
    terminal.wait_for(f"1/{FRAMES}")
    terminal.wait_for_rest()


def _presses(
    terminal: PixelTerminal, session: psutil.Process, what: str
) -> Iterator[tuple[str, float, str]]:
    processes = {"app": psutil.Process(terminal.pid), "session": session}
    before = {name: cpu_s(process) for name, process in processes.items()}
    times = []
    for number in range(PRESSES):
        terminal.wait_for_rest(quiet_s=0.4)
        pressed_at = terminal.type(LEFT if number % 2 else RIGHT)
        times.append(terminal.wait_for_picture(pressed_at) - pressed_at)
    ordered = sorted(times)
    yield f"key to picture, {what}: median", statistics.median(ordered) * 1000, "ms"
    slow = ordered[round(0.95 * (len(ordered) - 1))]
    yield f"key to picture, {what}: 95 % within", slow * 1000, "ms"
    for name, process in processes.items():
        each_s = (cpu_s(process) - before[name]) / PRESSES
        yield f"  CPU of the {name} a key, to its rest", each_s * 1000, "ms"


def _workspace(root: Path) -> Workspace:
    workspace = Workspace(root)
    workspace.dst.frames.mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(workspace.dst.frames / f"{number:05d}.png"), _frame(FRAME_HW))
    return workspace
