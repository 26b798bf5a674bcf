"""Signing finished files: the manifest goes into the file, or beside it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import c2pa

from engine.protocol.errors import FacewrightError, InputError, StageError
from engine.protocol.files import disk_error, replacing, write_atomically
from engine.protocol.hashing import file_sha256, go_on
from engine.provenance.detached import sign_hash
from engine.provenance.identity import Identity
from engine.provenance.library import (
    MEMORY_BYTES,
    StoppableFile,
    c2pa_context,
    first_line,
    temporary_files_in,
)
from engine.provenance.manifest import Made, definition
from engine.provenance.plate import Plate
from engine.provenance.store import AS_BYTES

# What of what is rendered can hold a manifest. Matroska cannot.
EMBEDDED_SUFFIXES = frozenset({".avi", ".mov", ".mp4"})
# From here on ffmpeg goes on in another RIFF part, whose index says where things lie in the file:
# nothing can be put before it.
_SPLIT_AVI_BYTES = 1 << 30
_MANIFESTS_BYTES = 1 << 16  # ours, and those of the plate
_OR_OFF = "or turn marking off for this workspace: facewright run marking --state off --reason TEXT"


class NotSignedError(StageError):
    """The library would not sign, or the time stamp authority gave no stamp. reason: in the
    library's words."""

    code = "not-signed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the result could not be signed: {reason}",
            f"no result was put in place: render again, {_OR_OFF}",
        )
        self.reason = reason


@dataclass(frozen=True)
class Seal:
    """Signs results. plate: the video that was altered, None if there is none. check_stop: asked
    all the while, raises to end it; nothing has changed then."""

    identity: Identity
    made: Made
    plate: Plate | None = None
    check_stop: Callable[[], None] = go_on

    @property
    def unstamped(self) -> Seal:
        """The same that asks no time stamp authority."""
        return replace(self, identity=replace(self.identity, timestamp_authority=""))

    def rehearse(self) -> None:
        """Sign a few bytes, so that what would fail is told of before hours of rendering. Raises
        `InputError` where the certificate or the plate does not do."""
        try:
            with self._builder() as builder:
                builder.set_no_embed()
                few = io.BytesIO(b"rehearsal")
                builder.sign(_signer(self.identity), AS_BYTES, few, io.BytesIO())
        except (c2pa.C2paError, OSError) as error:
            self.check_stop()
            raise InputError(
                f"the result could not be signed by {self.identity.words}: {first_line(error)}",
                f"{_remedy(self.identity)} ([signing] of the settings), {_OR_OFF}",
                code="bad-certificate",
            ) from error

    def into(self, path: Path) -> None:
        """Put the manifest into the file, which must be one that `can_hold_manifest`; the disk
        needs `room_bytes`. The file is unchanged where that fails: raises `InputError` for a full
        disk, else `StageError`."""
        with (
            replacing(path, durable=False) as signed,
            path.open("rb") as source,
            signed.open("w+b") as target,
            self._told(path),
            temporary_files_in(path.parent),
            self._builder() as builder,
        ):
            files = [StoppableFile(file, self.check_stop) for file in (source, target)]
            builder.sign(_signer(self.identity), path.suffix[1:], *files)

    def beside(self, path: Path, sidecar: Path) -> None:
        """Write the manifest of the file `path`, which stays as it is, to `sidecar`. Raises as
        `into`."""
        sha256 = file_sha256(path, self.check_stop)
        with self._told(path), self._builder() as builder:
            store = sign_hash(builder, _signer(self.identity), sha256)
        write_atomically(sidecar, store, durable=False)

    @contextmanager
    def _builder(self) -> Iterator[c2pa.Builder]:
        """The manifest, ready to be signed once."""
        manifest = definition(self.made, self.plate.sha256 if self.plate else "")
        with c2pa.Builder(manifest, context=c2pa_context(self.identity.chain_pem)) as builder:
            if self.plate is not None:
                self.plate.add_to(builder, self.check_stop)
            yield builder

    @contextmanager
    def _told(self, path: Path) -> Iterator[None]:
        """Errors of the disk and of the library while `path` is signed, as ours."""
        try:
            yield
        except (OSError, c2pa.C2paError) as error:
            self.check_stop()  # which the library tells in words of its own
            raise _as_ours(error, path) from error


def room_bytes(path: Path) -> int:
    """What `Seal.into` needs on the disk besides the file: a signed copy, and what the library does
    not hold in memory."""
    size = path.stat().st_size
    return size * (2 if size >= MEMORY_BYTES else 1) + _MANIFESTS_BYTES


def can_hold_manifest(path: Path) -> bool:
    """Whether the finished file is to be signed in itself, and is played as before then. Large MOV
    files are for editing, where it is not worth to copy them."""
    largest = {".avi": _SPLIT_AVI_BYTES, ".mov": MEMORY_BYTES}.get(path.suffix)
    if largest is not None and path.stat().st_size >= largest:
        return False
    return path.suffix in EMBEDDED_SUFFIXES


def _remedy(identity: Identity) -> str:
    certificate = "set a certificate for mail protection or document signing"
    authority = identity.timestamp_authority
    return f"see that {authority} answers, or {certificate}" if authority else certificate


def _as_ours(error: OSError | c2pa.C2paError, path: Path) -> FacewrightError:
    if isinstance(error, OSError):
        return disk_error(error, path)
    if isinstance(error, c2pa.C2paError.Io):
        return disk_error(OSError(first_line(error)), path)
    return NotSignedError(first_line(error))


def _signer(identity: Identity) -> c2pa.Signer:
    return c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            identity.algorithm,
            identity.chain_pem.encode(),
            identity.key_pem.encode(),
            identity.timestamp_authority or None,
        )
    )
