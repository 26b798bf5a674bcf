"""The stage `model-duplicate`: a model's folder a second time, whole or not at all.

Files that are only ever replaced get second names; the losses and TensorBoard's files, which grow,
are copied. The folder is made beside and put in place in one step. Training may go on meanwhile: a
save that it forgets is left out whole, and losses after the newest save that is there are cut off.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import PART, disk_error, link_or_copy, sync
from engine.protocol.history import HISTORY_NAME, open_history
from engine.protocol.model_files import (
    BACKUPS,
    GENERATIONS,
    SNAPSHOTS,
    TENSORBOARD,
    newest_generation,
)
from engine.protocol.stage import StageContext
from engine.stages.kept_saves import mark_history
from engine.stages.model_names import new_folder, timeline_given, whole_model
from engine.train.save_folders import part_beside, put_in_place, sweep_saves

_SAVES = (GENERATIONS, BACKUPS, SNAPSHOTS)
# A history.sqlite that SQLite itself copies comes without what a kill left beside it.
_LEFT_BY_SQLITE = tuple(f"{HISTORY_NAME}-{ending}" for ending in ("journal", "wal", "shm"))


def duplicate_model(context: StageContext) -> None:
    """Make the duplicate. Raises `InputError` if there is no such model, the name is taken, or the
    disk has no room; nothing has changed then."""
    folder, target = whole_model(context), new_folder(context)
    sweep_saves(context.workspace.models)
    # The losses last: with those of every save.
    files = sorted(_files(folder), key=lambda path: path.name == HISTORY_NAME)
    beside = part_beside(target)
    try:
        beside.mkdir()
        links = _has_links(folder, files, beside)
        _check_room(context, [path for path in files if not links or _grows(folder, path)])
        copied_bytes = _copy(context, folder, files, beside)
        _mark(context, beside, f"a duplicate of {folder.name}")
        with timeline_given(context):
            put_in_place(beside, target)
    except (OSError, sqlite3.Error) as error:
        raise _refused(error, target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    facts = {"model": context.options["to"], "folder": str(target), "copied_bytes": copied_bytes}
    context.result(**facts)


def _files(folder: Path) -> Iterator[Path]:
    """All that belongs to the model; not what somebody is writing or has left half-written. Raises
    `InputError` for a part that lies elsewhere: the duplicate would lack it."""
    for root, folders, names in os.walk(folder):
        for linked in (Path(root) / name for name in folders):
            if linked.is_symlink():
                raise InputError(
                    f"{linked} is a link to another folder, which is not duplicated",
                    "put the folder itself there, or copy the model by hand",
                    code="linked-folder",
                )
        folders[:] = [name for name in folders if not _is_part(name)]
        for name in names:
            path = Path(root) / name
            if not _is_part(name) and name not in _LEFT_BY_SQLITE and path.is_file():
                yield path


def _is_part(name: str) -> bool:
    return name.startswith(".") and PART in name


def _grows(folder: Path, path: Path) -> bool:
    """It is written to where it is, so that a second name would see it."""
    return path.name == HISTORY_NAME or path.relative_to(folder).parts[0] == TENSORBOARD


def _has_links(folder: Path, files: list[Path], beside: Path) -> bool:
    """Whether the disk gives files second names: tried with the smallest."""
    linked = [path for path in files if not _grows(folder, path)]
    for sample in sorted(linked, key=_size_bytes):
        trial = beside / sample.name
        try:
            link_or_copy(sample, trial)
        except FileNotFoundError:
            continue  # training has removed it
        is_link = trial.stat().st_nlink > 1
        trial.unlink()
        return is_link
    return True


def _check_room(context: StageContext, to_copy: list[Path]) -> None:
    needed_bytes = sum(map(_size_bytes, to_copy))
    free_bytes = shutil.disk_usage(context.workspace.models).free
    if needed_bytes > free_bytes:
        raise InputError(
            f"the duplicate takes {needed_bytes / 1e9:.2f} GB, {free_bytes / 1e9:.2f} GB are free",
            "make room: delete snapshots and backups that are not needed",
            code="disk-full",
        )


def _size_bytes(path: Path) -> int:
    """0 for a file that training has removed meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _copy(context: StageContext, folder: Path, files: list[Path], beside: Path) -> int:
    """Returns how many bytes took room. Raises `OSError`, `sqlite3.Error`."""
    copied_bytes, gone = 0, set[Path]()
    for done, path in enumerate(files, 1):
        context.check_stop()
        part = _part_of(folder, path)
        try:
            if part not in gone:
                copied_bytes += _take(folder, path, beside / path.relative_to(folder))
        except FileNotFoundError:
            if path.exists():
                raise
            gone.add(part)
        context.progress(done, len(files), unit="files")
    for part in gone:
        shutil.rmtree(beside / part, ignore_errors=True)
    if gone and newest_generation(beside) is None:
        raise InputError(f"{folder} lost its saves while they were copied", "try it again")
    for root, _, _ in os.walk(beside):
        sync(Path(root))
    return copied_bytes


def _part_of(folder: Path, path: Path) -> Path:
    """What training removes as a whole: a save, or the file itself; relative to the model's."""
    inner = path.relative_to(folder)
    return Path(*inner.parts[:2]) if inner.parts[0] in _SAVES else inner


def _take(folder: Path, path: Path, target: Path) -> int:
    """Returns how many bytes took room. Raises `OSError`, `sqlite3.Error`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.name == HISTORY_NAME:
        _copy_history(path, target)
    elif _grows(folder, path):
        shutil.copy2(path, target)
    else:
        link_or_copy(path, target)
        if target.samefile(path):
            return 0
    sync(target)
    return target.stat().st_size


def _copy_history(path: Path, target: Path) -> None:
    """By SQLite, which first undoes what a kill left half done."""
    with closing(open_history(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _mark(context: StageContext, beside: Path, text: str) -> None:
    newest = newest_generation(beside)
    if newest is not None:
        mark_history(context, beside, int(newest.name), "import", text)


def _refused(error: OSError | sqlite3.Error, target: Path) -> Exception:
    if isinstance(error, OSError):
        return disk_error(error, target)
    return InputError(
        f"cannot copy the model's losses: {error}",
        "make room on the disk; check it",
        code="history",
    )
