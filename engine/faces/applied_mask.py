"""The applied XSeg mask as face files hold it: a small grey picture, at most 50 000 bytes."""

from __future__ import annotations

import cv2
import numpy as np

from engine.faces.jpeg_segments import read_head
from engine.faces.masks import Mask
from engine.protocol.errors import InputError

LARGEST_BYTES = 50_000  # DeepFaceLab's own limit; leaves room for labels beside it in the segment
_LARGEST_SIDE_PX = 4096  # applied masks are 256 px; a picture bomb claims far more
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def bytes_from_mask(mask: Mask) -> bytes:
    """The mask (h, w), 0..1, as PNG, or where that is too large as the best JPEG that fits.

    Raises `InputError` for a mask that fits in no quality.
    """
    grey_u8 = (np.clip(mask, 0.0, 1.0) * 255.0).astype(np.uint8)
    png = cv2.imencode(".png", grey_u8)[1].tobytes()
    if len(png) <= LARGEST_BYTES:
        return png
    for quality in range(100, -1, -1):
        jpeg = cv2.imencode(".jpg", grey_u8, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
        if len(jpeg) <= LARGEST_BYTES:
            return jpeg
    raise InputError(
        f"a mask of {grey_u8.shape[1]}x{grey_u8.shape[0]} px does not fit in a face file",
        "apply the mask at 256 px",
    )


def mask_from_bytes(compressed: bytes) -> Mask:
    """The mask (h, w) float32 in 0..1, in its own resolution. Raises `InputError` if unreadable."""
    height, width = _size_hw(compressed)
    if not (0 < height <= _LARGEST_SIDE_PX and 0 < width <= _LARGEST_SIDE_PX):
        raise _unreadable()
    try:
        grey_u8 = cv2.imdecode(np.frombuffer(compressed, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise _unreadable() from error
    if grey_u8 is None or grey_u8.shape != (height, width):
        raise _unreadable()
    return np.asarray(grey_u8, np.float32) / np.float32(255)


def _size_hw(compressed: bytes) -> tuple[int, int]:
    """The size that the file claims, read before any memory is taken for it."""
    if compressed.startswith(_PNG_SIGNATURE):
        width, height = compressed[16:20], compressed[20:24]  # in IHDR, always the first chunk
        return int.from_bytes(height, "big"), int.from_bytes(width, "big")
    try:
        size_hw = read_head(compressed).size_hw
    except InputError as error:
        raise _unreadable() from error
    if size_hw is None:
        raise _unreadable()
    return size_hw


def _unreadable() -> InputError:
    return InputError(
        "the applied mask in the face file cannot be read", "apply the XSeg mask again"
    )
