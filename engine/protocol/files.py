"""Writing files so that nobody finds half of one; and which names of files are text."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.protocol.errors import FacewrightError, InputError


def write_atomically(
    path: Path, data: bytes, *, durable: bool = True, private: bool = False
) -> None:
    """Replace `path` by `data` in one step: write beside, (fsync,) rename.

    With `durable` the file survives a power cut; without, it is still whole or absent after a kill.
    private: the owner alone may read it, from its first byte.
    Raises `InputError` when the disk is full or the folder not writable; `path` is then unchanged.
    """
    with replacing(path, durable=durable) as beside:
        if private:
            beside.touch(0o600, exist_ok=False)
        beside.write_bytes(data)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A path beside `path` to write to (same suffix); it takes `path`'s place if the block ends
    well and is removed if not. Errors of the disk become `InputError`."""
    beside = path.with_name(f".{_short(path.stem)}.{secrets.token_hex(4)}{PART}{path.suffix}")
    try:
        yield beside
        if durable:
            sync(beside)
        beside.replace(path)
        if durable:
            sync(path.parent)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        if beside.exists():
            beside.unlink()


def _short(stem: str) -> str:
    """A name's stem with room for what is added to it."""
    return stem if len(os.fsencode(stem)) <= _LONGEST_STEM_BYTES else stem[:_SHORTENED]


_LONGEST_STEM_BYTES = 220  # of a name of 255, the most that file systems allow
_SHORTENED = 50  # characters of 4 bytes at most
PART = ".part"  # marks files that are being written; left over only by kill -9, swept at next start


def sweep_parts(folder: Path) -> None:
    """Remove what a killed run left half-written in `folder`."""
    if folder.is_dir():
        for entry in os.scandir(folder):
            if entry.name.startswith(".") and PART in entry.name and entry.is_file():
                Path(entry.path).unlink()


def sync(path: Path) -> None:
    """Have the disk hold what was written to the file, or the names in the folder, by now. Raises
    `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether what was found in a folder is a file, or a link to one."""
    try:
        return entry.is_file()
    except OSError:
        return False  # a link that leads in a circle, or to where nobody may look


def is_utf8(name: str) -> bool:
    """Whether a file's name is text. Names of other character sets come from the system as lone
    surrogates, which neither JSON nor SQLite nor other systems can carry."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


# What file systems without hard links answer; some allow only so many links to a file.
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK, errno.EACCES}
)


def link_or_copy(path: Path, target: Path) -> None:
    """Give the file a second name, or copy it where the disk has no such names. Raises `OSError`.

    For files that are only ever replaced, never written to: both names would see it.
    """
    try:
        target.hardlink_to(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(path, target)


def move(path: Path, target: Path) -> None:
    """Rename a file or folder, or, where `target` lies on another disk, copy it and then remove it.

    There is never half of a target; a kill while copying leaves the original as it is. Raises
    `OSError`.
    """
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_to_another_disk(path, target)


def _move_to_another_disk(path: Path, target: Path) -> None:
    part = target.with_name(f".{secrets.token_hex(4)}{PART}")
    is_folder = path.is_dir() and not path.is_symlink()
    try:
        if is_folder:
            shutil.copytree(path, part, symlinks=True)
            os.sync()
        else:
            shutil.copy2(path, part, follow_symlinks=False)
        if part.is_file():
            sync(part)
        part.rename(target)
    finally:
        if is_folder:
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    if is_folder:
        shutil.rmtree(path)
    else:
        path.unlink()


def disk_error(error: OSError, path: Path) -> FacewrightError:
    """The `InputError` that tells what an `OSError` while writing `path` means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno is None and _is_full(path)):
        return InputError(f"the disk is full: cannot write {path}", "make room", code="disk-full")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = "make the folder writable or choose another workspace"
        return InputError(f"not allowed to write {path}", remedy, code="read-only")
    reason = error.strerror or str(error).partition("\n")[0]
    return InputError(f"cannot write {path}: {reason}", "check the disk")


def _is_full(path: Path) -> bool:
    """For errors without a number: those of libraries whose encoder process died."""
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except OSError:
        return False
