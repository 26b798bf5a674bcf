"""Files' hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.protocol.errors import InputError


def file_sha256(path: Path) -> str:
    """The file's sha256 in hex. Raises `InputError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}",
            "give one that is there and may be read",
        ) from error
