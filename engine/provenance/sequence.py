"""A folder of pictures is signed by one manifest, over the list of their hashes.

The pictures stay untouched, as compositing programs want them, and one manifest serves for all of
thousands. C2PA has no manifest for a folder that its reader would check, so the signed file is the
list: `SHA256SUMS` in the folder, which `sha256sum --check` reads too, with its side-car beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.hashing import file_sha256, go_on
from engine.protocol.workspace import list_images

LIST_NAME = "SHA256SUMS"
LARGEST_LIST_BYTES = 1 << 27  # a million pictures take 90 MB
# As `sha256sum` writes it: a backslash first says that those of the name are escapes.
_LINE = re.compile(rb"(\\?)([0-9a-f]{64}) [ *]([^/\0]+)")
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n"}
_NAMED = 5


def write_list(folder: Path, check_stop: Callable[[], None] = go_on) -> Path:
    """List the folder's pictures; returns the list's path. Raises `InputError` when one cannot be
    read or the disk is full, and what `check_stop` raises."""
    target = folder / LIST_NAME
    write_atomically(target, sums(list_images(folder), check_stop), durable=False)
    return target


def sums(paths: Sequence[Path], check_stop: Callable[[], None] = go_on) -> bytes:
    """What `sha256sum *` prints of them in their folder. Raises `InputError` when one cannot be
    read, and what `check_stop` raises."""
    return b"".join(map(_line, paths, _hashes(paths, check_stop)))


def differences(folder: Path) -> list[str]:
    """What of the folder's pictures is not as its list says, in words; [] if all is.

    Raises `InputError` for a list that cannot be read."""
    listed = _read_list(folder / LIST_NAME)
    there = {path.name: path for path in list_images(folder)}
    common = sorted(listed.keys() & there.keys())
    found = _hashes([there[name] for name in common])
    changed = [name for name, sha in zip(common, found, strict=True) if sha != listed[name]]
    return [
        f"pictures {what}: {_first(names)}"
        for what, names in (
            ("were changed after they were signed", changed),
            ("that were signed are missing", sorted(listed.keys() - there.keys())),
            ("were not there when the folder was signed", sorted(there.keys() - listed.keys())),
        )
        if names
    ]


def _read_list(path: Path) -> dict[str, str]:
    """Name -> sha256."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_LIST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error}", "get the folder again") from error
    found = [_LINE.fullmatch(line) for line in data.removesuffix(b"\n").split(b"\n") if data]
    if len(data) > LARGEST_LIST_BYTES or not all(found):
        raise InputError(f"{path} is no list of sha256 sums", "get the folder again")
    return {_name(match): match[2].decode() for match in found if match}


def _line(path: Path, sha256: str) -> bytes:
    name = os.fsencode(path.name)
    escaped = re.sub(rb"[\\\n]", lambda found: _ESCAPES[found[0]], name)
    return b"%s%s  %s\n" % (b"\\" if escaped != name else b"", sha256.encode(), escaped)


def _name(line: re.Match[bytes]) -> str:
    if not line[1]:
        return os.fsdecode(line[3])
    plain = {escape: char for char, escape in _ESCAPES.items()}
    return os.fsdecode(re.sub(rb"\\[\\n]", lambda found: plain[found[0]], line[3]))


def _hashes(paths: Sequence[Path], check_stop: Callable[[], None] = go_on) -> list[str]:
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        hashes = []
        for sha256 in pool.map(file_sha256, paths):
            check_stop()
            hashes.append(sha256)
        return hashes
    finally:
        pool.shutdown(cancel_futures=True)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
