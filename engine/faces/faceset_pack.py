"""The file `faceset.pak`: many face files in one, as DeepFaceLab packs them.

Layout, all integers 64-bit little endian: version 1, length of the list, the list (a pickle of one
dict per face), N + 1 offsets, then the face files one after another. Offsets count from the end of
the table; DeepFaceLab writes the last one from the start of the file instead, both are read.
Names and persons come from the list, everything else from the face files themselves (packs of
DeepFaceLab 1.0 number the face types differently).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data_from, read_jpeg_from
from engine.faces.pickle_stream import list_items
from engine.protocol.errors import InputError

PACK_NAME = "faceset.pak"
_VERSION = 1
_HEADER = struct.Struct("<QQ")
_OFFSET_BYTES = 8
_LARGEST_LIST_BYTES = 1 << 29  # it takes some 2 KB a face, 10 KB with an applied mask
_LONGEST_NAME = 255  # characters; what file systems allow


@dataclass(frozen=True, slots=True)
class PackedFace:
    """One face file in a pack: what it is called and where it lies."""

    pack_path: Path
    name: str
    person_name: str | None
    offset: int
    size_bytes: int

    def read_jpeg(self) -> bytes:
        """The face file's bytes. Raises `InputError` if they cannot be read or are too many."""
        with _opened(self.pack_path) as file:
            return read_jpeg_from(file, self.size_bytes, self.offset)

    def read_data(self) -> FaceData | None:
        """The face's metadata; see `engine.faces.face_file.read_face_data`."""
        with _opened(self.pack_path) as file:
            return read_face_data_from(file, self.size_bytes, self.offset)


def read_pack_list(path: Path, check_stop: Callable[[], None] = lambda: None) -> list[PackedFace]:
    """The faces in a pack, in its order; of its list only these names and places are kept.

    check_stop: called before each face; may raise to stop. Raises `InputError` for a file that is
    no such pack, is damaged, has a list of more than 512 MB, or whose names would lead out of the
    faceset's folder when unpacked.
    """
    with _opened(path) as file:
        try:
            return list(_packed_faces(path, file, path.stat().st_size, check_stop))
        except InputError as error:
            raise InputError(f"{path}: {error.message}", error.remedy, code=error.code) from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read {path}: {reason}", "check that the pack is there") from error


def _packed_faces(
    path: Path, file: BinaryIO, file_bytes: int, check_stop: Callable[[], None]
) -> Iterator[PackedFace]:
    version, list_bytes = _HEADER.unpack(_exactly(file, _HEADER.size, file_bytes))
    if version != _VERSION:
        raise _damaged(f"its version is {version}, only version {_VERSION} is known")
    if list_bytes > _LARGEST_LIST_BYTES:
        raise _damaged(
            f"its list claims to take {list_bytes} bytes, at most {_LARGEST_LIST_BYTES} are read"
        )
    names = _names(file, list_bytes, file_bytes, check_stop)
    file.seek(_HEADER.size + list_bytes)
    table = _exactly(file, _OFFSET_BYTES * (len(names) + 1), file_bytes)
    offsets = struct.unpack(f"<{len(names) + 1}Q", table)
    data_start = file.tell()
    for (name, person_name), start, end in zip(names, offsets, offsets[1:], strict=False):
        check_stop()
        first, last = data_start + start, min(data_start + end, file_bytes)
        if not first < last:
            where = f"{name} lies at byte {first}, the file has {file_bytes}"
            raise _damaged(f"it is cut short: {where}" if end > start else f"{name} has no bytes")
        yield PackedFace(path, name, person_name, first, last - first)


def _names(
    file: BinaryIO, list_bytes: int, file_bytes: int, check_stop: Callable[[], None]
) -> list[tuple[str, str | None]]:
    """The faces' names and persons out of the list, which is read face by face."""
    if list_bytes > file_bytes - file.tell():
        raise _damaged("it is cut short")
    names = []
    for row in list_items(file, list_bytes):
        check_stop()
        if not isinstance(row, dict):
            raise _damaged("its list is not one of faces")
        names.append((_name(row, "filename"), _person(row)))
    return names


def _person(row: dict[str, Any]) -> str | None:
    return None if row.get("person_name") is None else _name(row, "person_name")


def _name(row: dict[str, Any], key: str) -> str:
    name = row.get(key)
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= _LONGEST_NAME
        or name in (".", "..")
        or any(sign in name for sign in "/\\\0")
    ):
        raise _damaged(f"a {key} in it is not a plain name")
    return name


def _exactly(file: BinaryIO, size_bytes: int, file_bytes: int) -> bytes:
    if size_bytes > file_bytes - file.tell():
        raise _damaged("it is cut short")
    return file.read(size_bytes)


def _damaged(what: str) -> InputError:
    return InputError(
        f"the pack cannot be used: {what}",
        "copy it here again if it is from elsewhere, or pack the faceset again; without the pack"
        " loose files are used",
        code="broken-pack",
    )
