from __future__ import annotations

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest

from engine.faces.applied_mask import LARGEST_BYTES, bytes_from_mask, mask_from_bytes
from engine.protocol.errors import InputError


def test_a_smooth_mask_is_kept_exactly_as_png() -> None:
    mask = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(256, 0)
    compressed = bytes_from_mask(mask)
    assert compressed.startswith(b"\x89PNG")
    np.testing.assert_allclose(mask_from_bytes(compressed), mask, atol=1 / 255)


def test_a_noisy_mask_becomes_a_jpeg_that_fits() -> None:
    mask = np.random.default_rng(0).random((256, 256), np.float32)
    compressed = bytes_from_mask(mask)
    assert compressed.startswith(b"\xff\xd8")
    assert len(compressed) <= LARGEST_BYTES
    assert mask_from_bytes(compressed).shape == (256, 256)


def test_a_mask_beyond_0_and_1_is_clipped() -> None:
    assert mask_from_bytes(bytes_from_mask(np.full((8, 8), 3.0, np.float32))).max() == 1.0


def test_a_mask_that_never_fits_is_refused() -> None:
    with pytest.raises(InputError, match="1500x1500"):
        bytes_from_mask(np.random.default_rng(0).random((1500, 1500), np.float32))


def png_bomb(side_px: int) -> bytes:
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    start = struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = b"IDAT" + zlib.compress(bytes(1000))
    body = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + start + body


@pytest.mark.parametrize(
    "compressed",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        png_bomb(60_000),
        png_bomb(0),
        cv2.imencode(".png", np.zeros((5000, 5000), np.uint8))[1].tobytes(),
        cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes()[:100],
        cv2.imencode(".bmp", np.zeros((8, 8), np.uint8))[1].tobytes(),
    ],
)
def test_pictures_that_cannot_be_masks_are_refused_in_little_memory(compressed: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="the applied mask"):
            mask_from_bytes(compressed)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
