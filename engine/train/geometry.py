"""How a training sample is bent: a random warp of the input, a random affine move of everything.

spec, training 7.1. Two things differ from the original on purpose (its traps T4): horizontal and
vertical displacements are independent, and the unbent warp is the identity instead of a shift by
half a pixel. Each displacement is the sum of two jitters, as strong as the original's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]  # (h, w, c) or (h, w)
Map = NDArray[np.float32]

SMALLEST_SIDE_PX = 64  # smaller pictures are bent at this size and scaled back
ROTATION_DEG = 10.0
SHIFT = 0.05  # of the side, both axes
FLIP_CHANCE = 0.4
_JITTER = 0.24  # of the cell, for a jitter cut at 1
_CUT_SIGMAS = 2.5


class Random(Protocol):
    """What is drawn from: numpy's Generator (and RandomState, which the reference numbers need)."""

    def uniform(self, low: float, high: float) -> float: ...


@dataclass(frozen=True)
class Affine:
    """A random move. `scale` above 1 enlarges; shifts are shares of the side."""

    rotation_deg: float
    scale: float
    shift_x: float
    shift_y: float

    def matrix(self, side_px: int) -> NDArray[np.float64]:
        """moved_from_sample, 2x3, for a square picture: about its centre, then the shift."""
        centre_px = side_px // 2
        turn_rad = radians(self.rotation_deg)
        along, across = self.scale * cos(turn_rad), self.scale * sin(turn_rad)
        x = (1 - along - across) * centre_px + self.shift_x * side_px
        y = (1 - along + across) * centre_px + self.shift_y * side_px
        return np.array([(along, across, x), (-across, along, y)])


def draw_affine(rng: Random, scale: float) -> Affine:
    """A rotation up to 10 degrees, an enlargement within 1/(1+scale)..1+scale, shifts up to 5 %."""
    return Affine(
        rotation_deg=rng.uniform(-ROTATION_DEG, ROTATION_DEG),
        scale=rng.uniform(1 / (1 + scale), 1 + scale),
        shift_x=rng.uniform(-SHIFT, SHIFT),
        shift_y=rng.uniform(-SHIFT, SHIFT),
    )


def draw_warp(rng: np.random.Generator, side_px: int) -> tuple[Map, Map]:
    """Maps (x, y) for `cv2.remap`, each (side, side): where each pixel of the warped picture is
    found. Cells of a half, a quarter or an eighth of the side; the border stays."""
    cell_px = side_px // (2, 4, 8)[int(rng.integers(3))]
    nodes = side_px // cell_px + 1
    jitters = truncated_normal(rng, (2, 2, nodes - 2, nodes - 2)).sum(axis=0)
    shift_x, shift_y = (
        _spread(jitter / _CUT_SIGMAS * _JITTER * cell_px, side_px, cell_px) for jitter in jitters
    )
    x, y = _places(side_px)
    return x + shift_x, y + shift_y


@lru_cache(maxsize=4)
def _places(side_px: int) -> tuple[Map, Map]:
    """Each pixel's own x and y."""
    y, x = np.mgrid[0:side_px, 0:side_px].astype(np.float32)
    return x, y


def _spread(inner_nodes: NDArray[np.float64], side_px: int, cell_px: int) -> Map:
    """Displacements (side, side): nodes on the pixels' edges, 0 on the border, bilinear between."""
    nodes = len(inner_nodes) + 2
    grid = np.zeros((nodes, nodes), np.float32)
    grid[1:-1, 1:-1] = inner_nodes
    padded_px = nodes * cell_px
    padded = cv2.resize(grid, (padded_px, padded_px), interpolation=cv2.INTER_LINEAR)
    margin = cell_px // 2
    cut: Map = padded[margin : margin + side_px, margin : margin + side_px]
    return cut


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normal numbers, drawn again where beyond 2.5."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > _CUT_SIGMAS).any():
        values[beyond] = rng.standard_normal(int(beyond.sum()))
    return values


@dataclass(frozen=True)
class SampleGeometry:
    """One sample's bend, shared by its input, target and masks. `warp` bends the input only."""

    affine: Affine
    warp: tuple[Map, Map] | None
    mirrored: bool

    def image(self, image: Image, *, warped: bool) -> Image:
        """A picture (side, side, 3), 0..1, (warped and) moved: cubic, borders replicated."""
        moved = self._apply(image, warped, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
        return np.clip(moved, 0, 1, out=moved)

    def mask(self, mask: Image, *, warped: bool = False) -> Image:
        """A mask (side, side) (warped and) moved: linear, nothing beyond the border."""
        return self._apply(mask, warped, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)

    def _apply(self, image: Image, warped: bool, interpolation: int, border: int) -> Image:
        side_px = image.shape[0]
        work_px = max(side_px, SMALLEST_SIDE_PX)
        if work_px != side_px:
            image = _resized(image, work_px, interpolation)
        if warped and self.warp:
            image = cv2.remap(image, *self.warp, interpolation)
        image = cv2.warpAffine(
            image,
            self.affine.matrix(work_px),
            (work_px, work_px),
            flags=interpolation,
            borderMode=border,
        )
        if work_px != side_px:
            image = _resized(image, side_px, interpolation)
        return np.ascontiguousarray(image[:, ::-1]) if self.mirrored else image


def draw_geometry(
    rng: np.random.Generator, side_px: int, *, scale: float, warp: bool, may_mirror: bool
) -> SampleGeometry:
    """A sample's bend for pictures of `side_px`. The affine move is drawn first, so that a run
    without warp moves samples alike."""
    affine = draw_affine(rng, scale)
    mirrored = bool(rng.uniform(0, 1) < FLIP_CHANCE) and may_mirror
    maps = draw_warp(rng, max(side_px, SMALLEST_SIDE_PX)) if warp else None
    return SampleGeometry(affine, maps, mirrored)


def _resized(image: Image, side_px: int, interpolation: int) -> Image:
    resized: Image = cv2.resize(image, (side_px, side_px), interpolation=interpolation)
    return resized
