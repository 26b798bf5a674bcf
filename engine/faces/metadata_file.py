"""The metadata of a faceset as a file: `meta.dat`, as DeepFaceLab saves it, and the same to read.

`meta.dat` is a pickle of {file name: ((h, w, 3), metadata)}. Beside it lies a JSON file for people
and scripts, one face a line, without the applied masks: pictures belong into pictures. It is never
read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.faces.face_data import FaceData, data_from_dict, dict_from_data
from engine.faces.face_file import read_face
from engine.faces.pickle_opcodes import (
    EMPTY_DICT,
    MARK,
    PROTOCOL,
    SETITEMS,
    STOP,
    pushed_dict,
    pushed_pair,
    pushed_shape,
    pushed_text,
)
from engine.faces.pickle_stream import dict_items
from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, replacing

META_NAME = "meta.dat"
SIDECAR_NAME = "faceset-metadata.json"
_SIDECAR_KIND = '{"kind": "facewright faceset metadata", "version": 1, "faces": {'
_LARGEST_FILE_BYTES = 1 << 29  # it takes some 5 KB a face, 50 KB more with a large applied mask
_LARGEST_SIDE_PX = 1 << 13


@dataclass(frozen=True)
class SavedFace:
    """One face's entry. size_hw: the picture's size when it was saved."""

    size_hw: tuple[int, int]
    data: FaceData


@dataclass(frozen=True)
class SavedMetadata:
    """A `meta.dat`: its entries by file name, and why others cannot be used."""

    faces: dict[str, SavedFace]
    unusable: dict[str, str]


def saved_face(path: Path) -> SavedFace:
    """The entry of a face file. Raises `InputError` for what is no face, or is damaged."""
    _, data, size_hw = read_face(path)
    return SavedFace(size_hw, data)


def write_metadata(folder: Path, faces: Iterable[tuple[str, SavedFace]]) -> None:
    """Write `meta.dat` and its readable sidecar into `folder`, each replaced in one step.

    faces: file names with their entries; taken one by one. Whatever `faces` raises leaves both
    files as they were, as does a full disk (`InputError`).
    """
    with replacing(folder / META_NAME) as meta, replacing(folder / SIDECAR_NAME) as sidecar:
        try:
            with meta.open("wb") as meta_file, sidecar.open("wb") as sidecar_file:
                _write(meta_file, sidecar_file, faces)
        except OSError as error:
            raise disk_error(error, folder / META_NAME) from error


def read_metadata(path: Path, check_stop: Callable[[], None] = lambda: None) -> SavedMetadata:
    """The entries of a `meta.dat`, DeepFaceLab's or ours, read one by one.

    check_stop: called before each entry; may raise to stop. Raises `InputError` if the file is
    missing, damaged, larger than 512 MB or holds anything but plain data; single entries that are
    no face's are told in `unusable`.
    """
    try:
        with path.open("rb") as file:
            return _read_entries(file, path.stat().st_size, check_stop)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read {path}: {reason}", "save the metadata first") from error
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.remedy, code=error.code) from error


def _read_entries(file: BinaryIO, size_bytes: int, check_stop: Callable[[], None]) -> SavedMetadata:
    if size_bytes > _LARGEST_FILE_BYTES:
        raise InputError(
            f"it takes {size_bytes} bytes, and at most {_LARGEST_FILE_BYTES} are read",
            "save and restore the metadata of fewer faces at a time",
            code="too-large",
        )
    saved = SavedMetadata({}, {})
    for name, entry in dict_items(file, size_bytes):
        check_stop()
        try:
            saved.faces[name] = _saved_face(entry)
        except InputError as error:
            saved.unusable[name] = error.message
    return saved


def _write(
    meta_file: BinaryIO, sidecar_file: BinaryIO, faces: Iterable[tuple[str, SavedFace]]
) -> None:
    meta_file.write(PROTOCOL + EMPTY_DICT + MARK)
    sidecar_file.write(_SIDECAR_KIND.encode())
    separator = "\n"
    for name, face in faces:
        pair = pushed_pair(pushed_shape(face.size_hw), pushed_dict(dict_from_data(face.data)))
        meta_file.write(pushed_text(name) + pair)
        line = f"{separator}{json.dumps(name)}: {json.dumps(_readable(face))}"
        sidecar_file.write(line.encode())
        separator = ",\n"
    meta_file.write(SETITEMS + STOP)
    sidecar_file.write(b"\n}}\n")


def _readable(face: SavedFace) -> dict[str, Any]:
    fields = dict_from_data(face.data)
    mask = fields.pop("xseg_mask", None)
    readable: dict[str, Any] = {"height": face.size_hw[0], "width": face.size_hw[1]}
    readable |= {key: _plain(value) for key, value in fields.items()}
    if mask is not None:
        readable["applied_mask_bytes"] = len(mask)
    return readable


def _plain(value: Any) -> Any:
    """The value as JSON knows it: arrays as lists, bytes as how many they are."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value.tolist() if hasattr(value, "tolist") else value


def _saved_face(entry: object) -> SavedFace:
    match entry:
        case ((int(height_px), int(width_px), int()), dict() as fields) if (
            0 < height_px <= _LARGEST_SIDE_PX and 0 < width_px <= _LARGEST_SIDE_PX
        ):
            return SavedFace((height_px, width_px), data_from_dict(fields))
    raise InputError("its entry is not a size and metadata", "save the metadata again")
