"""The probe against a pseudo terminal that this test plays the other end of."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.graphics.test_choice import XTERM_379
from tuiapp.graphics.probe import probe_terminal
from tuiapp.graphics.terminal import Protocol

PROGRAM = """
import json, sys, termios, time
from dataclasses import asdict
from tuiapp.graphics.probe import probe_terminal
before = termios.tcgetattr(0)
start = time.monotonic()
graphics = probe_terminal("auto", {"TERM": "xterm"}, deadline_s=float(sys.argv[2]))
facts = {**asdict(graphics), "seconds": time.monotonic() - start}
facts["restored"] = termios.tcgetattr(0) == before
open(sys.argv[1], "w").write(json.dumps(facts))
"""
ROOT = Path(__file__).resolve().parents[2]


def probed(tmp_path: Path, answers: bytes, deadline_s: float) -> dict[str, object]:
    """What the probe found in a terminal that sends `answers` to the first question it reads."""
    report = tmp_path / "report.json"
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.pop("TMUX", None)
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, str(report), str(deadline_s)])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 80 * 8, 24 * 17))
    heard = b""
    ends_at_s = time.monotonic() + 30
    while b"\x1b[c" not in heard and time.monotonic() < ends_at_s:
        if select.select([master], [], [], 1.0)[0]:
            heard += os.read(master, 4096)
    os.write(master, answers)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    assert status == 0
    facts: dict[str, object] = json.loads(report.read_text())
    return facts


def test_a_terminal_that_answers_is_probed_at_once_and_left_as_it_was(tmp_path: Path) -> None:
    facts = probed(tmp_path, XTERM_379, deadline_s=20.0)
    assert facts["protocol"] == "sixel"
    assert facts["restored"]
    assert float(str(facts["seconds"])) < 5


def test_the_kernel_s_cell_size_goes_before_the_terminal_s(tmp_path: Path) -> None:
    facts = probed(tmp_path, XTERM_379, deadline_s=20.0)
    assert (facts["cell_width_px"], facts["cell_height_px"]) == (8, 17)


def test_a_silent_terminal_costs_the_deadline_and_is_left_as_it_was(tmp_path: Path) -> None:
    facts = probed(tmp_path, b"", deadline_s=0.3)
    assert facts["protocol"] == "quadrant"
    assert "did not answer" in str(facts["why"])
    assert facts["restored"]
    assert 0.3 <= float(str(facts["seconds"])) < 5


def test_without_a_terminal_pictures_are_made_of_characters(tmp_path: Path) -> None:
    graphics = probe_terminal("auto", {"TERM": "xterm"}, device=str(tmp_path / "none"))
    assert graphics.protocol is Protocol.QUADRANT


def test_characters_need_no_question(tmp_path: Path) -> None:
    not_a_terminal = tmp_path / "file"
    not_a_terminal.touch()
    probe_terminal("half", {"TERM": "xterm"}, device=str(not_a_terminal))
    assert not_a_terminal.read_bytes() == b""


def test_a_file_in_the_terminal_s_place_is_not_written_to(tmp_path: Path) -> None:
    not_a_terminal = tmp_path / "file"
    not_a_terminal.touch()
    graphics = probe_terminal("auto", {"TERM": "xterm"}, device=str(not_a_terminal))
    assert graphics.protocol is Protocol.QUADRANT
    assert not_a_terminal.read_bytes() == b""


@pytest.mark.parametrize("wish", ["kitty", "iterm2", "sixel", "off"])
def test_the_user_s_wish_is_followed_without_a_terminal(tmp_path: Path, wish: str) -> None:
    graphics = probe_terminal(wish, {"TERM": "xterm"}, device=str(tmp_path / "none"))
    assert graphics.protocol == wish
