"""Files' hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from engine.protocol.errors import InputError

Digest = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{64})?\Z")]  # "": not known


_BLOCK_BYTES = 1 << 20  # a disk of 100 MB/s takes 10 ms


def go_on() -> None:
    """A `check_stop` for what nobody stops."""


def file_sha256(path: Path, check_stop: Callable[[], None] = go_on) -> str:
    """Of the file's bytes, in hex. check_stop: asked all the while, raises to end it. Raises
    `InputError` if it cannot be read, or is a device, which may have no end."""
    if not path.is_file():
        raise InputError(f"{path} is no file", "give a file that is there")
    try:
        with path.open("rb", buffering=0) as file:
            digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK_BYTES))
            while count := file.readinto(block):
                check_stop()
                digest.update(block[:count])
            return digest.hexdigest()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"cannot read {path}: {reason}", "give a file that is there") from error
