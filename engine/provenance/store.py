"""The manifest store of a file: in the file, or in a side-car beside it."""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from engine.protocol.errors import InputError
from engine.protocol.hashing import go_on
from engine.provenance.library import StoppableFile, c2pa_context, first_line

SIDECAR_SUFFIX = ".c2pa"
LARGEST_SIDECAR_BYTES = 1 << 26  # ours take 13 kB; those of files with many ingredients more
# The library hashes all bytes of what it knows no container of.
AS_BYTES = "application/octet-stream"
# (offset, bytes, kind): how files begin that can hold a manifest, whatever they are called.
_HEADS = ((4, b"ftyp", "mp4"), (8, b"AVI ", "avi"))
_HEAD_BYTES = 12
_MANIFEST_BOX = b"jumdc2"  # begins the description of each of the many boxes of a manifest


@dataclass(frozen=True)
class Store:
    """The manifests of a file, as the library tells them (`report`), and what checking them gave.

    verdict: "Trusted" (all is as signed, by a signer that is trusted), "Valid" (the same, by one
    that is not) or "Invalid". sidecar: where the manifests lie, None if in the file itself;
    sidecar_data: its bytes."""

    report: dict[str, Any]
    verdict: str
    sidecar: Path | None = None
    sidecar_data: bytes | None = None

    @property
    def active(self) -> dict[str, Any]:
        """The manifest of the file itself; the others are those of its ingredients."""
        found = self.report["manifests"][self.report["active_manifest"]]
        return dict(found)

    @property
    def failures(self) -> list[tuple[str, str]]:
        """(code, explanation) of what is wrong with the file's own manifest."""
        results = self.report.get("validation_results", {}).get("activeManifest", {})
        return [
            (str(one.get("code", "")), str(one.get("explanation", "")))
            for one in results.get("failure", [])
        ]


class UnreadableStoreError(InputError):
    """There is a manifest, but it cannot be read: it is damaged."""

    code = "bad-manifest"


class RemoteStoreError(InputError):
    """The manifest lies elsewhere, at an address that the file names."""

    code = "remote-manifest"


class UnknownContainerError(InputError):
    """The file is not what its name says, or cut off, and holds nothing of a manifest."""

    code = "bad-container"


def sidecar_of(path: Path) -> Path:
    """Where the manifest of a file that cannot hold one belongs. The file's suffix stays in the
    name: `result.mkv` and `result.mov` may lie in one folder."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def kind_of(path: Path) -> str:
    """What the library is told of the file's container. Raises `OSError`."""
    suffix = path.suffix[1:].lower()
    if suffix in c2pa.Reader.get_supported_mime_types():
        return suffix
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return next((kind for at, sign, kind in _HEADS if head[at:].startswith(sign)), AS_BYTES)


def read_store(
    path: Path, anchors_pem: str = "", check_stop: Callable[[], None] = go_on
) -> Store | None:
    """Read and check the file's manifests; None if it has none, in itself or beside it.

    check_stop: asked all the while, raises to end it. Raises `InputError` for a file that cannot be
    read, `UnreadableStoreError` for a damaged manifest, `RemoteStoreError` for one that would have
    to be fetched from elsewhere, `UnknownContainerError` for a file that is not what its name
    says."""
    try:
        return _read_store(path, anchors_pem, check_stop)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", "give a file that can be read"
        ) from error


def _read_store(path: Path, anchors_pem: str, check_stop: Callable[[], None]) -> Store | None:
    kind = kind_of(path)
    names = (sidecar_of(path), path.with_suffix(SIDECAR_SUFFIX))  # the second is others' way
    sidecar = next((name for name in names if name.is_file() and name != path), None)
    try:
        store = None if kind == AS_BYTES else _checked(path, kind, anchors_pem, check_stop)
    except UnknownContainerError:
        if sidecar is None:
            raise
        store = None
    if store is None and sidecar is not None:
        return _checked(path, AS_BYTES, anchors_pem, check_stop, sidecar)
    return store


def _checked(
    path: Path,
    kind: str,
    anchors_pem: str,
    check_stop: Callable[[], None],
    sidecar: Path | None = None,
) -> Store | None:
    data = _sidecar_data(sidecar) if sidecar else None
    try:
        with path.open("rb") as file:
            watched = StoppableFile(file, check_stop)
            reader = c2pa.Reader(kind, watched, data, c2pa_context(anchors_pem))
            with reader:
                report = json.loads(reader.json())
                verdict = str(reader.get_validation_state())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        check_stop()  # which the library tells in words of its own
        raise _unread(path, kind, sidecar, error) from error
    return Store(report, verdict, sidecar, data)


def _holds_manifest(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return False  # nothing to map
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(_MANIFEST_BOX) >= 0


def _unread(path: Path, kind: str, sidecar: Path | None, error: c2pa.C2paError) -> InputError:
    told = first_line(error)
    if told.startswith("Remote"):  # the library has no class for it
        return RemoteStoreError(
            f"the manifest of {path} lies elsewhere, and is not fetched: {told}",
            f"fetch it yourself, to {sidecar_of(path).name} beside the file",
        )
    if sidecar is None and not _holds_manifest(path):
        return UnknownContainerError(
            f"{path} cannot be read as {kind}: {told}",
            "give a whole file, whose name ends as its kind wants",
        )
    return UnreadableStoreError(
        f"{sidecar or path}: {told}", "get the file again from whoever made it"
    )


def _sidecar_data(sidecar: Path) -> bytes:
    with sidecar.open("rb") as file:
        data = file.read(LARGEST_SIDECAR_BYTES + 1)
    if len(data) > LARGEST_SIDECAR_BYTES:
        raise UnreadableStoreError(f"{sidecar} is too large to be a manifest", "check the file")
    return data
