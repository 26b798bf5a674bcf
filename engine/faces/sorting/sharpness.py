"""How sharp a face is: by the chance of seeing blur at its edges, and by its finest details.

CPBD is "A No-Reference Image Blur Metric Based on the Cumulative Probability of Blur Detection",
N. D. Narvekar and L. J. Karam, IEEE Transactions on Image Processing 20(9), 2011. Edge widths are
those of Marziliano et al., "A no-reference perceptual blur metric", ICIP 2002.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.images import ImageU8

GreyU8 = NDArray[np.uint8]  # (h, w)

_BLOCK_PX = 64
_EDGE_BLOCK_SHARE = 0.002  # a block counts as one with edges above this share of edge pixels
_BETA = 3.6
_JNB_WIDTH_PX = {"low contrast": 5.0, "high contrast": 3.0}  # just noticeable blur
_LOW_CONTRAST = 50  # grey levels between a block's darkest and brightest pixel
_NOT_SEEN_PERCENT = 64  # blur is noticed with a probability of 63 %; fewer is "sharp"
_LONGEST_SIDE_PX = 101  # an edge is followed so far to either side
# Canny's usual thresholds, 0.1 and 0.2 levels, in the sixteenths that fit OpenCV's 16-bit numbers.
_CANNY_SCALE, _CANNY_LOW, _CANNY_HIGH = 16.0, 1.6, 3.2
_TAN_OF_A_SIXTEENTH = float(np.tan(np.pi / 8))  # of a turn
_FALLING, _NEITHER, _RISING = -1, 0, 1  # intensity from left to right


def cpbd_sharpness(grey_u8: GreyU8) -> float:
    """The share of a picture's vertical edges whose blur nobody would notice, 0..1; 0 for a picture
    without edges or smaller than 64 px."""
    if min(grey_u8.shape) < _BLOCK_PX:
        return 0.0
    widths_px = _edge_widths_px(grey_u8)
    chances = np.concatenate([np.empty(0), *_blur_chances(grey_u8, widths_px)])
    if not len(chances):
        return 0.0
    return float(np.mean(np.rint(chances * 100) < _NOT_SEEN_PERCENT))


def laplacian_variance(image_bgr_u8: ImageU8) -> float:
    """The variance of the Laplacian (aperture 11) over all pixels and channels: low under motion
    blur."""
    return float(cv2.Laplacian(image_bgr_u8, cv2.CV_64F, ksize=11).var())


def _blur_chances(grey_u8: GreyU8, widths_px: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """For each block with edges, how likely the blur of each of its vertical edges is noticed."""
    edges = _canny(grey_u8)
    height_px, width_px = grey_u8.shape
    for top in range(0, height_px - _BLOCK_PX + 1, _BLOCK_PX):
        for left in range(0, width_px - _BLOCK_PX + 1, _BLOCK_PX):
            block = slice(top, top + _BLOCK_PX), slice(left, left + _BLOCK_PX)
            if np.count_nonzero(edges[block]) > _EDGE_BLOCK_SHARE * _BLOCK_PX**2:
                block_widths_px = widths_px[block]
                found_px = block_widths_px[block_widths_px > 0]
                yield 1.0 - np.exp(-((found_px / _jnb_width_px(grey_u8[block])) ** _BETA))


def _jnb_width_px(block_u8: GreyU8) -> float:
    contrast = int(block_u8.max()) - int(block_u8.min())
    return _JNB_WIDTH_PX["low contrast" if contrast <= _LOW_CONTRAST else "high contrast"]


def _canny(grey_u8: GreyU8) -> NDArray[np.uint8]:
    """Edge pixels, unequal 0. Only counted, to leave out blocks without edges."""
    smooth = cv2.GaussianBlur(grey_u8.astype(np.float32), (0, 0), 1.0)
    along_x, along_y = (
        cv2.Sobel(smooth, cv2.CV_32F, *order, scale=_CANNY_SCALE).astype(np.int16)
        for order in ((1, 0), (0, 1))
    )
    edges = cv2.Canny(along_x, along_y, _CANNY_LOW, _CANNY_HIGH, L2gradient=True)
    return np.asarray(edges, np.uint8)


def _edge_widths_px(grey_u8: GreyU8) -> NDArray[np.int64]:
    """(h, w): at each pixel of a vertical edge the edge's width, elsewhere 0."""
    widths_px = np.zeros(grey_u8.shape, np.int64)
    rows, columns = np.nonzero(_vertical_edges(grey_u8))
    steps = np.sign(np.diff(grey_u8.astype(np.int16), axis=1))  # between a pixel and its right one
    direction = _edge_directions(grey_u8, rows, columns)
    for kind in (_FALLING, _RISING):
        at = rows[direction == kind], columns[direction == kind]
        goes_on = steps == kind
        left_px = _run_lengths(goes_on, at[0], at[1] - 2, towards=-1)
        right_px = _run_lengths(goes_on, at[0], at[1] + 1, towards=1)
        widths_px[at] = left_px + right_px + 2
    return widths_px


def _vertical_edges(grey_u8: GreyU8) -> NDArray[np.bool_]:
    """Pixels where the horizontal Sobel gradient is strong and larger than at both neighbours in
    its row, or at both in its column. The picture's outermost pixels are left out."""
    gradient = cv2.Sobel(grey_u8, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REFLECT)
    strength = np.square(gradient / 8, dtype=np.float64)
    strength[strength <= 2.0 * np.sqrt(strength.mean())] = 0.0
    inner = strength[1:-1, 1:-1]
    thin_in_row = (inner > strength[1:-1, :-2]) & (inner > strength[1:-1, 2:])
    thin_in_column = (inner > strength[:-2, 1:-1]) & (inner > strength[2:, 1:-1])
    return np.pad(thin_in_row | thin_in_column, 1)


def _edge_directions(
    grey_u8: GreyU8, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The gradient's direction at each pixel, rounded to eighths of a turn: falling, rising or
    neither. Where nothing changes sideways it counts as rising."""
    levels = grey_u8.astype(np.int64)
    right = levels[rows, columns + 1] - levels[rows, columns - 1]
    down = levels[rows + 1, columns] - levels[rows - 1, columns]
    level = (right == 0) | (np.abs(down) <= _TAN_OF_A_SIXTEENTH * np.abs(right))
    return np.where(level, np.where(right < 0, _FALLING, _RISING), _NEITHER)


def _run_lengths(
    goes_on: NDArray[np.bool_], rows: NDArray[np.intp], columns: NDArray[np.intp], *, towards: int
) -> NDArray[np.int64]:
    """How many cells in a row are true from each start on, at most 100."""
    lengths = np.zeros(len(rows), np.int64)
    running = np.arange(len(rows))
    for step in range(_LONGEST_SIDE_PX - 1):
        at = columns[running] + step * towards
        inside = (at >= 0) & (at < goes_on.shape[1])
        running, at = running[inside], at[inside]
        running = running[goes_on[rows[running], at]]
        if not len(running):
            break
        lengths[running] += 1
    return lengths
