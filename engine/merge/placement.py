"""Where a face lies in its frame: the crop taken from there and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.levels import unit_floats

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

# Cubic interpolation reads two pixels around a place; one more for rounding.
CUBIC_REACH_PX = 3


@dataclass(frozen=True)
class Region:
    """A part of the frame: columns left..right-1, rows top..bottom-1."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def is_empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def joined(self, other: Region) -> Region:
        """The smallest region around both; an empty one adds nothing."""
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return Region(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def shifted(self, face_from_frame: Matrix) -> Matrix:
        """The same crop matrix for the region's own pixel coordinates."""
        moved = face_from_frame.copy()
        moved[:, 2] += face_from_frame[:, :2] @ (self.left, self.top)
        return moved


def region_of_square(
    face_from_frame: Matrix, square_px: int, frame_hw: tuple[int, int], margin_face_px: int
) -> Region:
    """The smallest region of the frame around the square of `square_px` and its margin."""
    low, high = -margin_face_px, square_px + margin_face_px
    corners = np.array([(low, low), (high, low), (high, high), (low, high)], dtype=np.float64)
    frame_from_face = cv2.invertAffineTransform(face_from_frame)
    in_frame = corners @ frame_from_face[:, :2].T + frame_from_face[:, 2]
    height, width = frame_hw
    left, top = np.floor(in_frame.min(axis=0)).astype(int) - CUBIC_REACH_PX
    right, bottom = np.ceil(in_frame.max(axis=0)).astype(int) + CUBIC_REACH_PX + 1
    return Region(
        int(np.clip(left, 0, width)),
        int(np.clip(top, 0, height)),
        int(np.clip(right, 0, width)),
        int(np.clip(bottom, 0, height)),
    )


def cut_square(picture: NDArray[np.generic], face_from_frame: Matrix, square_px: int) -> Floats:
    """The square cut from an (h, w[, 3]) uint8 (taken as 0..255) or float32 (0..1) picture.

    Cubic, (square_px, square_px[, 3]) float32, 0..1; black outside of the picture.
    """
    region = region_of_square(
        face_from_frame, square_px, (picture.shape[0], picture.shape[1]), margin_face_px=0
    )
    if region.is_empty:
        return np.zeros((square_px, square_px, *picture.shape[2:]), np.float32)
    square: Floats = cv2.warpAffine(
        unit_floats(picture[region.slices]),
        region.shifted(face_from_frame),
        (square_px, square_px),
        flags=cv2.INTER_CUBIC,
    )
    return np.clip(square, 0, 1)


def lay_into(region: Region, square: Floats, face_from_frame: Matrix) -> Floats:
    """The square as it lies in the region of the frame: cubic, zero around it, clipped to 0..1."""
    return np.clip(lay_unclipped(region, square, face_from_frame), 0, 1)


def lay_unclipped(region: Region, square: Floats, face_from_frame: Matrix) -> Floats:
    """As `lay_into`, with the cubic interpolation's overshoot at sharp edges."""
    laid: Floats = cv2.warpAffine(
        square,
        region.shifted(face_from_frame),
        region.size_wh,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
    )
    return laid
