"""Face files of DeepFaceLab 1.0: PNG pictures with the metadata in a chunk `fcWp`.

The chunk holds a pickle of the same dict as face JPEGs do. Layout: PNG specification, section 5.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from engine.faces.face_data import FaceData, data_from_dict
from engine.faces.face_file import LARGEST_FILE_BYTES
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = b"fcWp"
_BESIDES_CONTENT = 12  # bytes of a chunk: length, name, checksum


def read_png_bytes(path: Path) -> bytes:
    """The file's bytes. Raises `InputError` if it cannot be read or is larger than any face."""
    try:
        with path.open("rb") as file:
            png_bytes = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", "check the file") from error
    if len(png_bytes) > LARGEST_FILE_BYTES:
        raise InputError("it is larger than any face file", "take it out of the faceset")
    return png_bytes


def png_face_data(png_bytes: bytes) -> FaceData | None:
    """The metadata in a face PNG; None for a PNG without. Keys that only DeepFaceLab 1.0 had are
    in `other`.

    Raises `InputError` for what is no PNG, is damaged or cut short, or whose metadata is anything
    but plain data.
    """
    payload = _chunk(png_bytes)
    if payload is None:
        return None
    fields = decode_pickle(payload)
    if not isinstance(fields, dict):
        raise InputError(f"the metadata is a {type(fields).__name__}, not a dict", _REMEDY)
    return data_from_dict(fields) if fields else None


def _chunk(png_bytes: bytes) -> bytes | None:
    """The content of the last `fcWp`, its checksum verified."""
    if not png_bytes.startswith(_SIGNATURE):
        raise InputError("it is not a PNG file", _REMEDY)
    payload, position, kind = None, len(_SIGNATURE), b""
    while kind != b"IEND":
        length = int.from_bytes(png_bytes[position : position + 4], "big")
        kind = png_bytes[position + 4 : position + 8]
        end = position + _BESIDES_CONTENT + length
        if end > len(png_bytes):
            raise InputError("the PNG file is cut short", _REMEDY, code="broken-data")
        if kind == _CHUNK:
            payload = png_bytes[position + 8 : end - 4]
            if zlib.crc32(kind + payload) != int.from_bytes(png_bytes[end - 4 : end], "big"):
                raise InputError("the face's metadata is damaged", _REMEDY, code="broken-data")
        position = end
    return payload


_REMEDY = "extract this face again"
