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
_UPPER_EDGES = np.arange(1, IDT_BINS + 1)  # of the bins, in bins
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
    axis takes over the target's distribution a little. `rotations`: (n, 3, 3) as of
    `draw_rotations`; those of a fixed seed if None. The target may be of another size."""
    source = source_bgr
    for rotation in draw_rotations(_fixed()) if rotations is None else rotations:
        turned, wanted = cv2.transform(source, rotation), cv2.transform(target_bgr, rotation)
        moved = cv2.merge(
            [_move_axis(*axes) for axes in zip(cv2.split(turned), cv2.split(wanted), strict=True)]
        )
        back = IDT_RELAXATION * np.linalg.inv(rotation)
        source = source + cv2.transform(moved - turned, back)
    return np.clip(source, 0, 1)


def draw_rotations(rng: np.random.Generator, count: int = IDT_ROTATIONS) -> Doubles:
    """(count, 3, 3) uniformly drawn rotations: QR of Gaussian matrices with the signs fixed
    (Stewart 1980)."""
    turned, upper = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    diagonal = np.diagonal(upper, axis1=1, axis2=2)
    rotations: Doubles = turned * np.where(diagonal < 0, -1.0, 1.0)[:, None, :]
    return rotations


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
    drawn from a fixed seed if None. Both pictures need the same size. The result is not clipped."""
    if directions is None:
        directions = _fixed().normal(size=(steps * directions_per_step, 3))
    groups = directions.reshape(steps, directions_per_step, 3)
    change = _transport(source_bgr, target_bgr, groups)
    if smooth:
        change = _smoothed(change, SMOOTH_SIGMA_SPACE_PX)
    return source_bgr + change


def sampled_transport(
    source_bgr: Floats, target_bgr: Floats, directions: Doubles, *, at_most_px: int
) -> Floats:
    """`sliced_transport` by a sample of the pixels: those of a grid of at most `at_most_px` a side.

    The change is smooth, so that a coarse one does: the picture keeps its details. Pictures are
    square, of any size; `directions`: (steps, directions per step, 3).
    """
    side_px = source_bgr.shape[0]
    grid_px = min(side_px, at_most_px)
    change = _transport(_picked(source_bgr, grid_px), _picked(target_bgr, grid_px), directions)
    change = _smoothed(change, SMOOTH_SIGMA_SPACE_PX * grid_px / side_px)
    spread: Floats = cv2.resize(change, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    return source_bgr + spread


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


def _fixed() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _move_axis(source: Floats, target: Floats) -> Floats:
    """`source` (h, w) moved to the distribution of `target`, by histograms."""
    low = min(cv2.minMaxLoc(plane)[0] for plane in (source, target))
    high = max(cv2.minMaxLoc(plane)[1] for plane in (source, target))
    if high <= low:
        return source
    bin_width = (high - low) / IDT_BINS
    edges = low + bin_width * _UPPER_EDGES
    target_at = np.interp(_cumulated(source, low, high), _cumulated(target, low, high), edges)
    # Edges are evenly spaced: a pixel's place among them is known without a search.
    place = source - np.float32(edges[0])
    place *= np.float32(1 / bin_width)
    table = target_at.astype(np.float32)[None]
    moved: Floats = cv2.remap(table, place, np.zeros_like(place), cv2.INTER_LINEAR)
    moved *= place >= 0  # below the first edge DeepFaceLab moves to 0
    return moved


def _cumulated(plane: Floats, low: float, high: float) -> Doubles:
    """The share of pixels up to each bin's upper edge, (IDT_BINS,)."""
    within = (low, np.nextafter(np.float32(high), np.float32(np.inf)))  # calcHist leaves `high` out
    counts = cv2.calcHist([plane], [0], None, [IDT_BINS], within).ravel()
    return np.cumsum(counts, dtype=np.float64) / plane.size


def _transport(source_bgr: Floats, target_bgr: Floats, groups: Doubles) -> Floats:
    """What sliced transport by `groups` (steps, n, 3) of directions adds to each pixel."""
    target = np.ascontiguousarray(target_bgr.reshape(-1, 3).T)
    begun = np.ascontiguousarray(source_bgr.reshape(-1, 3).T)
    moved = begun
    for directions in groups.astype(np.float32):
        moved = moved + _mean_advance(moved, target, directions)
    return np.ascontiguousarray((moved - begun).T).reshape(source_bgr.shape)


def _mean_advance(source: Floats, target: Floats, directions: Floats) -> Floats:
    """How far the colours `source` (3, n) go towards `target` (3, n), averaged over directions."""
    advance = np.zeros_like(source)
    difference = np.empty_like(source[0])
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        along = unit @ source
        order = np.argsort(along)
        difference[order] = np.sort(unit @ target) - along[order]
        advance += unit[:, None] * difference
    return advance / np.float32(len(directions))


def _smoothed(change: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.bilateralFilter(change, 0, SMOOTH_SIGMA_COLOUR, sigma_px), np.float32)


def _picked(image_bgr: Floats, side_px: int) -> Floats:
    """Some of the pixels, unmixed: averages would have fewer extreme colours."""
    if image_bgr.shape[:2] == (side_px, side_px):
        return image_bgr
    picked: Floats = cv2.resize(
        image_bgr, (side_px, side_px), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return picked


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
