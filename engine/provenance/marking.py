"""Whether what a workspace renders is marked: on unless somebody turned it off, and said why.

`.facewright/marking.jsonl` is a log that is only ever appended to, a line per switch; its last line
is what holds. One file, so that what holds and what was logged cannot say different things.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.protocol.errors import InputError, UsageError
from engine.protocol.files import disk_error
from engine.protocol.workspace import Workspace, make_folder

LARGEST_BYTES = 1 << 20  # a switch takes some 100 bytes
LONGEST_REASON = 200


class MarkingSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the log. at: when, in UTC. reason: why it was turned off; may be empty for on."""

    at: datetime
    on: bool
    reason: str = ""


@dataclass(frozen=True)
class MarkingState:
    """What holds. since: when it was switched last, None if never. log: all switches, oldest first.
    problem: what is wrong with the log, in which case marking is on."""

    on: bool = True
    reason: str = ""
    since: datetime | None = None
    log: tuple[MarkingSwitch, ...] = ()
    problem: str = ""

    @property
    def words(self) -> str:
        """The state in one line, for screens and notes."""
        if self.problem:
            return f"on ({self.problem})"
        if self.on or self.since is None:
            return "on"
        return f"OFF since {self.since:%Y-%m-%d}: {self.reason}"


def marking_path(workspace: Workspace) -> Path:
    """Where the log lies."""
    return workspace.state / "marking.jsonl"


def marking_state(workspace: Workspace) -> MarkingState:
    """What holds in the workspace. Never raises: a log that cannot be read means on, and says so.

    Lines that a power cut left half-written are passed over.
    """
    path = marking_path(workspace)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return MarkingState()
    except OSError as error:
        return MarkingState(problem=f"{path} cannot be read: {error.strerror or error}")
    if len(text) > LARGEST_BYTES:
        return MarkingState(problem=f"{path} is larger than {LARGEST_BYTES} bytes")
    log = tuple(switch for line in text.splitlines() if (switch := _switch(line)) is not None)
    if not log:
        problem = f"{path} holds no switch that can be read" if text.strip() else ""
        return MarkingState(problem=problem)
    return MarkingState(log[-1].on, log[-1].reason, log[-1].at, log)


def switch_marking(workspace: Workspace, *, on: bool, reason: str) -> MarkingState:
    """Turn marking on or off for the workspace, and log it. Returns what holds then.

    Raises `UsageError` where it is turned off without a reason, `InputError` where the log cannot
    be used (it stays as it is) or not be written.
    """
    reason = " ".join(reason.split())
    if not on and not reason:
        raise UsageError(
            "marking is not turned off without a reason",
            "say why: --reason TEXT; it is kept in the workspace's log",
            code="reason-missing",
        )
    if len(reason) > LONGEST_REASON:
        raise UsageError(
            f"a reason of {len(reason)} characters", f"give at most {LONGEST_REASON} characters"
        )
    before = marking_state(workspace)
    if before.problem:
        raise InputError(before.problem, "move that file away; marking is on without it")
    make_folder(workspace.state)
    _append(marking_path(workspace), MarkingSwitch(datetime.now(UTC), on, reason))
    return marking_state(workspace)


def _switch(line: bytes) -> MarkingSwitch | None:
    try:
        switch = msgspec.json.decode(line, type=MarkingSwitch)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    usable = switch.at.tzinfo is not None and (switch.on or switch.reason.strip())
    return switch if usable and len(switch.reason) <= LONGEST_REASON else None


def _append(path: Path, switch: MarkingSwitch) -> None:
    # A line of its own also after one that was cut off.
    data = b"\n" + msgspec.json.encode(switch) + b"\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise disk_error(error, path) from error
