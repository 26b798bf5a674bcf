"""From a key to the picture, through the real app in a pseudo terminal and a real session.

640x360 frames, a small model; predictions are at hand, as they are after the first look. A picture
counts when the terminal has all of it.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import psutil

from engine.protocol.commands import Stop
from engine.protocol.workspace import Workspace
from engine.runtime import client
from engine.train.generations import Generations
from tests.bench.merging import _frame, _landmarks
from tests.merge.workspace import write_face_of
from tests.models.tiny_saehd import saved_by, tiny_saehd
from tests.support.pixel_terminal import PixelTerminal, pixel_terminal

FRAME_HW = (360, 640)
FRAMES = 40
RESOLUTION = 128
PRESSES = 30
PROTOCOLS = ("sixel", "kitty")
BURST = 20


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder))
        with _session(workspace) as session:
            for protocol in PROTOCOLS:
                with pixel_terminal(workspace.root, protocol=protocol) as terminal:
                    _enter(terminal)
                    yield from _presses(terminal, session, "w", f"a look, {protocol}")
                    yield from _presses(terminal, session, ".", f"the next frame, {protocol}")
                    yield from _burst(terminal, protocol)


def _presses(
    terminal: PixelTerminal, session: psutil.Process, key: str, what: str
) -> Iterator[tuple[str, float, str]]:
    processes = {"app": psutil.Process(terminal.pid), "session": session}
    before = {name: cpu_s(process) for name, process in processes.items()}
    ordered = sorted(_times(terminal, key))
    yield f"key to picture, {what}: median", statistics.median(ordered) * 1000, "ms"
    slow = ordered[round(0.95 * (len(ordered) - 1))]
    yield f"key to picture, {what}: 95 % within", slow * 1000, "ms"
    for name, process in processes.items():
        each_s = (cpu_s(process) - before[name]) / PRESSES
        yield f"  CPU of the {name} a key, to its rest", each_s * 1000, "ms"


def cpu_s(process: psutil.Process) -> float:
    """All the time that the process took of the CPU so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _enter(terminal: PixelTerminal) -> None:
    """From home to the session's screen, and through all frames once, so that they are at hand."""
    terminal.wait_for("running")
    terminal.type("\x1bOR")  # F3
    terminal.wait_for_picture(since=0, seconds=120)
    for _ in range(PRESSES):
        terminal.type(".")
        terminal.listen(0.4)
    terminal.type("<")
    terminal.wait_for_rest()


def _times(terminal: PixelTerminal, key: str) -> list[float]:
    times = []
    for _ in range(PRESSES):
        terminal.wait_for_rest()
        pressed_at = terminal.type(key)
        times.append(terminal.wait_for_picture(pressed_at) - pressed_at)
    return times


def _burst(terminal: PixelTerminal, protocol: str) -> Iterator[tuple[str, float, str]]:
    """Twenty keys in a second: what is still drawn after the last one, and when the last came."""
    terminal.wait_for_rest()
    for _ in range(BURST):
        pressed_at = terminal.type("e")
        terminal.listen(1 / BURST)
    terminal.wait_for_picture(pressed_at)
    terminal.wait_for_rest()
    late = [at for at in terminal.pictures if at > pressed_at]
    yield f"{BURST} keys in a second, {protocol}: pictures after the last key", len(late), ""
    yield "  until the last of them", (max(late, default=pressed_at) - pressed_at) * 1000, "ms"


def _workspace(root: Path) -> Workspace:
    workspace = Workspace(root)
    workspace.dst.frames.mkdir(parents=True)
    picture = _frame(FRAME_HW)
    for number in range(1, FRAMES + 1):
        name = f"{number:05d}.png"
        cv2.imwrite(str(workspace.dst.frames / name), picture)
        write_face_of(workspace, name, landmarks=_landmarks(FRAME_HW[0]))
    saved = saved_by(tiny_saehd(resolution=RESOLUTION))
    Generations(workspace.model("tiny", "saehd")).write(saved.manifest, saved.state)
    return workspace


@contextmanager
def _session(workspace: Workspace) -> Iterator[psutil.Process]:
    run = client.start_run(workspace, "merge-session", {"model": "tiny", "model_class": "saehd"})
    engine = run.process()
    assert engine is not None
    process = psutil.Process(engine.pid)
    try:
        yield process
    finally:
        client.send(run, Stop())
        process.wait(60)
