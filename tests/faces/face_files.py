"""Small face files and hostile ones, made on the spot."""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate
from typing import Any

import cv2
import numpy as np

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.faces.jpeg_segments import with_app15
from engine.faces.masks import Polygon
from tests.faces.landmarks import front_face

SIZE_PX = 64


def picture(size_px: int = SIZE_PX, seed: int = 0) -> np.ndarray:
    """A smooth colour picture (size, size, 3) uint8."""
    small = np.random.default_rng(seed).integers(0, 255, (4, 4, 3)).astype(np.uint8)
    return cv2.resize(small, (size_px, size_px))


def plain_jpeg(*options: int, size_px: int = SIZE_PX, seed: int = 0) -> bytes:
    """An ordinary JPEG; options as for `cv2.imencode`."""
    return cv2.imencode(".jpg", picture(size_px, seed), options)[1].tobytes()


def face_data(**changes: Any) -> FaceData:
    """The metadata of a face as extraction writes it."""
    matrix = face_from_frame(front_face(), SIZE_PX, FaceType.WHOLE_FACE)
    given: dict[str, Any] = {
        "face_type": FaceType.WHOLE_FACE,
        "landmarks": transform_points(front_face(), matrix),
        "source_filename": "00001.png",
        "source_rect": (190, 140, 310, 260),
        "source_landmarks": front_face(),
        "image_to_face_mat": matrix,
    }
    return FaceData(**(given | changes))


def labels() -> tuple[Polygon, ...]:
    """An inclusion with a hole."""
    square = np.array([(10, 10), (50, 10), (50, 50), (10, 50)], np.float32)
    return (
        Polygon(is_include=True, points_xy=square),
        Polygon(is_include=False, points_xy=square / 2 + 10),
    )


def jpeg_with(payload: bytes) -> bytes:
    """A face file whose metadata segment holds these bytes."""
    return with_app15(plain_jpeg(), payload)


def png_with(payload: bytes, seed: int = 0) -> bytes:
    """A PNG with a chunk `fcWp` just before its end, as DeepFaceLab 1.0 wrote them."""
    png = cv2.imencode(".png", picture(seed=seed))[1].tobytes()
    name = b"fcWp"
    checksum = zlib.crc32(name + payload).to_bytes(4, "big")
    chunk = len(payload).to_bytes(4, "big") + name + payload + checksum
    end = png.index(b"IEND") - 4
    return png[:end] + chunk + png[end:]


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment of nothing but that tag, as photo editors write it."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def pack(rows: list[dict[str, Any]], files: list[bytes], *, absolute_end: bool) -> bytes:
    """A `faceset.pak` of these files, in either form of the last offset."""
    from engine.faces.dfl_pickle import dfl_pickle

    rows_dict = dfl_pickle({"rows": rows})
    # dfl_pickle writes dicts; a pack holds a bare list, which is what lies between key and SETITEMS
    head = rows_dict.index(b"rows") + 4
    listing = b"\x80\x04" + rows_dict[head:-2] + b"."
    offsets = list(accumulate(map(len, files), initial=0))
    data_start = 16 + len(listing) + 8 * len(offsets)
    if absolute_end:
        offsets[-1] += data_start
    header = struct.pack("<QQ", 1, len(listing))
    return b"".join([header, listing, struct.pack(f"<{len(offsets)}Q", *offsets), *files])
