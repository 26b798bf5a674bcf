"""Face files: aligned face pictures as JPEG with their metadata, as DeepFaceLab reads and writes.

Reading metadata reads only the file's head. Writing never re-encodes the picture of an existing
file: only the metadata segment changes, and the file is replaced in one step.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.applied_mask import mask_from_bytes
from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import FaceData, data_from_dict, dict_from_data
from engine.faces.jpeg_segments import (
    HeadIncomplete,
    JpegHead,
    app15_payload,
    read_head,
    read_segments,
    with_app15,
)
from engine.faces.masks import Mask, hull_mask, polygons_mask
from engine.faces.restricted_pickle import decode_pickle
from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically

LARGEST_FILE_BYTES = 1 << 26  # a face of 2048 px takes 6 MB at most
_FIRST_READ_BYTES = 1 << 14  # holds the head of an ordinary face file
_LARGEST_HEAD_BYTES = 1 << 24  # the longest ICC profile; heads of face files take some 4 KB
_EOI = b"\xff\xd9"


def read_face_data(source: Path | bytes) -> FaceData | None:
    """The metadata of a face file (a path, or its bytes); None for a JPEG that has none.

    Raises `InputError` for a file that is missing, no JPEG, cut short, or whose metadata is damaged
    or anything but plain data.
    """
    if isinstance(source, bytes):
        read_segments(source)
        return _data_in(source, read_head(source))
    try:
        with source.open("rb") as file:
            return read_face_data_from(file, source.stat().st_size)
    except OSError as error:
        raise _unreadable(source, error) from error
    except InputError as error:
        raise InputError(f"{source}: {error.message}", error.remedy, code=error.code) from error


def read_face_data_from(file: BinaryIO, size_bytes: int, offset: int = 0) -> FaceData | None:
    """As `read_face_data`, for the face file of `size_bytes` at `offset` of an open file."""
    if size_bytes > LARGEST_FILE_BYTES:
        raise _too_large(size_bytes)
    head_bytes, head = _read_head_of(file, size_bytes, offset)
    file.seek(offset + size_bytes - len(_EOI))
    if file.read(len(_EOI)) != _EOI:
        # Cut short, or followed by something else: only the whole file tells.
        read_segments(_read(file, size_bytes, offset))
    return _data_in(head_bytes, head)


def encode_face_jpeg(
    image_bgr_u8: NDArray[np.uint8], quality: int, data: FaceData | None = None
) -> bytes:
    """A face file's bytes: the picture (h, w, 3) as JPEG of `quality` 1..100 with its metadata.

    Raises `InputError` if the metadata does not fit.
    """
    encoded, jpeg = cv2.imencode(".jpg", image_bgr_u8, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not encoded:
        raise InputError(f"cannot encode a picture of shape {image_bgr_u8.shape} as JPEG")
    return replace_face_data(jpeg.tobytes(), data)


def replace_face_data(jpeg_bytes: bytes, data: FaceData | None) -> bytes:
    """The face file with other metadata (or none); every byte outside of it stays as it is.

    Raises `InputError` if the metadata takes more than 65 533 bytes or the file is damaged.
    """
    return with_app15(jpeg_bytes, None if data is None else dfl_pickle(dict_from_data(data)))


def write_face(path: Path, image_bgr_u8: NDArray[np.uint8], quality: int, data: FaceData) -> None:
    """Write a face file in one step; see `encode_face_jpeg`. `path` is unchanged by any error."""
    write_atomically(path, encode_face_jpeg(image_bgr_u8, quality, data), durable=False)


def rewrite_face_data(path: Path, data: FaceData | None) -> None:
    """Replace the metadata of a face file in one step; `path` is unchanged by any error."""
    write_atomically(path, replace_face_data(read_jpeg(path), data))


def read_jpeg(path: Path) -> bytes:
    """The bytes of a face file. Raises `InputError` if it is missing, unreadable or too large."""
    try:
        with path.open("rb") as file:
            jpeg_bytes = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(jpeg_bytes) > LARGEST_FILE_BYTES:
        raise _too_large(len(jpeg_bytes))
    return jpeg_bytes


def read_face(path: Path) -> tuple[bytes, FaceData, tuple[int, int]]:
    """The bytes, the metadata and the size (h, w) of a face file. Raises `InputError` for what is
    no face, or is damaged."""
    jpeg_bytes = read_jpeg(path)
    data, size_hw = read_face_data(jpeg_bytes), read_head(jpeg_bytes).size_hw
    if data is None:
        raise InputError("it has no face metadata", "extract this face again")
    if size_hw is None:
        raise InputError("its picture has no size", "extract this face again")
    return jpeg_bytes, data, size_hw


def read_jpeg_from(file: BinaryIO, size_bytes: int, offset: int) -> bytes:
    """As `read_jpeg`, for the face file of `size_bytes` at `offset` of an open file."""
    if size_bytes > LARGEST_FILE_BYTES:
        raise _too_large(size_bytes)
    return _read(file, size_bytes, offset)


def face_mask(data: FaceData, shape_hw: tuple[int, int]) -> Mask:
    """The mask that training and merging use: the applied mask, else the landmarks' hull.

    The hull takes the file's own eyebrow modifier. Float32 (h, w) in 0..1.
    """
    if data.xseg_mask_compressed is None:
        return hull_mask(shape_hw, data.landmarks, data.eyebrows_expand_mod)
    return decode_applied_mask(data, shape_hw)


def decode_applied_mask(data: FaceData, shape_hw: tuple[int, int]) -> Mask:
    """The applied XSeg mask, resized to the face (h, w), 0..1. Raises `InputError` without one."""
    if data.xseg_mask_compressed is None:
        raise InputError("this face has no applied mask", "apply an XSeg mask first")
    mask = mask_from_bytes(data.xseg_mask_compressed)
    if mask.shape == shape_hw:
        return mask
    resized = cv2.resize(mask, shape_hw[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(resized, 0.0, 1.0), np.float32)


def labels_mask(data: FaceData, shape_hw: tuple[int, int]) -> Mask:
    """The mask that the hand-drawn labels describe, float32 (h, w), 0 or 1."""
    return polygons_mask(shape_hw, data.seg_ie_polys)


def _read_head_of(file: BinaryIO, size_bytes: int, offset: int) -> tuple[bytes, JpegHead]:
    wanted = _FIRST_READ_BYTES
    while True:
        head_bytes = _read(file, min(wanted, size_bytes), offset)
        try:
            return head_bytes, read_head(head_bytes)
        except HeadIncomplete:
            if wanted >= min(size_bytes, _LARGEST_HEAD_BYTES):
                raise
            wanted *= 8


def _read(file: BinaryIO, size_bytes: int, offset: int) -> bytes:
    file.seek(offset)
    return file.read(size_bytes)


def _data_in(data: bytes, head: JpegHead) -> FaceData | None:
    payload = app15_payload(data, head)
    if payload is None:
        return None
    fields = decode_pickle(payload)
    if not isinstance(fields, dict):
        raise InputError(
            f"the face's metadata is a {type(fields).__name__}, not a dict",
            "extract this face again",
            code="broken-data",
        )
    return data_from_dict(fields) if fields else None


def _too_large(size_bytes: int) -> InputError:
    return InputError(
        f"{size_bytes} bytes are more than any face file has", "take the file out of the faceset"
    )


def _unreadable(path: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"cannot read {path}: {reason}", "check that the file is there and readable")
