"""How the C2PA library is used: it never asks the network by itself, and adds no pictures.

Loading it takes a native library into the process; only modules that sign or read import this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import c2pa

# Purposes that a signer's certificate may have. C2PA's own list, which the library leaves to its
# users: mail, documents, time stamps, answers about revocation, Microsoft's and C2PA's own.
_PURPOSES = (
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.4.1.311.76.59.1.9",
    "1.3.6.1.4.1.62558.2.1",
)

MEMORY_BYTES = 256 << 20  # files above that size are copied to a temporary file to be signed


def c2pa_context(anchors_pem: str) -> c2pa.Context:
    """Settings for reading and signing; `anchors_pem`: certificates that signers are trusted by."""
    trust = {"trust_config": "\n".join(_PURPOSES)}
    if anchors_pem:  # an empty one is taken for a broken one
        trust["user_anchors"] = anchors_pem
    return c2pa.Context(
        c2pa.Settings.from_dict(
            {
                "version": 1,
                "trust": trust,
                "verify": {
                    "remote_manifest_fetch": False,
                    "ocsp_fetch": False,
                    "verify_after_sign": True,
                },
                "core": {
                    "backing_store_memory_threshold_in_mb": MEMORY_BYTES >> 20,
                    # Else it asks the web address that stands in a stranger's file (did:web) who
                    # that is. Only a time stamp authority of the settings is still asked.
                    "decode_identity_assertions": False,
                    "allowed_network_hosts": [],
                },
                "builder": {"thumbnail": {"enabled": False}},
            }
        )
    )


class StoppableFile:
    """A file for the library, which goes on and on in its native part. Where `check_stop` raises,
    reading and writing fail, and the library gives up with an error of one sort or another."""

    def __init__(self, file: BinaryIO, check_stop: Callable[[], None]) -> None:
        self._file, self._check_stop = file, check_stop

    def read(self, length: int = -1) -> bytes:
        self._check_stop()
        return self._file.read(length)

    def write(self, data: bytes) -> int:
        self._check_stop()
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """What the library copies besides goes to the disk of `folder`: that for temporary files may be
    much smaller than a film. For the whole process, as long as the block lasts."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["TMPDIR"]
        if before is not None:
            os.environ["TMPDIR"] = before


def first_line(error: Exception) -> str:
    """What the library says, without what follows of its own places."""
    return str(error).partition("\n")[0].removeprefix("Other: ")
