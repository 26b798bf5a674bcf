"""How long a user waits for the first sign of life."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import tempfile
import termios
import time
from collections.abc import Iterator

from tests.support.command import COMMAND, facewright

REPEATS = 5


def measure() -> Iterator[tuple[str, float, str]]:
    """Rows of (what, value, unit)."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        facewright("--help")
        times.append(time.perf_counter() - began)
    yield "facewright --help, median", statistics.median(times) * 1000, "ms"
    with tempfile.TemporaryDirectory() as folder:
        paints = [_first_paint_s(folder) for _ in range(REPEATS)]
    yield "app, start to first paint in a pty, median", statistics.median(paints) * 1000, "ms"


def _first_paint_s(folder: str) -> float:
    """Seconds from exec until the home screen's text arrives; answers the terminal's questions."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(COMMAND[0], [*COMMAND, folder])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = b""
    while b"Stages" not in shown and time.perf_counter() - began < 20:
        if select.select([terminal], [], [], 0.02)[0]:
            data = os.read(terminal, 65536)
            shown += data
            if b"\x1b[c" in data:
                os.write(terminal, b"\x1b[?62;c")
    took = time.perf_counter() - began
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return took
