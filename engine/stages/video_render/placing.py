"""Results are written beside their places, and take these when all are whole.

A kill costs nothing that is whole: finished results first get, together with their side-car and
sheets, a folder of their own, then what they replace goes to the trash, then they take its place;
the next run does what is left of that. What says something of a result is out of its place before
the result is replaced: no kill leaves a result beside what is said of another.
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
from engine.protocol.workspace import FINISHED_NAME
from engine.provenance.store import sidecar_of

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
    whole = root / FINISHED_NAME
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
            together.rename(root / FINISHED_NAME)
        sync(root)
    except OSError as error:
        raise disk_error(error, parts[0][1]) from error
    _take_places(context, root / FINISHED_NAME)


def _take_places(context: StageContext, whole: Path) -> None:
    """All that is in the folder `whole` takes its place in the workspace."""
    copies = TrashCopies(context.workspace, _LABEL)
    # A file comes before its side-car, whose name is the longer one.
    finished = {path: context.workspace.root / path.name for path in sorted(whole.iterdir())}
    for path in _said_of_earlier(finished):
        copies.take(path)
        context.note(f"the earlier {path.name} is in {copies.folder}")
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


def _said_of_earlier(finished: dict[Path, Path]) -> list[Path]:
    """Side-cars and sheets of results that are yet to be replaced. Those that a killed run put in
    their places are none of these: their result was there before them."""
    targets = list(finished.values())
    sheets = [one for one in targets if any(one.name.startswith(f"{of.name}.") for of in targets)]
    sidecars = [sidecar_of(target) for path, target in finished.items() if path.is_file()]
    return [path for path in dict.fromkeys((*sidecars, *sheets)) if path.is_file()]


def _to_trash(target: Path, copies: TrashCopies) -> None:
    """A file stays in its place until it is replaced; a folder cannot be replaced in one step."""
    if target.is_file():
        copies.keep(target)
    else:
        copies.take(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
