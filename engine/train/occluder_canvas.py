"""Where things that hide a face are painted: round bodies with shading, and textures.

Pictures are (side, side, 3) float32 BGR, alphas (side, side) float32, all 0..1; points are (x, y)
in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.levels import unit_floats

F32 = NDArray[np.float32]
Generator = np.random.Generator
Place = NDArray[np.float64]  # (2,): x, y

_COARSE_PX = 16  # the grid of coarse noise, at the least


class Canvas:
    """A picture with its alpha, empty at first. What is painted later lies before the rest."""

    def __init__(self, side_px: int) -> None:
        self.side_px = side_px
        self.image_bgr = np.zeros((side_px, side_px, 3), np.float32)
        self.alpha = np.zeros((side_px, side_px), np.float32)

    def limb(
        self, start: Place, end: Place, radii_px: tuple[float, float], paint: F32, rounding: float
    ) -> None:
        """A rod with round ends, each with a radius of its own.

        paint: a colour (3,) or a picture as large as the canvas. rounding: how much darker (0..1)
        the body is where it turns away.
        """
        largest = max(radii_px) + 1
        low, high = np.minimum(start, end) - largest, np.maximum(start, end) + largest
        box = self._box(low, high)
        y, x = np.mgrid[box].astype(np.float32)
        axis = (end - start).astype(np.float32)
        length = max(float(axis @ axis), 1e-6)
        along = ((x - start[0]) * axis[0] + (y - start[1]) * axis[1]) / np.float32(length)
        along = np.clip(along, 0, 1)
        radius = np.float32(radii_px[0]) + along * np.float32(radii_px[1] - radii_px[0])
        away = np.hypot(x - start[0] - along * axis[0], y - start[1] - along * axis[1])
        cover = np.clip(radius - away + 0.5, 0, 1).astype(np.float32)
        light = 1 - rounding * np.square(np.minimum(away / radius, 1))
        self._lay(box, cover, paint, light.astype(np.float32))

    def shape(self, outline: Sequence[Place] | NDArray[np.float64], paint: F32) -> None:
        """A flat area within a closed outline (n, 2)."""
        cover = np.zeros((self.side_px, self.side_px), np.uint8)
        # Sixteenths of a pixel, so that edges are smooth.
        points = np.rint(np.asarray(outline) * 16).astype(np.int32)
        cv2.fillPoly(cover, [points], (255,), cv2.LINE_AA, 4)
        whole = (slice(0, self.side_px), slice(0, self.side_px))
        self._lay(whole, unit_floats(cover), paint, np.ones((1, 1), np.float32))

    def shade(self, light: F32) -> None:
        """Multiply what is painted by a light (side, side) or (side, side, 3) around 1."""
        light = light if light.ndim == 3 else light[..., None]
        self.image_bgr = np.clip(self.image_bgr * light, 0, 1)

    def _box(self, low: Place, high: Place) -> tuple[slice, slice]:
        left, top = np.clip(np.floor(low), 0, self.side_px).astype(int)
        right, bottom = np.clip(np.ceil(high) + 1, 0, self.side_px).astype(int)
        return slice(top, max(top, bottom)), slice(left, max(left, right))

    def _lay(self, box: tuple[slice, slice], cover: F32, paint: F32, light: F32) -> None:
        paint = paint[box] if paint.ndim == 3 else paint
        cover = cover[..., None]
        under = self.image_bgr[box]
        self.image_bgr[box] = under + cover * (paint * light[..., None] - under)
        self.alpha[box] = np.maximum(self.alpha[box], cover[..., 0])


def coarse_noise(rng: Generator, side_px: int, cells: int) -> F32:
    """(side, side) smooth noise of mean 0 and deviation 1, with about so many blotches a side."""
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (side_px, side_px), interpolation=cv2.INTER_CUBIC))


def textured(rng: Generator, colour_bgr: F32, side_px: int, amount: float) -> F32:
    """A picture (side, side, 3) of one colour with grain and blotches: `amount` is their share."""
    blotches = coarse_noise(rng, side_px, int(rng.integers(4, _COARSE_PX)))
    grain = rng.standard_normal((side_px, side_px)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5))
    light = 1 + amount * (0.7 * blotches + 0.7 * grain)
    return np.asarray(np.clip(colour_bgr * light[..., None], 0, 1), np.float32)


def tiled(rng: Generator, patch_bgr: F32, side_px: int) -> F32:
    """A picture (side, side, 3) full of a patch: turned, resized, mirrored at its borders."""
    turn_deg, scale = rng.uniform(0, 360), rng.uniform(0.7, 2.5)
    height, width = patch_bgr.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, scale)
    matrix[:, 2] += side_px / 2 - np.array([width, height]) / 2
    filled = cv2.warpAffine(
        patch_bgr,
        matrix,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(filled, np.float32)


def gradient(rng: Generator, side_px: int) -> F32:
    """A picture that runs from one random colour to another."""
    first, second = rng.random(3).astype(np.float32), rng.random(3).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) / side_px - np.float32(0.5)
    share = np.clip(0.5 + np.cos(turn) * x + np.sin(turn) * y, 0, 1)[..., None]
    return np.asarray(first + share * (second - first), np.float32)
