"""The `facewright` command on a pseudo terminal of its own, answered as a terminal with or without
pictures would answer: keys and the mouse as bytes, repaints with their times."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.protocol.workspace import Workspace
from engine.runtime import client

CELL_PX = (10, 20)
# What terminals answer to the probe's questions; see `tests/graphics/test_choice.py`.
SIXEL = (
    b"\x1bP>|XTerm(398)\x1b\\\x1b[?2026;0$y\x1b[?1016;2$y\x1b[6;20;10t\x1b[?1;0;256S"
    b"\x1b[?2;0;4000;4000S\x1b[?63;1;2;4;6;9;15;16;22;28c"
)
KITTY = (
    b"\x1bP>|kitty(0.41.1)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?2026;2$y\x1b[?1016;2$y\x1b[6;20;10t"
    b"\x1b[?62;52c"
)
BLOCKS = b"\x1bP>|XTerm(398)\x1b\\\x1b[?2026;0$y\x1b[?1016;2$y\x1b[6;20;10t\x1b[?64;1;2c"

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")
_PATIENCE_S = 90.0
# Quiet for so long: nothing more is drawn for what was done before.
_QUIET_S = 0.7


@dataclass
class PtyApp:
    """fences: when the end of each drawn frame reached the terminal."""

    pid: int
    master: int
    answers: bytes
    heard: bytearray = field(default_factory=bytearray)
    fences: list[float] = field(default_factory=list)
    heard_at: float = 0.0
    _probed: bool = False
    _scanned: int = 0

    def send(self, data: bytes) -> None:
        """Keys, as the terminal encodes them."""
        os.write(self.master, data)

    def click(self, x_px: float, y_px: float, *, modifiers: int = 0) -> None:
        """The left button at a pixel of the screen, counted from 0; as SGR pixels tell it."""
        place = b"%d;%d" % (int(x_px) + 1, int(y_px) + 1)
        for state in (b"M", b"m"):
            self.send(b"\x1b[<%d;%s%s" % (modifiers, place, state))

    def wheel_up(self, x_px: float, y_px: float) -> None:
        """A notch of the wheel, away from the user, at a pixel of the screen."""
        self.send(b"\x1b[<64;%d;%dM" % (int(x_px) + 1, int(y_px) + 1))

    def drag(self, start_px: tuple[float, float], end_px: tuple[float, float]) -> None:
        """Press at a pixel, move, release at another."""
        (x0, y0), (x1, y1) = start_px, end_px
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        steps = ((0, start_px, b"M"), (32, middle, b"M"), (32, end_px, b"M"), (0, end_px, b"m"))
        for button, (x, y), state in steps:
            self.send(b"\x1b[<%d;%d;%d%s" % (button, int(x) + 1, int(y) + 1, state))

    def wait_for(self, true: Callable[[], object], timeout_s: float = _PATIENCE_S) -> None:
        """Until that is so."""
        ends_at_s = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < ends_at_s, bytes(self.heard[-3000:])
            time.sleep(0.02)  # what is waited for happens in other processes

    def wait_until_runs_end(self, root: Path) -> None:
        """Until no run of the workspace goes on."""
        self.wait_for(lambda: not any(run.state.live for run in client.list_runs(Workspace(root))))

    def wait_for_text(self, text: str, since: int = 0) -> None:
        """Until that was written (in one piece: what is repainted whole)."""
        self.wait_for(lambda: text.encode() in self.heard[since:])

    def wait_until_quiet(self) -> None:
        """Until nothing has been drawn for a while."""
        self.wait_for(lambda: time.monotonic() - self.heard_at > _QUIET_S)

    def repaint_ms(self, data: bytes) -> float:
        """From sending a key to the end of the frame that is drawn for it."""
        self.wait_until_quiet()
        drawn = len(self.fences)
        began = time.monotonic()
        self.send(data)
        self.wait_for(lambda: len(self.fences) > drawn)
        return (self.fences[drawn] - began) * 1000

    def listen(self) -> None:
        """In a thread: hear and answer until the program is gone."""
        while True:
            try:
                select.select([self.master], [], [])
                piece = os.read(self.master, 1 << 16)
            except (OSError, ValueError):
                return
            if not piece:
                return
            self.heard += piece
            self.heard_at = time.monotonic()
            self._answer()

    def _answer(self) -> None:
        if not self._probed and b"\x1b[c" in self.heard:
            self._probed = True
            os.write(self.master, self.answers)
        for fence in _FENCE.finditer(self.heard, self._scanned):
            self.fences.append(self.heard_at)
            self._scanned = fence.end()
            with suppress(OSError):
                os.write(self.master, b"\x1b[%s;%sR" % fence.groups())


@contextmanager
def on_pty(
    *words: str | Path, answers: bytes = SIXEL, columns: int = 120, rows: int = 40
) -> Iterator[PtyApp]:
    """The command running in a terminal of that size; killed when the block ends."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        # readline, which pytest loads, sets LINES and COLUMNS behind Python's back.
        kept = {k: v for k, v in os.environ.items() if k not in ("TMUX", "LINES", "COLUMNS")}
        kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        program = [sys.executable, "-P", "-m", "tuiapp", *map(str, words)]
        os.execve(sys.executable, program, kept)
    size = struct.pack("HHHH", rows, columns, columns * CELL_PX[0], rows * CELL_PX[1])
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    app = PtyApp(pid, master, answers)
    listener = threading.Thread(target=app.listen, daemon=True)
    listener.start()
    try:
        yield app
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        listener.join(5)
        os.close(master)
