"""Saves as folders: copied, removed and listed so that nobody ever finds half of one."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import PART, disk_error, link_or_copy, sync
from engine.protocol.model_files import ABOUT, About
from engine.protocol.workspace import make_folder


def copy_save(source: Path, target: Path, about: About | None = None) -> None:
    """Make `target` a copy of the save in `source`, whole or not at all.

    Its files are second names of the source's, which are never written to again, so a copy takes no
    room until the source is removed; where the disk has no such names, they are copied. Raises
    `InputError` if `source` is gone, `target` is there, or the disk is full.
    """
    make_folder(target.parent)
    beside = part_beside(target)
    try:
        beside.mkdir()
        for path in source.iterdir():
            if path.name != ABOUT:
                link_or_copy(path, beside / path.name)
                sync(beside / path.name)
        if about is not None:
            (beside / ABOUT).write_bytes(msgspec.json.encode(about))
            sync(beside / ABOUT)
        put_in_place(beside, target)
    except FileNotFoundError as error:
        raise InputError(f"the save {source} is gone", "choose a save that is there") from error
    except OSError as error:
        raise disk_error(error, target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def forget_save(path: Path) -> None:
    """Remove a save. Raises `InputError` if that fails; it is whole or gone all the same."""
    doomed = part_beside(path)
    try:
        path.rename(doomed)  # first, so that a kill leaves nothing that looks like a save
        shutil.rmtree(doomed)
    except OSError as error:
        raise InputError(
            f"the old save {path} could not be removed: {error.strerror or error}",
            "make its folder writable; more room is taken until then",
        ) from error


def sweep_saves(folder: Path) -> None:
    """Remove what killed runs left half-written or half-removed in a folder of saves."""
    if folder.is_dir():
        for entry in os.scandir(folder):
            if entry.name.startswith(".") and PART in entry.name and entry.is_dir():
                shutil.rmtree(entry.path, ignore_errors=True)


def part_beside(path: Path) -> Path:
    """A new name beside `path`, of what is being written or removed."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")


def put_in_place(beside: Path, final: Path) -> None:
    """Give a folder whose files are on the disk its name, for good. Raises `OSError`."""
    sync(beside)
    beside.rename(final)
    sync(final.parent)
