"""Results are written beside their places, and take these when all are whole.

A kill costs nothing that is whole: finished results first get a name of their own, then what they
replace goes to the trash, then they take its place; the next run does what is left of that.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.protocol.files import PART, disk_error, sync
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.provenance.store import sidecar_of

_WHOLE = ".whole"
_LABEL = "video-render"


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """A path beside `target` to write a file or folder to; what is still there at the end of the
    block is removed."""
    part = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{PART}{target.suffix}")
    try:
        yield part
    finally:
        _remove(part)


def finish_earlier(context: StageContext) -> None:
    """Remove what a killed render left half-written, and put in its place what it had finished:
    replacing was agreed to then. Raises `InputError` when the disk is full."""
    root = context.workspace.root
    # With two dots: a part of a part, which a kill left while it was signed.
    for part in (*root.glob(f".result*{PART}*"), *root.glob(f"..result*{PART}*")):
        _remove(part)
    wholes = {path: _target_of(path) for path in root.glob(f".result*{_WHOLE}*")}
    if wholes:
        names = " and ".join(target.name for target in wholes.values())
        context.note(f"an earlier run had finished {names}, but was killed before it was in place")
        # A file comes before its side-car, whose name is the longer one.
        _take_places(context, dict(sorted(wholes.items(), key=lambda item: item[1])))


def place(context: StageContext, parts: Sequence[tuple[Path, Path]]) -> None:
    """Each (part, target): the whole part takes the target's place, and what was there goes to the
    trash. Raises `InputError` when the disk is full: nothing was replaced then, or the next run
    goes on with it."""
    wholes = {}
    try:
        for part, _ in parts:
            for path in [*(part.iterdir() if part.is_dir() else ()), part]:
                sync(path)
        for part, target in parts:
            whole = target.with_name(f".{target.stem}{_WHOLE}{target.suffix}")
            part.rename(whole)
            wholes[whole] = target
        sync(context.workspace.root)
    except OSError as error:
        raise disk_error(error, parts[0][1]) from error
    _take_places(context, wholes)


def _take_places(context: StageContext, wholes: dict[Path, Path]) -> None:
    copies = TrashCopies(context.workspace, _LABEL)
    for sidecar in _stale_sidecars(wholes):
        _move_to_trash(sidecar, copies)
    for whole, target in wholes.items():
        if target.exists():
            _to_trash(target, copies)
            context.note(f"the earlier {target.name} is in {copies.folder}")
        try:
            whole.rename(target)
        except OSError as error:
            raise disk_error(error, target) from error


def _stale_sidecars(wholes: dict[Path, Path]) -> list[Path]:
    """What says something of files that are replaced, and gets no successor of its own. A side-car
    that a killed run put in place is none of these: its file was there before it."""
    beside = [sidecar_of(target) for whole, target in wholes.items() if whole.is_file()]
    return [path for path in beside if path.is_file() and path not in wholes.values()]


def _to_trash(target: Path, copies: TrashCopies) -> None:
    """A file stays in its place until it is replaced; a folder cannot be replaced in one step."""
    if target.is_file():
        copies.keep(target)
    else:
        _move_to_trash(target, copies)


def _move_to_trash(path: Path, copies: TrashCopies) -> None:
    kept = copies.place(path)
    try:
        path.rename(kept)
    except OSError as error:
        raise disk_error(error, kept) from error


def _target_of(whole: Path) -> Path:
    return whole.with_name(whole.name.removeprefix(".").replace(_WHOLE, ""))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
