"""Whole face pictures through the face enhancer: in tiles that overlap, blended, at their size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.nets.face_enhancer import GROWTH, enhancer_net

TILE_PX = 192  # what the net was trained on
STEP_PX = TILE_PX // 2
_LARGE_PX = GROWTH * TILE_PX
_TILES_ON_GPU = 4  # at once: a tile's largest tensors take 170 MB each

FloatImage = NDArray[np.float32]


class FaceEnhancer:
    """The net, ready. Not for several threads at once."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], *, is_gpu: bool) -> None:
        """weights: the tensors of `FaceEnhancer.npy`. Raises `InputError` if they are another
        net's."""
        net = enhancer_net(weights)
        shape = [None, TILE_PX, TILE_PX, 3]
        signature = [tf.TensorSpec(shape, tf.float32)]
        self._net: Any = tf.function(net, input_signature=signature, autograph=False)
        self._at_once = _TILES_ON_GPU if is_gpu else 1

    def enhance(
        self, image_bgr_u8: NDArray[np.uint8], check_stop: Callable[[], None]
    ) -> NDArray[np.uint8]:
        """The picture (h, w, 3), sharpened, at its size. `check_stop` is called between tiles and
        may raise."""
        height, width = image_bgr_u8.shape[:2]
        image = image_bgr_u8.astype(np.float32) / np.float32(127.5) - 1
        large = self.enlarge(image, check_stop)
        small = cv2.resize(large, (width, height), interpolation=cv2.INTER_LANCZOS4)
        return np.asarray(np.rint((np.clip(small, -1, 1) + 1) * 127.5), np.uint8)

    def enlarge(self, image_bgr: FloatImage, check_stop: Callable[[], None]) -> FloatImage:
        """The picture (h, w, 3) in -1..1 as (4h, 4w, 3), sharpened; may leave -1..1 a little.

        Smaller ones than a tile are put in the middle of zeros, as DeepFaceLab does.
        """
        height, width = image_bgr.shape[:2]
        above, left = max(0, TILE_PX - height) // 2, max(0, TILE_PX - width) // 2
        below, right = max(0, TILE_PX - height - above), max(0, TILE_PX - width - left)
        padded = np.pad(image_bgr, ((above, below), (left, right), (0, 0)))
        large = self._blended(padded, check_stop)
        top, start = GROWTH * above, GROWTH * left
        return large[top : top + GROWTH * height, start : start + GROWTH * width]

    def _blended(self, image: FloatImage, check_stop: Callable[[], None]) -> FloatImage:
        height, width = image.shape[:2]
        tent = _tent()[:, :, None]
        total = np.zeros((GROWTH * height, GROWTH * width, 3), np.float32)
        weights = np.zeros((GROWTH * height, GROWTH * width, 1), np.float32)
        corners = [(y, x) for y in _starts(height) for x in _starts(width)]
        for first in range(0, len(corners), self._at_once):
            check_stop()
            some = corners[first : first + self._at_once]
            for (y, x), tile in zip(some, self._tiles(image, some), strict=True):
                top, left = GROWTH * y, GROWTH * x
                place = np.s_[top : top + _LARGE_PX, left : left + _LARGE_PX]
                total[place] += tile * tent
                weights[place] += tent
        return np.asarray(total / weights, np.float32)

    def _tiles(self, image: FloatImage, corners: Sequence[tuple[int, int]]) -> FloatImage:
        tiles = [image[y : y + TILE_PX, x : x + TILE_PX] for y, x in corners]
        enlarged: FloatImage = self._net(np.stack(tiles)).numpy()
        return enlarged


def _starts(side_px: int) -> list[int]:
    """Where tiles start on a side: each half a tile further, the last one at the end."""
    last = side_px - TILE_PX
    return [*range(0, last, STEP_PX), last]


def _tent() -> FloatImage:
    """A tile's weights: 1 in the middle, falling to nearly 0 at the edges. DeepFaceLab's are 0 in
    the first row and column, which blackens the picture's own."""
    rising = (np.arange(_LARGE_PX // 2, dtype=np.float32) + 0.5) / (_LARGE_PX // 2)
    line = np.concatenate([rising, rising[::-1]])
    return np.asarray(np.outer(line, line), np.float32)
