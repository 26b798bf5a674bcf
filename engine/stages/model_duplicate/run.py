"""The stage `model-duplicate`: a model's folder a second time, whole or not at all.

Files that are only ever replaced get second names; the losses and TensorBoard's files, which grow,
are copied. The folder is made beside and put in place in one step.
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
from engine.protocol.model_files import TENSORBOARD, newest_generation
from engine.protocol.stage import StageContext
from engine.stages.kept_saves import mark_history
from engine.stages.model_names import give_timeline, new_folder, whole_model
from engine.train.save_folders import part_beside, put_in_place, sweep_saves

# A history.sqlite that SQLite itself copies comes without what a kill left beside it.
_LEFT_BY_SQLITE = tuple(f"{HISTORY_NAME}-{ending}" for ending in ("journal", "wal", "shm"))


def duplicate_model(context: StageContext) -> None:
    """Make the duplicate. Raises `InputError` if there is no such model, the name is taken, or the
    disk has no room; nothing has changed then."""
    folder, target = whole_model(context), new_folder(context)
    sweep_saves(context.workspace.models)
    files = list(_files(folder))
    beside = part_beside(target)
    try:
        beside.mkdir()
        links = _has_links(folder, files, beside)
        _check_room(context, [path for path in files if not links or _grows(folder, path)])
        copied_bytes = _copy(context, folder, files, beside)
        _mark(context, beside, f"a duplicate of {folder.name}")
        give_timeline(context)
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
    if not linked:
        return True
    sample = min(linked, key=lambda path: path.stat().st_size)
    trial = beside / sample.name
    link_or_copy(sample, trial)
    is_link = trial.samefile(sample)
    trial.unlink()
    return is_link


def _check_room(context: StageContext, to_copy: list[Path]) -> None:
    needed_bytes = sum(path.stat().st_size for path in to_copy)
    free_bytes = shutil.disk_usage(context.workspace.models).free
    if needed_bytes > free_bytes:
        raise InputError(
            f"the duplicate takes {needed_bytes / 1e9:.2f} GB, {free_bytes / 1e9:.2f} GB are free",
            "make room: delete snapshots and backups that are not needed",
            code="disk-full",
        )


def _copy(context: StageContext, folder: Path, files: list[Path], beside: Path) -> int:
    """Returns how many bytes took room. Raises `OSError`, `sqlite3.Error`."""
    copied_bytes = 0
    for done, path in enumerate(files, 1):
        context.check_stop()
        target = beside / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == HISTORY_NAME:
            _copy_history(path, target)
        elif _grows(folder, path):
            shutil.copy2(path, target)
        else:
            link_or_copy(path, target)
        if not target.samefile(path):
            sync(target)
            copied_bytes += target.stat().st_size
        context.progress(done, len(files), unit="files")
    for root, _, _ in os.walk(beside):
        sync(Path(root))
    return copied_bytes


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
