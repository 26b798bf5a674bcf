"""From a face file to what a model trains on: the crop of its face type and size, and masks.

spec, training 7.1. Crops do not depend on chance: they are made once and kept, as 8-bit pictures (a
quarter of the memory, for a quarter of a level on the mean).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import face_from_frame
from engine.faces.face_data import FaceData
from engine.faces.face_file import face_mask
from engine.faces.face_type import FaceType
from engine.faces.masks import eyes_mask, mouth_mask
from engine.media.images import decode_face_bgr_u8

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

# References of colour only: more pixels would not change their distribution.
LARGEST_REFERENCE_PX = 128


@dataclass(frozen=True)
class CropKind:
    """What a model wants of a face: `side_px` square, of `face_type`; masks of eyes and mouth only
    if it learns from them."""

    face_type: FaceType
    side_px: int
    eyes_mouth: bool = False


@dataclass(frozen=True, eq=False)
class Crop:
    """A face ready to be bent: image (side, side, 3) BGR, masks (side, side), all 0..255."""

    image_bgr_u8: U8
    mask_u8: U8
    eyes_mouth_u8: U8 | None

    @property
    def size_bytes(self) -> int:
        extra = 0 if self.eyes_mouth_u8 is None else self.eyes_mouth_u8.nbytes
        return self.image_bgr_u8.nbytes + self.mask_u8.nbytes + extra


@dataclass(frozen=True, eq=False)
class Reference:
    """A face whose colours others take over: the whole picture (side, side, 3) BGR, 0..255."""

    image_bgr_u8: U8

    @property
    def size_bytes(self) -> int:
        return self.image_bgr_u8.nbytes


def make_reference(jpeg: bytes, side_px: int, name: str) -> Reference:
    """The reference of a face file for crops of `side_px`; not brought to their face type, as in
    DeepFaceLab. Raises `InputError` naming the file where the picture is damaged."""
    side_px = min(side_px, LARGEST_REFERENCE_PX)
    image = decode_face_bgr_u8(jpeg, Path(name))
    reduced = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    return Reference(np.asarray(reduced, np.uint8))


MaskOf = Callable[[FaceData, tuple[int, int]], F32]


def make_crop(
    jpeg: bytes, data: FaceData, kind: CropKind, name: str, mask_of: MaskOf = face_mask
) -> Crop:
    """The crop of a face file's bytes and metadata.

    mask_of: gives the face's mask (h, w), 0..1, by its metadata. Raises `InputError` naming the
    file where the picture is damaged or its landmarks are unusable.
    """
    image = decode_face_bgr_u8(jpeg, Path(name))
    shape_hw = (image.shape[0], image.shape[1])
    mask = mask_of(data, shape_hw)
    fit = _fit(data, kind, shape_hw)
    eyes_mouth = None
    if kind.eyes_mouth:
        both = eyes_mask(shape_hw, data.landmarks) + mouth_mask(shape_hw, data.landmarks)
        eyes_mouth = _as_u8(fit.mask(np.clip(both, 0, 1) * (mask != 0)))
    return Crop(fit.image(image), _as_u8(fit.mask(mask)), eyes_mouth)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Brings pictures of one face to the wanted crop: by its landmarks, or by resizing alone."""

    side_px: int
    crop_from_face: NDArray[np.float64] | None

    def image(self, image_bgr_u8: U8) -> U8:
        return np.asarray(
            self._apply(image_bgr_u8, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE), np.uint8
        )

    def mask(self, mask: F32) -> F32:
        fitted = self._apply(mask, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        return np.asarray(fitted, np.float32)

    def _apply(self, picture: Any, interpolation: int, border: int) -> Any:
        size = (self.side_px, self.side_px)
        if self.crop_from_face is not None:
            return cv2.warpAffine(
                picture, self.crop_from_face, size, flags=interpolation, borderMode=border
            )
        if picture.shape[:2] == size:
            return picture
        return cv2.resize(picture, size, interpolation=interpolation)


def _fit(data: FaceData, kind: CropKind, shape_hw: tuple[int, int]) -> _Fit:
    if data.face_type is kind.face_type and shape_hw[0] == shape_hw[1]:
        return _Fit(kind.side_px, None)
    return _Fit(kind.side_px, face_from_frame(data.landmarks, kind.side_px, kind.face_type))


def _as_u8(mask: F32) -> U8:
    return np.asarray(np.rint(np.clip(mask, 0, 1) * 255), np.uint8)


class Kept(Protocol):
    """What a cache keeps."""

    @property
    def size_bytes(self) -> int: ...


Made = TypeVar("Made", bound=Kept)


class CropCache:
    """Keeps crops and references up to `limit_bytes`; what comes after is made anew each time.

    Nothing is thrown out: faces are drawn in shuffled rounds, where the oldest crop is as likely to
    come next as any other. Thread-safe.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._kept: dict[tuple[str, object], Kept] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, face: object, make: Callable[[], Made]) -> Made:
        """What is kept of a face, one of each kind; made if it is not kept."""
        key = (kind, face)
        if key in self._kept:
            return cast(Made, self._kept[key])
        made = make()
        with self._lock:
            if key not in self._kept and self.size_bytes + made.size_bytes <= self.limit_bytes:
                self._kept[key] = made
                self.size_bytes += made.size_bytes
        return made
