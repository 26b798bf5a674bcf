"""A real xterm under a virtual X server, for tests that look at the pixels on the screen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

NEEDED = ("Xvfb", "xterm", "xdotool", "import")
ROOT = Path(__file__).resolve().parents[2]
_SCREEN_PX = (1100, 800)
_PATIENCE_S = 30.0  # two shared cores start a terminal and an app slowly
_BETWEEN_SHOTS_S = 0.2
_TMUX_CONFIGURATION = """
set -g allow-passthrough on
set -as terminal-features ",xterm*:RGB"
set -g default-terminal tmux-256color
set -sg escape-time 10
set -g focus-events on
set -g destroy-unattached on
"""


def needs_xterm() -> None:
    """Skips the test, with the reason, where no virtual terminal can be shown."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def sixel_tmux() -> str:
    """A tmux built with sixel (FACEWRIGHT_TEST_TMUX or the one on the path); skips without."""
    program = os.environ.get("FACEWRIGHT_TEST_TMUX") or shutil.which("tmux")
    if program is None:
        pytest.skip("no tmux")
    version = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stdout
    if b"sixel_parse" not in Path(program).resolve().read_bytes():
        pytest.skip(f"{version.strip()} was built without sixel")
    return program


class Screen:
    """The X screen with one xterm in its upper left corner, and the tmux in that, if any."""

    def __init__(self, display: str, tmux: list[str]) -> None:
        self._environment = {**os.environ, "DISPLAY": display}
        self._tmux = tmux

    def tmux(self, *command: str) -> str:
        """What tmux answers to a command."""
        return self._run(*self._tmux, *command).decode()

    def press(self, *keys: str) -> None:
        for key in keys:
            self._run("xdotool", "key", key)

    def shot(self) -> NDArray[np.uint8]:
        """The whole screen, (h, w, 3) uint8 RGB."""
        png = self._run("import", "-window", "root", "png:-")
        return np.asarray(Image.open(BytesIO(png)).convert("RGB"))

    def wait_for(self, claim: Callable[[NDArray[np.uint8]], bool]) -> NDArray[np.uint8]:
        """The first picture of the screen that `claim` holds for; the last one at the deadline."""
        ends_at_s = time.monotonic() + _PATIENCE_S
        while True:
            picture = self.shot()
            if claim(picture) or time.monotonic() > ends_at_s:
                return picture
            time.sleep(_BETWEEN_SHOTS_S)

    def _run(self, *command: str) -> bytes:
        result = subprocess.run(command, env=self._environment, capture_output=True, check=True)
        return result.stdout


@contextmanager
def xterm(tmp_path: Path, *command: str, tmux: str | None = None) -> Iterator[Screen]:
    """Runs `python command...` in a sixel-capable xterm, inside `tmux` where that is given."""
    needs_xterm()
    run = [sys.executable, *command]
    environment = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    if tmux:
        run = _in_tmux(tmux, tmp_path, run)
        environment["PATH"] = f"{Path(tmux).parent}:{os.environ['PATH']}"
    started: list[subprocess.Popen[bytes]] = []
    try:
        display = _start_x(tmp_path, started)
        settings = [f"{name}={value}" for name, value in environment.items()]
        _start_xterm(display, [*("env", "-u", "TMUX", *settings), *run], started)
        screen = Screen(display, [tmux, "-S", _socket(tmp_path)] if tmux else [])
        # Without a window manager the keyboard follows the pointer.
        screen._run("xdotool", "mousemove", "200", "200")
        yield screen
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(_PATIENCE_S)


def _start_x(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> str:
    width, height = _SCREEN_PX
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-nolisten", "tcp", "-noreset"]
    command += ["-screen", "0", f"{width}x{height}x24"]
    with (tmp_path / "xvfb.log").open("wb") as log:
        started.append(
            subprocess.Popen(command, pass_fds=[write_end], stderr=log, start_new_session=True)
        )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()
    if not number:
        raise RuntimeError(f"Xvfb did not start: {(tmp_path / 'xvfb.log').read_text()}")
    return f":{number}"


def _start_xterm(display: str, command: list[str], started: list[subprocess.Popen[bytes]]) -> None:
    options = ["-ti", "vt340", "-u8", "+lc", "-fa", "DejaVu Sans Mono", "-fs", "11"]
    options += ["-geometry", "100x36+0+0", "-bg", "black", "-fg", "white"]
    options += ["-xrm", "XTerm*numColorRegisters: 256"]
    started.append(
        subprocess.Popen(
            ["xterm", *options, "-e", *command],
            env={**os.environ, "DISPLAY": display},
            cwd=ROOT,
            start_new_session=True,
        )
    )


def _socket(tmp_path: Path) -> str:
    return str(tmp_path / "tmux.sock")


def _in_tmux(tmux: str, tmp_path: Path, run: list[str]) -> list[str]:
    configuration = tmp_path / "tmux.conf"
    configuration.write_text(_TMUX_CONFIGURATION)
    return [tmux, "-S", _socket(tmp_path), "-f", str(configuration), "new-session", *run]
