"""The plate of a result: the video that was altered, with the manifests that it came with."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from engine.protocol.hashing import file_sha256, go_on
from engine.provenance.library import StoppableFile
from engine.provenance.manifest import plate_ingredient
from engine.provenance.reading import problems_when_taken_in
from engine.provenance.store import (
    AS_BYTES,
    RemoteStoreError,
    Store,
    UnknownContainerError,
    UnreadableStoreError,
    kind_of,
    read_store,
)

_STORE = "plate.c2pa"


@dataclass(frozen=True)
class Plate:
    """kind: its container, for the library. store: its own manifests, None if it has none. problem:
    why its manifests are not what they should be, in words; "" if they are."""

    path: Path
    kind: str
    sha256: str
    store: Store | None = None
    problem: str = ""

    def add_to(self, builder: c2pa.Builder, check_stop: Callable[[], None]) -> None:
        """Make it an ingredient, which carries its manifests on. Raises `OSError` and the library's
        errors, one of these where `check_stop` raises."""
        ingredient = plate_ingredient() | self._claims(builder)
        with self.path.open("rb") as file:
            builder.add_ingredient(ingredient, self.kind, StoppableFile(file, check_stop))

    def _claims(self, builder: c2pa.Builder) -> dict[str, Any]:
        """What the library takes from the file by itself, but not from a side-car."""
        if self.store is None or self.store.sidecar_data is None:
            return {}
        builder.add_resource(_STORE, io.BytesIO(self.store.sidecar_data))
        return {
            "manifest_data": {"format": "application/c2pa", "identifier": _STORE},
            "active_manifest": self.store.report["active_manifest"],
            "validation_results": self.store.report["validation_results"],
        }


def open_plate(path: Path, anchors_pem: str = "", check_stop: Callable[[], None] = go_on) -> Plate:
    """Look at the plate. Raises `InputError` if it cannot be read, and what `check_stop` raises."""
    sha256 = file_sha256(path, check_stop)
    try:
        store = read_store(path, anchors_pem, check_stop)
    except UnknownContainerError:  # of the library, that is; ffmpeg may well read it
        return Plate(path, AS_BYTES, sha256)
    except (UnreadableStoreError, RemoteStoreError) as error:
        # Its hash still tells which file it was.
        return Plate(path, AS_BYTES, sha256, problem=f"is not carried on: {error.message}")
    if store is not None and store.verdict == "Invalid":
        told = ", ".join(problems_when_taken_in(store.failures))
        return Plate(
            path, kind_of(path), sha256, store, f"does not hold, and is carried on so: {told}"
        )
    return Plate(path, kind_of(path), sha256, store)
