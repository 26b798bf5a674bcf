"""The other end of a pseudo terminal: runs a program and answers it like a sixel terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.graphics.test_choice import XTERM_379

ROOT = Path(__file__).resolve().parents[2]
_ROWS, _COLUMNS, _CELL_PX = 40, 100, (9, 19)
_FENCE = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")
_PATIENCE_S = 60.0


@dataclass
class PtyTerminal:
    """Answers the probe at once and each fence `ack_delay_s` after it came, if at all."""

    ack_delay_s: float | None
    heard: bytes = b""
    most_unanswered: int = 0
    fences: int = 0
    _probed: bool = False
    _due: list[tuple[float, bytes]] = field(default_factory=list)

    def run(self, *arguments: str) -> None:
        """Runs `python arguments...` to its end. Raises AssertionError where it fails."""
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            # readline, which pytest loads, sets LINES and COLUMNS behind Python's back.
            wanted = {k: v for k, v in os.environ.items() if k not in ("TMUX", "LINES", "COLUMNS")}
            os.execve(sys.executable, [sys.executable, *arguments], wanted)
        size = struct.pack("HHHH", _ROWS, _COLUMNS, _COLUMNS * _CELL_PX[0], _ROWS * _CELL_PX[1])
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)
        ends_at_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < ends_at_s and self._step(master):
            pass
        _, status = os.waitpid(pid, 0)
        os.close(master)
        assert status == 0, self.heard[-2000:]

    def _step(self, master: int) -> bool:
        now_s = time.monotonic()
        for due in [due for due in self._due if due[0] <= now_s]:
            os.write(master, due[1])
            self._due.remove(due)
        if select.select([master], [], [], 0.005)[0]:
            try:
                piece = os.read(master, 1 << 16)
            except OSError:  # the program closed its end
                return False
            self._listen(master, piece)
        return True

    def _listen(self, master: int, piece: bytes) -> None:
        overlap = 24  # a fence may come in two pieces
        known = len(self.heard)
        self.heard += piece
        if not self._probed and b"\x1b[c" in self.heard:
            self._probed = True
            os.write(master, XTERM_379)
        for fence in _FENCE.finditer(self.heard, max(0, known - overlap)):
            if fence.end() > known:
                self.fences += 1
                if self.ack_delay_s is not None:
                    answer = b"\x1b[%s;%sR" % fence.groups()
                    self._due.append((time.monotonic() + self.ack_delay_s, answer))
        self.most_unanswered = max(self.most_unanswered, len(self._due))
