"""Pictures from and to files: always (h, w, 3) uint8 in BGR order, upright, whole or refused."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically

ImageU8 = npt.NDArray[np.uint8]

MAX_FILE_BYTES = 1 << 30
# Eight frames of 8K: beyond it a header lies, or the machine would swap.
MAX_PIXELS = 1 << 28
FASTEST_PNG = 1
_COLOUR = cv2.IMREAD_COLOR_BGR | cv2.IMREAD_ANYDEPTH
_JPEG_SUFFIXES = (".jpg", ".jpeg")
# In entropy-coded JPEG data FF is followed by 00 (escape), FF (fill) or D0-D7 (restart).
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def read_image_bgr_u8(path: Path) -> ImageU8:
    """The picture in `path` as (h, w, 3) uint8 BGR.

    Grey becomes three equal channels, alpha is dropped, 16 bits and floats (0..1) are rounded to 8,
    an EXIF orientation is applied. Raises `InputError` naming the file when it cannot be read, is
    cut off, or would need more than `MAX_PIXELS`.
    """
    return _decoded(_read_bounded(path), path, _COLOUR)


def decode_face_bgr_u8(data: bytes, path: Path) -> ImageU8:
    """As `read_image_bgr_u8`, from a face file's bytes; `path` is only named in errors.

    An EXIF orientation, which an editor may have left, is not applied: landmarks, labels and masks
    belong to the pixels as they are stored.
    """
    return _decoded(data, path, _COLOUR | cv2.IMREAD_IGNORE_ORIENTATION)


def _decoded(data: bytes, path: Path, flags: int) -> ImageU8:
    _refuse_what_decoders_hide(data, path)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _unreadable(path, f"not decodable ({error.err})") from error
    if decoded is None:
        raise _unreadable(path, "not a JPEG, PNG or TIFF picture, or a damaged one")
    return _to_u8(decoded, path)


def write_image(
    path: Path,
    image_bgr_u8: ImageU8,
    *,
    jpeg_quality: int = 95,
    png_level: int = FASTEST_PNG,
    durable: bool = False,
) -> int:
    """Write (h, w), (h, w, 3) or (h, w, 4) uint8 in BGR(A) order in the format of `path`'s suffix.

    The file is whole or absent; `durable` makes it survive a power cut. Returns its size in bytes.
    Raises `InputError` when the disk is full or the folder not writable.
    """
    data = encode_image(image_bgr_u8, path.suffix, jpeg_quality=jpeg_quality, png_level=png_level)
    write_atomically(path, data, durable=durable)
    return len(data)


def encode_image(
    image_bgr_u8: ImageU8, suffix: str, *, jpeg_quality: int = 95, png_level: int = FASTEST_PNG
) -> bytes:
    """The picture as the bytes of a file with `suffix` (.png, .jpg, .jpeg, .tif, .tiff). Raises
    `ValueError` for other suffixes and for arrays that are no 8-bit picture."""
    if image_bgr_u8.dtype != np.uint8 or image_bgr_u8.ndim not in (2, 3) or not image_bgr_u8.size:
        raise ValueError(f"not an 8-bit picture: {image_bgr_u8.dtype} {image_bgr_u8.shape}")
    kind = suffix.lower()
    if kind in _JPEG_SUFFIXES:
        settings = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
    elif kind == ".png":
        settings = [cv2.IMWRITE_PNG_COMPRESSION, png_level]
        if png_level == FASTEST_PNG:
            # Frames and masks are smaller and a fifth faster so than with the search for repeats.
            settings += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    elif kind in (".tif", ".tiff"):
        settings = []
    else:
        raise ValueError(f"no image format for suffix {suffix!r}")
    encoded, data = cv2.imencode(kind, image_bgr_u8, settings)
    if not encoded:
        raise ValueError(f"cannot encode {image_bgr_u8.shape} as {kind}")
    return data.tobytes()


def _read_bounded(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _unreadable(path, f"{size} bytes are too many for a picture")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not data:
        raise _unreadable(path, "the file is empty")
    return data


def _refuse_what_decoders_hide(data: bytes, path: Path) -> None:
    """Some OpenCV versions fill the missing part of a cut-off JPEG or PNG with grey and say
    nothing, and allocate whatever size a header claims."""
    if data.startswith(b"\xff\xd8"):
        size = _jpeg_size_if_whole(data, path)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _png_size_if_whole(data, path)
    else:
        return
    if size[0] * size[1] > MAX_PIXELS:
        raise _unreadable(path, f"{size[0]}x{size[1]} is more than {MAX_PIXELS} pixels")


def _jpeg_size_if_whole(data: bytes, path: Path) -> tuple[int, int]:
    """(width, height) of a JPEG whose end-of-image marker is there. Bytes after it are fine."""
    position, size = 2, (0, 0)
    while marker := _JPEG_MARKER.search(data, position):
        kind, position = data[marker.end() - 1], marker.end()
        if kind == 0xD9:
            return size
        if kind in (0x01, 0xD8):
            continue  # these have no length
        if position + 7 > len(data):
            break
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = (width, height)
        position += struct.unpack_from(">H", data, position)[0]
    raise _unreadable(path, "the JPEG is cut off")


def _png_size_if_whole(data: bytes, path: Path) -> tuple[int, int]:
    """(width, height) of a PNG whose last chunk is there."""
    if len(data) < 33:
        raise _unreadable(path, "the PNG is cut off")
    width, height = struct.unpack_from(">II", data, 16)
    position = 8
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        if name == b"IEND" and position <= len(data):
            return (width, height)
    raise _unreadable(path, "the PNG is cut off")


def _to_u8(decoded: npt.NDArray[np.generic], path: Path) -> ImageU8:
    if decoded.dtype == np.uint8:
        return np.asarray(decoded, np.uint8)
    if decoded.dtype == np.uint16:
        # 65535 / 255 = 257 exactly: full white stays full white.
        return ((decoded.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if decoded.dtype in (np.float32, np.float64):
        unit = np.nan_to_num(decoded.astype(np.float32), nan=0.0)
        return np.asarray(np.rint(np.clip(unit, 0.0, 1.0) * 255.0), np.uint8)
    raise _unreadable(path, f"pixels of type {decoded.dtype} are not supported")


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"cannot read the picture {path}: {reason}",
        "replace or remove the file",
        code="bad-picture",
    )
