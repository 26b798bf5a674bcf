"""Many files renamed among each other so that a kill at any moment loses none.

The whole plan is on disk before the first file moves. All files are first parked under names that
nothing else has, then placed; which of the two is under way is on disk, too. So where a file is
tells what is left to do with it, and a plan can be carried out again and again until it is done.
"""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, move, sync, write_atomically
from engine.protocol.workspace import make_folder

_VERSION = 1
_LARGEST_PLAN_BYTES = 1 << 28  # a move takes some 150 bytes
PARKING, PLACING, DONE = "parking", "placing", "done"
_PHASES = (PARKING, PLACING, DONE)


@dataclass(frozen=True)
class Move:
    """Where a file was, waits, and goes: paths relative to the plan's root. A file that goes to a
    new folder needs no waiting: then `parked` is `new`, and on the way back `old`."""

    old: str
    parked: str
    new: str


@dataclass(frozen=True)
class MovePlan:
    """title: what the moves are for, as the user knows it. facts: what else whoever made the plan
    wants to know of it later."""

    title: str
    moves: tuple[Move, ...]
    facts: dict[str, Any]
    phase: str = PARKING

    def reversed(self, title: str, facts: dict[str, Any]) -> MovePlan:
        """The plan that takes everything back."""
        back = tuple(Move(move.new, move.parked, move.old) for move in self.moves)
        return MovePlan(title, back, facts)


def read_plan(path: Path) -> MovePlan | None:
    """The plan at `path`, None if there is none. Raises `InputError` if it cannot be used."""
    try:
        if path.stat().st_size > _LARGEST_PLAN_BYTES:
            raise _unusable(path)
        return _plan_from(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "make it readable") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(path) from error


def start_plan(root: Path, path: Path, plan: MovePlan) -> list[str]:
    """Write the plan to `path` and carry it out under `root`; see `carry_out`.

    Raises `InputError`, with nothing moved, if a file is in the way.
    """
    check_way(root, plan)
    make_folder(path.parent)
    _write_plan(path, plan)
    return carry_out(root, path, plan)


def check_way(root: Path, plan: MovePlan) -> None:
    """Raises `InputError` if a file that does not move itself has a name that is to be given."""
    leaving = {one.old for one in plan.moves}
    for one in plan.moves:
        if one.new not in leaving and os.path.lexists(root / one.new):
            raise _in_the_way(root / one.new)


def carry_out(root: Path, path: Path, plan: MovePlan) -> list[str]:
    """Do what is left of a plan that is written at `path`. Returns the files that are gone (deleted
    by someone else): their moves are left out.

    Raises `InputError` if a file is in the way or the folder cannot be written; carrying it out
    again goes on from there.
    """
    if plan.phase == PARKING:
        _step(root, [(move.old, move.parked) for move in plan.moves])
        plan = replace(plan, phase=PLACING)
        _write_plan(path, plan)
    if plan.phase == PLACING:
        _step(root, [(move.parked, move.new) for move in plan.moves])
        _write_plan(path, replace(plan, phase=DONE))
    return [move.old for move in plan.moves if not os.path.lexists(root / move.new)]


def _step(root: Path, renames: Sequence[tuple[str, str]]) -> None:
    """Rename each file that is still at its first place, never onto another."""
    folders = {(root / place).parent for rename in renames for place in rename}
    for folder in folders:
        make_folder(folder)
    for start, end in renames:
        if start == end or not os.path.lexists(root / start):
            continue
        try:
            _move(root / start, root / end)
        except OSError as error:
            raise disk_error(error, root / end) from error
    for folder in folders:
        sync(folder)  # before the plan says that they are done


def _move(start: Path, end: Path) -> None:
    """Raises `InputError` if another file is at `end`."""
    if not os.path.lexists(end):
        move(start, end)
    elif _was_copied(start, end):
        start.unlink()
    else:
        raise _in_the_way(end)


def _was_copied(start: Path, end: Path) -> bool:
    """Whether a run was killed when a file was on the other disk and not yet taken away here."""
    is_elsewhere = start.lstat().st_dev != end.lstat().st_dev
    return is_elsewhere and filecmp.cmp(start, end, shallow=False)


def _write_plan(path: Path, plan: MovePlan) -> None:
    fields = {
        "version": _VERSION,
        "title": plan.title,
        "phase": plan.phase,
        "facts": plan.facts,
        "moves": [(move.old, move.parked, move.new) for move in plan.moves],
    }
    write_atomically(path, json.dumps(fields).encode())


def _plan_from(fields: dict[str, Any]) -> MovePlan:
    if fields["version"] != _VERSION or fields["phase"] not in _PHASES:
        raise ValueError
    moves = tuple(Move(*map(_inside, row)) for row in fields["moves"])
    return MovePlan(str(fields["title"]), moves, dict(fields["facts"]), fields["phase"])


def _inside(place: object) -> str:
    """A path that does not lead out of the root."""
    if not isinstance(place, str) or not place or "\0" in place:
        raise ValueError
    path = PurePosixPath(place)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError
    return place


def _in_the_way(path: Path) -> InputError:
    return InputError(
        f"{path} is in the way", "move it to another folder, then start again", code="in-the-way"
    )


def _unusable(path: Path) -> InputError:
    return InputError(
        f"{path} cannot be used: it is damaged, or from a newer version",
        "delete it: no face is lost by that, but an interrupted sort cannot be completed or undone",
        code="broken-plan",
    )
