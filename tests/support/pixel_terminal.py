"""The other end of a pseudo terminal: types to the app, and notes when pictures are complete."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import COMMAND

# What xterm answers to the app's questions; with `protocol` the app draws otherwise all the same.
_ANSWER = (
    b"\x1bP>|XTerm(379)\x1b\\\x1b[?2026;0$y\x1b[?1;0;1024S\x1b[?2;0;2000;2000S"
    b"\x1b[?63;1;2;4;6;9;15;16;22;28c"
)
# The app asks for the cursor's place behind each picture: so it learns that the terminal drew it.
_FENCE = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")
_LONGEST_FENCE = 24
_TEXT_KEPT = 1 << 20


@dataclass
class PixelTerminal:
    """pictures: when each picture was complete, by `time.monotonic`. Every one is answered at once,
    as a terminal does that draws in no time."""

    pid: int
    master: int
    pictures: list[float] = field(default_factory=list)
    heard: bytes = b""
    _is_asked: bool = False

    def type(self, keys: str) -> float:
        """Press keys, one character each; returns when."""
        pressed_at = time.monotonic()
        os.write(self.master, keys.encode())
        return pressed_at

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Take in what the app sends, for so long or until something is true; whether it is."""
        ends_at = time.monotonic() + seconds
        while not until():
            left = ends_at - time.monotonic()
            if left <= 0:
                return False
            if select.select([self.master], [], [], min(left, 0.05))[0]:
                self._hear(self._read())
        return True

    def wait_for(self, text: str, seconds: float = 120) -> None:
        """Until the app has written that text in one piece."""
        wanted = text.encode()
        assert self.listen(seconds, lambda: wanted in self.heard), self.heard[-2000:]

    def wait_for_picture(self, since: float, seconds: float = 20) -> float:
        """When the first picture after `since` was complete."""
        found = self.listen(seconds, lambda: bool(self.pictures) and self.pictures[-1] > since)
        assert found, "no picture came"
        return next(at for at in self.pictures if at > since)

    def wait_for_rest(self, quiet_s: float = 0.6, seconds: float = 60) -> None:
        """Until no picture came for a while."""
        began = time.monotonic()
        self.listen(seconds, lambda: time.monotonic() - max([began, *self.pictures[-1:]]) > quiet_s)

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 1 << 16)
        except OSError as error:
            raise AssertionError(f"the app is gone: {self.heard[-2000:]!r}") from error

    def _hear(self, piece: bytes) -> None:
        known = len(self.heard)
        self.heard += piece
        if not self._is_asked and b"\x1b[c" in self.heard:
            self._is_asked = True
            os.write(self.master, _ANSWER)
        for fence in _FENCE.finditer(self.heard, max(0, known - _LONGEST_FENCE)):
            if fence.end() > known:
                self.pictures.append(time.monotonic())
                os.write(self.master, b"\x1b[%s;%sR" % fence.groups())
        if len(self.heard) > 2 * _TEXT_KEPT:
            self.heard = self.heard[-_TEXT_KEPT:]


@contextmanager
def pixel_terminal(
    *words: str | Path,
    protocol: str = "sixel",
    columns: int = 120,
    rows: int = 40,
    cell_px: tuple[int, int] = (9, 18),
) -> Iterator[PixelTerminal]:
    """The `facewright` command with `words` in a new terminal of that size; killed at the end."""
    pid, master = pty.fork()
    if pid == 0:
        # Test runners set COLUMNS and LINES, which would hide the terminal's real size.
        kept = {k: v for k, v in os.environ.items() if k not in ("TMUX", "LINES", "COLUMNS")}
        kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        kept |= {"FACEWRIGHT_GRAPHICS": protocol}
        os.execve(COMMAND[0], [*COMMAND, *map(str, words)], kept)
    size = struct.pack("HHHH", rows, columns, columns * cell_px[0], rows * cell_px[1])
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)
    try:
        yield PixelTerminal(pid, master)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)
