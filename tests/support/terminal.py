"""A real terminal without a screen: a program inside tmux, typed to and read by its text."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Terminal:
    """One tmux server with one window."""

    socket: str

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names ("Enter", "F5", "x")."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *parts: str, timeout_s: float = 60) -> str:
        """The screen once all `parts` are on it."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            shown = self.screen()
            if all(part in shown for part in parts):
                return shown
            time.sleep(0.1)  # the screen is only to be had by looking again
        raise AssertionError(f"{parts} did not appear within {timeout_s} s:\n{self.screen()}")

    def pid(self) -> int:
        """The process id of the program in the window."""
        return int(self._tmux("display", "-p", "#{pane_pid}"))

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            ["tmux", "-L", self.socket, *words],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout


@contextmanager
def in_tmux(*command: str | Path, columns: int = 100, rows: int = 30) -> Iterator[Terminal]:
    """The `facewright` command with `command` words in a new tmux. Skips where tmux is missing."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = f"facewright-test-{os.getpid()}-{time.monotonic_ns()}"
    program = shlex.join([sys.executable, "-P", "-m", "tuiapp", *map(str, command)])
    # Test runners set COLUMNS and LINES, which would hide the window's real size.
    shell = f"exec env -u COLUMNS -u LINES LC_ALL=C.UTF-8 {program}"
    subprocess.run(
        [
            "tmux",
            "-L",
            socket,
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(rows),
            shell,
        ],
        check=True,
        timeout=20,
    )
    try:
        yield Terminal(socket)
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], check=False, capture_output=True)
