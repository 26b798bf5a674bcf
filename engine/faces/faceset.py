"""Facesets: all faces of a folder, loose or packed, with their metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, overload

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data, read_face_data_from, read_jpeg
from engine.faces.faceset_pack import PACK_NAME, PackedFace, read_pack_list, read_packed_jpeg
from engine.protocol.errors import InputError

_JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
_OTHER_PICTURES = frozenset({".png", ".tif", ".tiff", ".bmp", ".webp"})
_READERS = 8  # threads wait for the disk; decoding metadata itself runs one at a time

_Item = TypeVar("_Item")
Skipped = tuple[str, str]  # file name, reason


@dataclass(frozen=True, eq=False)
class FaceEntry:
    """One face of a faceset. `path` is the loose file, None for a packed face."""

    name: str
    person_name: str | None
    path: Path | None
    data: FaceData
    pack_path: Path | None = None
    packed: PackedFace | None = None

    def read_jpeg(self) -> bytes:
        """The face file's bytes. Raises `InputError` if they cannot be read."""
        if self.pack_path is not None and self.packed is not None:
            return read_packed_jpeg(self.pack_path, self.packed)
        assert self.path is not None
        return read_jpeg(self.path)


class Faceset(Sequence[FaceEntry]):
    """The faces of a folder: loose files by name, packed faces in the pack's order.

    skipped: pictures that are no faces, each with the reason.
    """

    def __init__(
        self, folder: Path, entries: Iterable[FaceEntry], skipped: Iterable[Skipped]
    ) -> None:
        self.folder = folder
        self.entries = tuple(entries)
        self.skipped = list(skipped)

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> FaceEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FaceEntry]: ...
    def __getitem__(self, index: int | slice) -> FaceEntry | Sequence[FaceEntry]:
        return self.entries[index]

    def __iter__(self) -> Iterator[FaceEntry]:
        return iter(self.entries)


def open_faceset(folder: Path) -> Faceset:
    """The faceset in `folder`: its `faceset.pak` if there is one, else its loose files.

    Reads the metadata of every face (not the pictures). Raises `InputError` if the folder or the
    pack cannot be used; single files that are no faces are listed in `skipped`.
    """
    pack_path = folder / PACK_NAME
    if pack_path.is_file():
        return _open_pack(folder, pack_path)
    return _open_loose(folder)


def _open_pack(folder: Path, pack_path: Path) -> Faceset:
    def read(face: PackedFace) -> FaceEntry | Skipped:
        def data() -> FaceData | None:
            with pack_path.open("rb") as file:
                return read_face_data_from(file, face.size_bytes, face.offset)

        def entry(data: FaceData) -> FaceEntry:
            return FaceEntry(face.name, face.person_name, None, data, pack_path, face)

        return _entry_or_reason(face.name, data, entry)

    return _faceset(folder, _read_all(read, read_pack_list(pack_path)))


def _open_loose(folder: Path) -> Faceset:
    def read(name: str) -> FaceEntry | Skipped:
        path = folder / name
        if path.suffix.lower() not in _JPEG_SUFFIXES:
            return name, "faces are JPEG files"
        return _entry_or_reason(
            name, lambda: read_face_data(path), lambda data: FaceEntry(name, None, path, data)
        )

    return _faceset(folder, _read_all(read, _picture_names(folder)))


def _entry_or_reason(
    name: str, read: Callable[[], FaceData | None], entry: Callable[[FaceData], FaceEntry]
) -> FaceEntry | Skipped:
    try:
        data = read()
    except InputError as error:
        return name, error.message
    if data is None:
        return name, "it has no face metadata"
    return entry(data)


def _picture_names(folder: Path) -> list[str]:
    """The pictures in the folder, sorted as text as DeepFaceLab does; hidden files left out."""
    try:
        files = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except OSError as error:
        raise InputError(
            f"cannot read the faceset {folder}: {error.strerror or error}", "extract faces first"
        ) from error
    suffixes = _JPEG_SUFFIXES | _OTHER_PICTURES
    return sorted(
        name for name in files if not name.startswith(".") and Path(name).suffix.lower() in suffixes
    )


def _read_all(
    read: Callable[[_Item], FaceEntry | Skipped], items: list[_Item]
) -> list[FaceEntry | Skipped]:
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(read, items))


def _faceset(folder: Path, results: list[FaceEntry | Skipped]) -> Faceset:
    entries = [result for result in results if isinstance(result, FaceEntry)]
    return Faceset(folder, entries, [result for result in results if isinstance(result, tuple)])
