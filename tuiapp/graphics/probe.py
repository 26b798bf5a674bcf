"""Asks the terminal what pictures it can show. Call before the app starts: the answers arrive on
the keyboard's line and would be read as keys."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tuiapp.graphics.choice import AUTO, Surroundings, TmuxFacts, choose, setting_of
from tuiapp.graphics.replies import (
    MORE_REGISTERS,
    QUESTIONS,
    Replies,
    is_complete,
    parse_replies,
)
from tuiapp.graphics.terminal import Protocol, TerminalGraphics, tmux_passthrough
from tuiapp.graphics.winsize import cell_size_px

DEADLINE_S = 2.0  # a slow SSH link and a terminal that is still starting; else it answers at once
_TMUX_TIMEOUT_S = 2.0
_MOST_ANSWER_BYTES = 65536
_TMUX_FORMAT = "#{version}|#{client_termfeatures}|#{allow-passthrough}|#{focus-events}"


def probe_terminal(
    configured: str = AUTO,
    environment: Mapping[str, str] = os.environ,
    *,
    device: str = "/dev/tty",
    deadline_s: float = DEADLINE_S,
) -> TerminalGraphics:
    """What the terminal at `device` can show, within `deadline_s` at the worst.

    `configured` is the user's setting; the environment's FACEWRIGHT_GRAPHICS goes before it.
    Raises UsageError for an unknown setting. Without a terminal: characters, and `why` says so.
    """
    setting = setting_of(configured, environment)
    tmux = tmux_facts() if _is_inside_tmux(environment) else None
    cell_px = None
    replies = inner = Replies()
    if setting == AUTO or Protocol(setting).has_pixels:
        with _raw_terminal(device) as descriptor:
            if descriptor is not None:
                cell_px = cell_size_px(descriptor)
                replies, inner = _asked(descriptor, tmux, deadline_s)
    return choose(Surroundings(setting, environment, replies, tmux, inner.sixel, cell_px))


def tmux_facts() -> TmuxFacts | None:
    """What the tmux around this process says; None where it cannot be asked."""
    program = shutil.which("tmux")
    if program is None:
        return None
    command = [program, "display-message", "-p", _TMUX_FORMAT]
    pane = os.environ.get("TMUX_PANE")
    if pane:
        command[2:2] = ["-t", pane]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_TMUX_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_tmux_facts(answer.stdout)


def parse_tmux_facts(line: str) -> TmuxFacts | None:
    """Reads `version|feature,feature|allow-passthrough|focus-events`; None for anything else."""
    fields = line.strip().split("|")
    if len(fields) != 4:
        return None
    version, features, passthrough, focus_events = fields
    # tmux before 3.3 has no such option and always hands sequences on.
    allowed = passthrough in ("1", "2", "on", "all") or (not passthrough and version < "3.3")
    return TmuxFacts(
        version, tuple(filter(None, features.split(","))), allowed, focus_events in ("1", "on")
    )


def _is_inside_tmux(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("TMUX"))


def _asked(descriptor: int, tmux: TmuxFacts | None, deadline_s: float) -> tuple[Replies, Replies]:
    """The answers of the terminal itself, and of tmux where that is between."""
    if tmux is None:
        return _direct_answers(descriptor, deadline_s), Replies()
    # tmux answers for itself at once; only its wrapped questions reach the terminal around it.
    inner = parse_replies(_answers(descriptor, "\x1b[c", deadline_s))
    if not tmux.passthrough:
        return Replies(), inner
    questions = "".join(map(tmux_passthrough, QUESTIONS))
    return parse_replies(_answers(descriptor, questions, deadline_s)), inner


def _direct_answers(descriptor: int, deadline_s: float) -> Replies:
    data = _answers(descriptor, "".join(QUESTIONS), deadline_s)
    replies = parse_replies(data)
    if replies.sixel and (replies.colour_registers or 256) < 256:
        data += _answers(descriptor, "".join(MORE_REGISTERS), deadline_s)
    return parse_replies(data)


def _answers(descriptor: int, questions: str, deadline_s: float) -> bytes:
    """Writes the questions and reads until the last is answered or the time is over."""
    _write_all(descriptor, questions.encode("ascii"))
    ends_at_s = time.monotonic() + deadline_s
    data = b""
    while not is_complete(data) and len(data) < _MOST_ANSWER_BYTES:
        left_s = ends_at_s - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            break
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        data += piece
    return data


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def _raw_terminal(device: str) -> Iterator[int | None]:
    """The terminal without echo and line mode, put back whatever happens; None without one."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield None
        return
    try:
        restore = _made_raw(descriptor)
        try:
            yield descriptor if restore is not None else None
        finally:
            if restore is not None:
                restore()
    finally:
        os.close(descriptor)


def _made_raw(descriptor: int) -> Callable[[], None] | None:
    """Switches to raw mode; None where this process may not (no terminal, in the background)."""
    try:
        before = termios.tcgetattr(descriptor)
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return None
        tty.setraw(descriptor, termios.TCSANOW)
    except (termios.error, OSError):
        return None
    # TCSAFLUSH also throws away answers that came after the deadline.
    return lambda: termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
