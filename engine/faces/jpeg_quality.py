"""The quality that a JPEG was written with, told by its quantization tables."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.jpeg_segments import read_head
from engine.protocol.errors import InputError

_DQT = 0xDB  # ITU-T T.81, B.2.4.1
_TABLE_BYTES = 65  # its number, then 64 steps in a byte each


def jpeg_quality_of(jpeg_bytes: bytes) -> int:
    """The quality, 1..100, at which OpenCV writes the same luma table, or the nearest to it.

    Raises `InputError` for what is no JPEG or has no table of 8 bits.
    """
    wanted = _luma_table(jpeg_bytes)
    apart = {quality: int(np.abs(table - wanted).sum()) for quality, table in _tables().items()}
    return min(apart, key=lambda quality: (apart[quality], -quality))


@cache
def _tables() -> dict[int, NDArray[np.int64]]:
    grey = np.zeros((8, 8), np.uint8)
    return {
        quality: _luma_table(cv2.imencode(".jpg", grey, (cv2.IMWRITE_JPEG_QUALITY, quality))[1])
        for quality in range(1, 101)
    }


def _luma_table(jpeg: bytes | NDArray[np.uint8]) -> NDArray[np.int64]:
    data = bytes(jpeg)
    for segment in read_head(data).segments:
        if segment.marker != _DQT:
            continue
        payload = data[segment.payload_start : segment.payload_end]
        if len(payload) >= _TABLE_BYTES and payload[0] == 0:  # 8 bits, number 0: luma
            return np.frombuffer(payload[1:_TABLE_BYTES], np.uint8).astype(np.int64)
    raise InputError("the JPEG has no quantization table of 8 bits", "extract this face again")
