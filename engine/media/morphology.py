"""Masks made smaller or larger by a disc, also by hundreds of pixels."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Up to this diameter OpenCV's own filter, whose time grows with the disc's area, is as fast.
FEW_PX = 16
# Rows that are worked on at once: a strip of them and its neighbours stay in the processor's cache.
STRIP_ROWS = 64


def eroded(mask: Floats, diameter_px: int) -> Floats:
    """The mask (h, w) shrunk by OpenCV's ellipse of that diameter, or grown when it is negative.
    Beyond its edges a mask is zero."""
    if diameter_px == 0:
        return mask
    side = abs(diameter_px)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    if side <= FEW_PX:
        morph = cv2.erode if diameter_px > 0 else cv2.dilate
        few: Floats = morph(mask, ellipse, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return few
    left, top, width, height = cv2.boundingRect((mask != 0).view(np.uint8))
    result = np.zeros_like(mask)
    if width == 0:
        return result
    # The result is zero beyond this: nothing but zeros is seen from there.
    rows = slice(max(0, top - side // 2 - 1), min(len(mask), top + height + side // 2 + 1))
    columns = slice(max(0, left - side // 2 - 1), min(mask.shape[1], left + width + side // 2 + 1))
    pick = np.minimum if diameter_px > 0 else np.maximum
    before, after = side // 2, side - 1 - side // 2
    padded = cv2.copyMakeBorder(
        mask[rows, columns], before, after, before, after, cv2.BORDER_CONSTANT, value=0
    )
    result[rows, columns] = _picked(padded, ellipse, pick)
    return result


def _picked(padded: Floats, ellipse: NDArray[np.uint8], pick: np.ufunc) -> Floats:
    """The least or largest value under the ellipse, for each of its places in `padded`.

    Row by row of the ellipse, from windows whose widths are powers of two: the time grows with the
    diameter, not with the area.
    """
    side = len(ellipse)
    height, width = padded.shape[0] - side + 1, padded.shape[1] - side + 1
    result = np.empty((height, width), np.float32)
    for first in range(0, height, STRIP_ROWS):
        strip = result[first : first + STRIP_ROWS]
        windows = _windows(padded[first : first + len(strip) + side - 1], side, pick)
        strip[:] = padded[first + side // 2 :, side // 2 :][: len(strip), :width]
        one_row = np.empty_like(strip)
        for row, start, length in _extents(ellipse):
            window = windows[length.bit_length() - 1]
            last = start + length - (1 << (length.bit_length() - 1))
            seen = window[row : row + len(strip)]
            pick(seen[:, start : start + width], seen[:, last : last + width], out=one_row)
            pick(strip, one_row, out=strip)
    return result


def _windows(rows: Floats, widest_px: int, pick: np.ufunc) -> list[Floats]:
    """The least or largest of each 1, 2, 4, ... pixels of a row, from each pixel on."""
    windows = [rows]
    for power in range(widest_px.bit_length() - 1):
        step, before = 1 << power, windows[-1]
        windows.append(pick(before[:, :-step], before[:, step:]))
    return windows


def _extents(ellipse: NDArray[np.uint8]) -> Iterator[tuple[int, int, int]]:
    """Row, first column and length of the ellipse's rows."""
    for row, cells in enumerate(ellipse):
        [columns] = np.nonzero(cells)
        if len(columns):
            yield row, int(columns[0]), len(columns)
