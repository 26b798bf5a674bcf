"""What can be measured of one face: pose, sharpness, light, mouth, a thumbnail, a hash."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Points
from engine.faces.face_data import FaceData
from engine.faces.head_fit import HeadFits, fit_heads
from engine.faces.jpeg_segments import read_head
from engine.faces.masks import hull_mask
from engine.protocol.errors import InputError

GreyU8 = NDArray[np.uint8]

THUMB_PX = 24
_HASH_PX, _HASH_KEPT = 32, 8  # the usual size of a DCT hash: the 8 x 8 lowest of 32 x 32
_MAX_PIXELS = 1 << 26  # 8192 x 8192; the extractor writes 2048 at most
# Points of the upper and lower inner lip that face each other, and the bridge of the nose.
_UPPER_LIP, _LOWER_LIP = [61, 62, 63], [67, 66, 65]
_NOSE_TOP, _NOSE_BASE = 27, 33


@dataclass(frozen=True, eq=False)
class Measures:
    """See `engine.protocol.face_index.FaceRow` for the numbers' meaning. head: of this one face,
    None where the landmarks are none. thumb_grey: (THUMB_PX, THUMB_PX). phash: 64 bits, signed."""

    size_hw: tuple[int, int]
    head: HeadFits | None
    sharpness: float
    brightness: float
    light_side: float
    mouth_open: float
    thumb_grey: GreyU8
    phash: int


def measure(jpeg_bytes: bytes, data: FaceData) -> Measures:
    """Measure a face from its file's bytes and its metadata. Raises `InputError` where the picture
    cannot be decoded."""
    face_grey = decode_grey_u8(jpeg_bytes)
    height, width = face_grey.shape
    outline = hull_mask((height, width), data.landmarks) > 0
    brightness, light_side = _light(face_grey, outline, data.landmarks)
    return Measures(
        size_hw=(height, width),
        head=_head(data.landmarks),
        sharpness=_sharpness(face_grey, outline),
        brightness=brightness,
        light_side=light_side,
        mouth_open=mouth_open(data.landmarks),
        thumb_grey=_shrunk(face_grey, THUMB_PX),
        phash=perceptual_hash(face_grey),
    )


def decode_grey_u8(jpeg_bytes: bytes) -> GreyU8:
    """The face's luma (h, w). Decoding grey alone takes a third of the time of colour.

    Raises `InputError` for a picture that is damaged or too large.
    """
    return _decoded(jpeg_bytes, cv2.IMREAD_GRAYSCALE)


def decode_face_rgb_u8(jpeg_bytes: bytes) -> NDArray[np.uint8]:
    """The face in colour (h, w, 3), RGB; errors as for `decode_grey_u8`."""
    return _decoded(jpeg_bytes, cv2.IMREAD_COLOR_RGB)


def _decoded(jpeg_bytes: bytes, flags: int) -> NDArray[np.uint8]:
    size_hw = read_head(jpeg_bytes).size_hw
    if size_hw is None or not 0 < size_hw[0] * size_hw[1] <= _MAX_PIXELS:
        raise InputError(f"a face picture of {size_hw} pixels", "extract this face again")
    try:
        as_stored = flags | cv2.IMREAD_IGNORE_ORIENTATION  # as `decode_face_bgr_u8`
        decoded = cv2.imdecode(np.frombuffer(jpeg_bytes, np.uint8), as_stored)
    except cv2.error as error:
        raise _undecodable() from error
    if decoded is None:
        raise _undecodable()
    return np.asarray(decoded, np.uint8)


def mouth_open(landmarks_xy: Points) -> float:
    """The gap of the inner lips in lengths of the nose: 0 closed. The nose is taken since speaking
    does not move it, and nodding shortens it as it shortens the gap."""
    gap = (landmarks_xy[_LOWER_LIP] - landmarks_xy[_UPPER_LIP]).mean(axis=0)
    nose = landmarks_xy[_NOSE_BASE] - landmarks_xy[_NOSE_TOP]
    return float(np.hypot(*gap) / max(float(np.hypot(*nose)), 1e-6))


def perceptual_hash(face_grey: GreyU8) -> int:
    """64 bits: which of the lowest spatial frequencies are above their median. Signed."""
    small = _shrunk(face_grey, _HASH_PX).astype(np.float32)
    lowest = cv2.dct(small)[:_HASH_KEPT, :_HASH_KEPT].ravel()
    bits = lowest > np.median(lowest[1:])  # the first is the mean brightness
    return int(np.packbits(bits).view(">i8")[0])


def _head(landmarks_xy: Points) -> HeadFits | None:
    """None is said to the user as a doubtful face, not as an error: the picture may be fine."""
    head = fit_heads(landmarks_xy[None])
    return head if np.isfinite(head.misfit[0]) else None


def _sharpness(face_grey: GreyU8, outline: NDArray[np.bool_]) -> float:
    """Variance of the Laplacian inside the outline (of the whole picture if that is empty)."""
    edges = cv2.Laplacian(face_grey, cv2.CV_16S)
    _, deviation = cv2.meanStdDev(edges, mask=_as_mask(outline))
    return float(deviation[0, 0]) ** 2


def _light(
    face_grey: GreyU8, outline: NDArray[np.bool_], landmarks_xy: Points
) -> tuple[float, float]:
    """Mean luma in the outline, 0..1, and how much brighter its right half is, -1..1. The halves
    meet at the line from the bridge of the nose to the chin."""
    mean = cv2.mean(face_grey, mask=_as_mask(outline))[0]
    (top_x, top_y), (chin_x, chin_y) = landmarks_xy[_NOSE_TOP], landmarks_xy[8]
    rows, columns = np.ogrid[: face_grey.shape[0], : face_grey.shape[1]]
    is_right = (columns - top_x) * (chin_y - top_y) - (rows - top_y) * (chin_x - top_x) > 0
    right, left = (
        cv2.mean(face_grey, mask=_as_mask(half))[0] if half.any() else mean
        for half in (outline & is_right, outline & ~is_right)
    )
    return mean / 255, (right - left) / max(right + left, 1.0)


def _as_mask(selected: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    return selected.view(np.uint8) if selected.any() else None


def _shrunk(face_grey: GreyU8, side_px: int) -> GreyU8:
    return np.asarray(cv2.resize(face_grey, (side_px, side_px), interpolation=cv2.INTER_AREA))


def _undecodable() -> InputError:
    return InputError("the picture cannot be decoded", "extract this face again", code="broken")
