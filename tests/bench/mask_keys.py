"""The mask editor on a pseudo terminal: from a key to the end of the frame that is drawn for it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.stages.label_session.large_faces import large_faces
from tests.support.pty_app import BLOCKS, KITTY, SIXEL, PtyApp, on_pty

KEYS = 9
TERMINALS = (("sixel", SIXEL), ("kitty", KITTY), ("characters", BLOCKS))
# What is pressed over and over: each press changes the picture.
ACTIONS = (
    ("cursor", [b"\x1b[C"]),
    ("point", [b"\x1b[C\r"]),
    ("zoom", [b"+"]),
    ("colour", [b"1", b"2", b"3"]),
)
Row = tuple[str, float, str]


def measure() -> Iterator[Row]:
    """Rows of (what, value, unit): medians, and the app's CPU time for a key, which a busy machine
    changes less; a face of 512 px in a terminal of 120x40 cells of 10x20 px."""
    for name, answers in TERMINALS:
        with tempfile.TemporaryDirectory() as folder:
            large_faces(Path(folder))
            with on_pty(folder, answers=answers) as app:
                yield from _editing(app, name)
                _end(app, Path(folder))


def _editing(app: PtyApp, terminal: str) -> Iterator[Row]:
    process = psutil.Process(app.pid)
    app.wait_for_text("Home")
    app.wait_until_quiet()
    app.send(b"M")
    app.wait_for_text("zoom 1.0")
    for what, keys in ACTIONS:
        before = sum(process.cpu_times()[:2])
        times = [app.repaint_ms(keys[n % len(keys)]) for n in range(KEYS)]
        cpu_ms = (sum(process.cpu_times()[:2]) - before) * 1000 / KEYS
        yield f"masks: key to repaint, {terminal}, {what}", statistics.median(times), "ms"
        yield f"masks: CPU for it, {terminal}, {what}", cpu_ms, "ms"


def _end(app: PtyApp, root: Path) -> None:
    """End the session: out of what is begun, and of the screen."""
    app.send(b"\x1b")
    app.wait_for_text("end the session")
    app.send(b"\x1b[B\r")
    app.wait_until_runs_end(root)
