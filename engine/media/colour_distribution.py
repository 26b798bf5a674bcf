"""Colour transfer by whole distributions: histograms and optimal transport.

Pictures (h, w, 3) float32, BGR. What is random here is drawn from a fixed seed: the same frame
always gives the same picture, and neighbouring frames do not flicker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.colour_linear import FLAT_SPREAD

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SEED = 20230427
IDT_ROTATIONS = 20
IDT_BINS = 256
IDT_RELAXATION = 1 / IDT_ROTATIONS
# The change of colour is smoothed, so that neighbours move alike; DeepFaceLab's numbers.
SMOOTH_SIGMA_COLOUR = 5
SMOOTH_SIGMA_SPACE_PX = 16


def match_histogram(source: Floats, template: Floats, threshold: int) -> Floats:
    """Each channel of `source` with the distribution of `template`'s. Source quantiles are scaled
    by threshold / 255, which keeps the brightest colours out."""
    channels = [
        _match_channel(source[..., index], template[..., index], threshold / 255)
        for index in range(source.shape[2])
    ]
    return np.stack(channels, axis=2)


def iterated_distributions(
    source_bgr: Floats, target_bgr: Floats, rotations: Doubles | None = None
) -> Floats:
    """Iterative distribution transfer (Pitie et al. 2005): along many turned axes in turn, each
    axis takes over the target's distribution a little. `rotations`: (n, 3, 3); drawn if None."""
    source = source_bgr.reshape(-1, 3).T.astype(np.float64)
    target = target_bgr.reshape(-1, 3).T.astype(np.float64)
    for rotation in _drawn_rotations() if rotations is None else rotations:
        turned, wanted = rotation @ source, rotation @ target
        moved = np.stack([_move_axis(*axes) for axes in zip(turned, wanted, strict=True)])
        source += IDT_RELAXATION * np.linalg.solve(rotation, moved - turned)
    return np.clip(source.T, 0, 1).astype(np.float32).reshape(source_bgr.shape)


def sliced_transport(
    source_bgr: Floats,
    target_bgr: Floats,
    *,
    steps: int,
    directions_per_step: int,
    directions: Doubles | None = None,
    smooth: bool = True,
) -> Floats:
    """Sliced optimal transport: in each step colours move to the target's of equal rank, averaged
    over directions in colour space. `directions`: (steps * directions_per_step, 3), of any length;
    drawn if None. Both pictures need the same size. The result is not clipped."""
    source = source_bgr.reshape(-1, 3).astype(np.float64)
    target = target_bgr.reshape(-1, 3).astype(np.float64)
    if directions is None:
        count = steps * directions_per_step
        directions = np.random.default_rng(SEED).normal(size=(count, 3))
    for group in directions.reshape(steps, directions_per_step, 3):
        source = source + _mean_advance(source, target, group)
    change = (source.reshape(source_bgr.shape) - source_bgr).astype(np.float32)
    if smooth:
        change = cv2.bilateralFilter(change, 0, SMOOTH_SIGMA_COLOUR, SMOOTH_SIGMA_SPACE_PX)
    return source_bgr + change


def mixed(source_bgr: Floats, target_bgr: Floats, directions: Doubles | None = None) -> Floats:
    """Lightness by its mean and spread, the rest by transport between pictures of one lightness; in
    8 bits as in DeepFaceLab. `directions` as for `sliced_transport`, 10 steps of 5."""
    source_lab, target_lab = _lab_u8(source_bgr), _lab_u8(target_bgr)
    moved = sliced_transport(
        _of_one_lightness(source_lab),
        _of_one_lightness(target_lab),
        steps=10,
        directions_per_step=5,
        directions=directions,
    )
    moved_lab = _lab_u8((moved / 255).astype(np.float32))
    moved_lab[..., 0] = _moved_lightness(source_lab[..., 0], target_lab[..., 0])
    bgr_u8: NDArray[np.uint8] = cv2.cvtColor(moved_lab, cv2.COLOR_LAB2BGR)
    return bgr_u8.astype(np.float32) / np.float32(255)


def _match_channel(source: Floats, template: Floats, scale: float) -> Floats:
    _, inverse, counts = np.unique(source.ravel(), return_inverse=True, return_counts=True)
    values, template_counts = np.unique(template.ravel(), return_counts=True)
    quantiles = np.cumsum(counts) / source.size * scale
    template_quantiles = np.cumsum(template_counts) / template.size
    matched = np.interp(quantiles, template_quantiles, values)
    return matched[inverse].astype(np.float32).reshape(source.shape)


def _drawn_rotations() -> Doubles:
    """Uniformly drawn rotations: QR of Gaussian matrices with the signs fixed (Stewart 1980)."""
    normal = np.random.default_rng(SEED).normal(size=(IDT_ROTATIONS, 3, 3))
    turned, upper = np.linalg.qr(normal)
    diagonal = np.diagonal(upper, axis1=1, axis2=2)
    rotations: Doubles = turned * np.where(diagonal < 0, -1.0, 1.0)[:, None, :]
    return rotations


def _move_axis(source: Doubles, target: Doubles) -> Doubles:
    """`source` (n,) moved to the distribution of `target`, by histograms."""
    low, high = min(source.min(), target.min()), max(source.max(), target.max())
    if high <= low:
        return source
    source_counts, edges = np.histogram(source, IDT_BINS, (low, high))
    target_counts, _ = np.histogram(target, IDT_BINS, (low, high))
    target_at = np.interp(
        np.cumsum(source_counts) / source.size, np.cumsum(target_counts) / target.size, edges[1:]
    )
    # Below the first edge DeepFaceLab moves to 0.
    moved = np.interp(source, edges[1:], target_at, left=0, right=IDT_BINS)
    return np.asarray(moved, np.float64)


def _mean_advance(source: Doubles, target: Doubles, directions: Doubles) -> Doubles:
    advance = np.zeros_like(source)
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        along = source @ unit
        order = np.argsort(along)
        difference = np.sort(target @ unit) - along[order]
        advance[order] += difference[:, None] * unit
    return advance / len(directions)


def _lab_u8(image_bgr: Floats) -> NDArray[np.uint8]:
    lab: NDArray[np.uint8] = cv2.cvtColor(_u8(image_bgr), cv2.COLOR_BGR2LAB)
    return lab


def _of_one_lightness(image_lab_u8: NDArray[np.uint8]) -> Floats:
    """The picture with L = 100 (of 255), as BGR 0..255."""
    lab = image_lab_u8.copy()
    lab[..., 0] = 100
    bgr: NDArray[np.uint8] = cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)
    return bgr.astype(np.float32)


def _moved_lightness(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    spread = max(float(source.std()), FLAT_SPREAD)
    moved = (source - source.mean()) * (target.std() / spread) + target.mean()
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def _u8(image: Floats) -> NDArray[np.uint8]:
    return np.clip(image * 255, 0, 255).astype(np.uint8)
