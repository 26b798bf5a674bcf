"""Facesets: all faces of a folder, loose or packed, with their metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data, read_jpeg
from engine.faces.faceset_pack import PACK_NAME, PackedFace, read_pack_list
from engine.protocol.errors import InputError
from engine.protocol.workspace import FACE_SUFFIXES, list_images

_OTHER_PICTURES = frozenset({".png", ".tif", ".tiff", ".bmp", ".webp"})
_READERS = 8  # threads wait for the disk; decoding metadata itself runs one at a time
_READ_AHEAD = 128  # files; some 0.1 s of work, a second on a slow network disk

Skipped = tuple[str, str]  # file name, reason


@dataclass(frozen=True)
class LooseFace:
    """A face file of its own."""

    path: Path

    def read_jpeg(self) -> bytes:
        """The face file's bytes. Raises `InputError` if they cannot be read."""
        return read_jpeg(self.path)

    def read_data(self) -> FaceData | None:
        """The face's metadata; see `engine.faces.face_file.read_face_data`."""
        return read_face_data(self.path)


@dataclass(frozen=True, eq=False)
class FaceEntry:
    """One face of a faceset. `person_name` only in packs of several persons."""

    name: str
    person_name: str | None
    data: FaceData
    file: LooseFace | PackedFace

    @property
    def path(self) -> Path | None:
        """The loose file; None for a packed face."""
        return self.file.path if isinstance(self.file, LooseFace) else None

    def read_jpeg(self) -> bytes:
        """The face file's bytes. Raises `InputError` if they cannot be read."""
        return self.file.read_jpeg()


_Named = tuple[str, str | None, LooseFace | PackedFace]  # name, person, file


class Faceset(Sequence[FaceEntry]):
    """The faces of a folder or pack: loose files by name, packed faces in the pack's order.

    folder: what was opened. skipped: pictures that are no faces, each with the reason.
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


def open_faceset(folder: Path, check_stop: Callable[[], None] = lambda: None) -> Faceset:
    """The faceset in `folder`: its `faceset.pak` if there is one, else its loose files. A pack of
    any name can be given itself.

    Reads the metadata of every face (not the pictures). check_stop: called for each face; may raise
    to stop. Raises `InputError` if the folder or the pack cannot be used; single files that are no
    faces are listed in `skipped`.
    """
    pack_path = folder if folder.is_file() else folder / PACK_NAME
    if pack_path.is_file():
        packed: list[_Named] = [
            (face.name, face.person_name, face) for face in read_pack_list(pack_path, check_stop)
        ]
        return _read_faceset(folder, packed, check_stop)
    loose: list[_Named] = [
        (name, None, LooseFace(folder / name)) for name in _picture_names(folder)
    ]
    return _read_faceset(folder, loose, check_stop)


def _read_faceset(folder: Path, files: Sequence[_Named], check_stop: Callable[[], None]) -> Faceset:
    entries: list[FaceEntry] = []
    skipped: list[Skipped] = []
    with ThreadPoolExecutor(_READERS) as readers:
        for start in range(0, len(files), _READ_AHEAD):
            # What was handed to the readers is waited for: it must be little when a stop comes.
            for result in readers.map(_read_entry, files[start : start + _READ_AHEAD]):
                check_stop()
                if isinstance(result, FaceEntry):
                    entries.append(result)
                else:
                    skipped.append(result)
    return Faceset(folder, entries, skipped)


def _read_entry(named: _Named) -> FaceEntry | Skipped:
    name, person_name, file = named
    if isinstance(file, LooseFace) and file.path.suffix.lower() not in FACE_SUFFIXES:
        return name, "faces are JPEG files"
    try:
        data = file.read_data()
    except InputError as error:
        return name, error.message
    if data is None:
        return name, "it has no face metadata"
    return FaceEntry(name, person_name, data, file)


def _picture_names(folder: Path) -> list[str]:
    """The pictures in the folder, sorted as text as DeepFaceLab does; hidden files left out."""
    try:
        os.scandir(folder).close()  # of a folder that is not there nothing would be listed
        return [path.name for path in list_images(folder, FACE_SUFFIXES | _OTHER_PICTURES)]
    except OSError as error:
        raise InputError(
            f"cannot read the faceset {folder}: {error.strerror or error}", "extract faces first"
        ) from error
