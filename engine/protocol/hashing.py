"""Files' hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec

from engine.protocol.errors import InputError

Digest = Annotated[str, msgspec.Meta(pattern=r"\A([0-9a-f]{64})?\Z")]  # "": not known


def file_sha256(path: Path) -> str:
    """Of the file's bytes, in hex. Raises `InputError` if it cannot be read, or is a device, which
    may have no end."""
    if not path.is_file():
        raise InputError(f"{path} is no file", "give a file that is there")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"cannot read {path}: {reason}", "give a file that is there") from error
