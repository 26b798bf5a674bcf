"""Results are written beside their places, and take these when all are whole.

A kill costs nothing that is whole: finished results first get, together with their side-car and
sheets, a folder of their own, then what they replace goes to the trash, then they take its place;
the next run does what is left of that.
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

_WHOLE = ".result.whole"
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
    whole = root / _WHOLE
    if whole.is_dir():
        names = " and ".join(sorted(path.name for path in whole.iterdir()))
        context.note(f"an earlier run had finished {names}, but was killed before it was in place")
        _take_places(context, whole)


def place(context: StageContext, parts: Sequence[tuple[Path, Path]]) -> None:
    """Each (part, target): the whole part takes the target's place, and what was there goes to the
    trash. Raises `InputError` when the disk is full: nothing was replaced then, or the next run
    goes on with it."""
    root = context.workspace.root
    try:
        with part_of(root / "result") as together:
            together.mkdir()
            for part, target in parts:
                for path in [*(part.iterdir() if part.is_dir() else ()), part]:
                    sync(path)
                part.rename(together / target.name)
            sync(together)
            # In one step: no kill leaves a result without what belongs to it.
            together.rename(root / _WHOLE)
        sync(root)
    except OSError as error:
        raise disk_error(error, parts[0][1]) from error
    _take_places(context, root / _WHOLE)


def _take_places(context: StageContext, whole: Path) -> None:
    """All that is in the folder `whole` takes its place in the workspace."""
    copies = TrashCopies(context.workspace, _LABEL)
    # A file comes before its side-car, whose name is the longer one.
    finished = {path: context.workspace.root / path.name for path in sorted(whole.iterdir())}
    for sidecar in _stale_sidecars(finished):
        _move_to_trash(sidecar, copies)
    for path, target in finished.items():
        if target.exists():
            _to_trash(target, copies)
            context.note(f"the earlier {target.name} is in {copies.folder}")
        try:
            path.rename(target)
        except OSError as error:
            raise disk_error(error, target) from error
    try:
        whole.rmdir()
    except OSError as error:
        raise disk_error(error, whole) from error


def _stale_sidecars(finished: dict[Path, Path]) -> list[Path]:
    """What says something of files that are replaced, and gets no successor of its own. A side-car
    that a killed run put in place is none of these: its file was there before it."""
    beside = [sidecar_of(target) for path, target in finished.items() if path.is_file()]
    return [path for path in beside if path.is_file() and path not in finished.values()]


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


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
