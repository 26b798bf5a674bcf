"""Writes `faceset.pak`, face by face: neither the faces nor the list are ever in memory as a whole.

The layout is told in `engine.faces.faceset_pack`. The list holds what DeepFaceLab keeps there, with
its two enumerations as its Python writes them. The last offset counts from the end of the table as
all others do: DeepFaceLab, which itself writes it from the start of the file, reads both.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from engine.faces.face_data import FaceData, dict_from_data
from engine.faces.face_file import read_face, read_jpeg
from engine.faces.faceset_pack import read_pack_list
from engine.faces.pickle_opcodes import (
    APPENDS,
    EMPTY_LIST,
    MARK,
    PROTOCOL,
    SETITEMS,
    STOP,
    pushed_dict,
    pushed_enum,
    pushed_text,
)
from engine.protocol.errors import InputError
from engine.protocol.files import is_utf8, replacing

_HEADER = struct.Struct("<QQ")  # version, bytes of the list
_VERSION = 1
_FACE_SAMPLE = 1  # DeepFaceLab's SampleType.FACE

Tell = Callable[[int, int], None]  # done, total; may raise to stop


@dataclass(frozen=True)
class FaceToPack:
    """A loose face file and the person it is filed under, if any."""

    path: Path
    person_name: str | None = None


@dataclass(frozen=True)
class PackOutcome:
    """What is in the pack now, and what is not with the reason for each."""

    packed: tuple[FaceToPack, ...]
    left_out: tuple[tuple[FaceToPack, str], ...]


@dataclass(frozen=True)
class _Listed:
    face: FaceToPack
    size_bytes: int
    checksum: int


def write_pack(path: Path, faces: Sequence[FaceToPack], tell: Tell) -> PackOutcome:
    """Pack the faces in their order; `path` is replaced in one step once the pack was read back.

    Files that are no whole face files are left out. `tell` is called before each face is read, of
    which each is twice, and with all done while the pack is read back. Raises `InputError` if no
    face remains, if one changes meanwhile, or if the disk is full; `path` is then unchanged.
    """
    with replacing(path) as beside:
        with beside.open("wb") as file:
            listed, left_out = _write_list(file, faces, tell)
            if not listed:
                raise _nothing_to_pack(path, left_out)
            _write_table(file, listed)
            _write_files(file, listed, tell, len(faces))
        _read_back(beside, listed, partial(tell, 2 * len(faces), 2 * len(faces)))
    return PackOutcome(tuple(entry.face for entry in listed), tuple(left_out))


def _write_list(
    file: BinaryIO, faces: Sequence[FaceToPack], tell: Tell
) -> tuple[list[_Listed], list[tuple[FaceToPack, str]]]:
    listed: list[_Listed] = []
    left_out: list[tuple[FaceToPack, str]] = []
    file.write(_HEADER.pack(_VERSION, 0))
    file.write(PROTOCOL + EMPTY_LIST + MARK)
    for number, face in enumerate(faces):
        tell(number, 2 * len(faces))
        try:
            jpeg_bytes, data, size_hw = read_face(face.path)
            row = _row(face, size_hw, data)
        except InputError as error:
            left_out.append((face, error.message))
            continue
        file.write(row)
        listed.append(_Listed(face, len(jpeg_bytes), zlib.crc32(jpeg_bytes)))
    file.write(APPENDS + STOP)
    list_bytes = file.tell() - _HEADER.size
    file.seek(0)
    file.write(_HEADER.pack(_VERSION, list_bytes))
    file.seek(0, 2)
    return listed, left_out


def _row(face: FaceToPack, size_hw: tuple[int, int], data: FaceData) -> bytes:
    """The opcodes that push the face's dict. Raises `InputError` for a name no pack can hold."""
    _check_name(face.path.name)
    if face.person_name is not None:
        _check_name(face.person_name)
    enums = (
        pushed_text("sample_type"),
        pushed_enum("samplelib.Sample", "SampleType", _FACE_SAMPLE),
        pushed_text("face_type"),
        pushed_enum("facelib.FaceType", "FaceType", data.face_type.pak_number),
    )
    return pushed_dict(_plain_fields(face, size_hw, data)) + MARK + b"".join(enums) + SETITEMS


def _plain_fields(face: FaceToPack, size_hw: tuple[int, int], data: FaceData) -> dict[str, object]:
    fields = dict_from_data(data)
    return {
        "filename": face.path.name,
        "shape": (*size_hw, 3),
        "landmarks": fields["landmarks"],
        "seg_ie_polys": fields.get("seg_ie_polys", {"polys": []}),
        "xseg_mask": None,
        "xseg_mask_compressed": fields.get("xseg_mask"),
        "eyebrows_expand_mod": data.eyebrows_expand_mod,
        "source_filename": data.source_filename,
        "person_name": face.person_name,
    }


def _check_name(name: str) -> None:
    # Packs travel between systems: what is a folder on one of them could not be unpacked there.
    if "\\" in name or not is_utf8(name):
        raise InputError(f"the name {name!a} holds a backslash or is not UTF-8", "rename it")


def _write_table(file: BinaryIO, listed: Sequence[_Listed]) -> None:
    offset = 0
    for entry in listed:
        file.write(struct.pack("<Q", offset))
        offset += entry.size_bytes
    file.write(struct.pack("<Q", offset))


def _write_files(file: BinaryIO, listed: Sequence[_Listed], tell: Tell, asked: int) -> None:
    for number, entry in enumerate(listed):
        tell(asked + number, asked + len(listed))
        jpeg_bytes = read_jpeg(entry.face.path)
        if len(jpeg_bytes) != entry.size_bytes or zlib.crc32(jpeg_bytes) != entry.checksum:
            raise InputError(
                f"{entry.face.path} changed while it was being packed",
                "pack again when nothing else works on the faceset",
            )
        file.write(jpeg_bytes)


def _read_back(path: Path, listed: Sequence[_Listed], check_stop: Callable[[], None]) -> None:
    """Faces must not leave for a pack that cannot be read: one with too long a list, above all."""
    try:
        packed = read_pack_list(path, check_stop)
    except InputError as error:
        raise InputError(
            f"{len(listed)} faces make a pack that cannot be read back: {error.message}",
            "pack fewer faces at a time: move some to another folder",
            code="pack-too-large",
        ) from error
    found = [(face.name, face.person_name, face.size_bytes) for face in packed]
    wanted = [(item.face.path.name, item.face.person_name, item.size_bytes) for item in listed]
    if found != wanted:
        raise InputError(f"the pack does not read back as written: {path}", "check the disk")


def _nothing_to_pack(path: Path, left_out: Sequence[tuple[FaceToPack, str]]) -> InputError:
    reason = f"; the first picture: {left_out[0][1]}" if left_out else ""
    return InputError(
        f"no faces to pack in {path.parent}{reason}", "extract faces first", code="no-faces"
    )
