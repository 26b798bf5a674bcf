"""The manifest store of a file: in the file, or in a side-car beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from engine.protocol.errors import InputError
from engine.provenance.library import c2pa_context, first_line

SIDECAR_SUFFIX = ".c2pa"
LARGEST_SIDECAR_BYTES = 1 << 26  # ours take 13 kB; those of files with many ingredients more
# The library hashes all bytes of what it knows no container of.
AS_BYTES = "application/octet-stream"


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


def sidecar_of(path: Path) -> Path:
    """Where the manifest of a file that cannot hold one belongs. The file's suffix stays in the
    name: `result.mkv` and `result.mov` may lie in one folder."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def kind_of(path: Path) -> str:
    """What the library is told of the file's container."""
    suffix = path.suffix[1:].lower()
    return suffix if suffix in c2pa.Reader.get_supported_mime_types() else AS_BYTES


def read_store(path: Path, anchors_pem: str = "") -> Store | None:
    """Read and check the file's manifests; None if it has none, in itself or beside it.

    Raises `InputError` for a file that cannot be read, `UnreadableStoreError` for a damaged
    manifest, `RemoteStoreError` for one that would have to be fetched from elsewhere."""
    try:
        return _read_store(path, anchors_pem)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", "give a file that can be read"
        ) from error


def _read_store(path: Path, anchors_pem: str) -> Store | None:
    kind = kind_of(path)
    if kind != AS_BYTES:
        store = _checked(path, kind, anchors_pem)
        if store is not None:
            return store
    for sidecar in (sidecar_of(path), path.with_suffix(SIDECAR_SUFFIX)):  # others' way to name it
        if sidecar.is_file() and sidecar != path:
            return _checked(path, AS_BYTES, anchors_pem, sidecar)
    return None


def _checked(path: Path, kind: str, anchors_pem: str, sidecar: Path | None = None) -> Store | None:
    data = _sidecar_data(sidecar) if sidecar else None
    try:
        with path.open("rb") as file:
            reader = c2pa.Reader(kind, file, data, c2pa_context(anchors_pem))
            with reader:
                report = json.loads(reader.json())
                verdict = str(reader.get_validation_state())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        raise _unread(sidecar or path, error) from error
    return Store(report, verdict, sidecar, data)


def _unread(path: Path, error: c2pa.C2paError) -> InputError:
    told = first_line(error)
    if told.startswith("Remote"):  # the library has no class for it
        return RemoteStoreError(
            f"the manifest of {path} lies elsewhere, and is not fetched: {told}",
            f"fetch it yourself, to {sidecar_of(path).name} beside the file",
        )
    return UnreadableStoreError(f"{path}: {told}", "get the file again from whoever made it")


def _sidecar_data(sidecar: Path) -> bytes:
    with sidecar.open("rb") as file:
        data = file.read(LARGEST_SIDECAR_BYTES + 1)
    if len(data) > LARGEST_SIDECAR_BYTES:
        raise UnreadableStoreError(f"{sidecar} is too large to be a manifest", "check the file")
    return data
