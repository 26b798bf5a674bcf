"""Colour transfer: give one picture the colours of another. One row per method."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.colour_distribution import (
    iterated_distributions,
    mixed,
    sampled_transport,
    sliced_transport,
)
from engine.media.colour_linear import monge_kantorovich, principal_axes, reinhard

Floats = NDArray[np.float32]
Transfer = Callable[[Floats, Floats, Floats], Floats]
# The methods that give the same result for any area.
IGNORE_AREA = frozenset({"none", "lct", "mkl", "idt"})
# Methods that sort all pixels again and again: up to 1.4 s of a core for faces of 224 px.
SLOW = frozenset({"idt", "idt-m", "sot-m", "mix-m"})
# What is left of their faces where time is short: 0.05 s, 0.01 from the real result on average.
ROUGH_SIDE_PX = 40
# Where less of what is interpolated between lies in the area, changes fade out.
LEAST_SHARE = np.float32(0.05)
SLICED_STEPS, SLICED_DIRECTIONS = 10, 30


def transfer_colours(source_bgr: Floats, target_bgr: Floats, method: str, area: Floats) -> Floats:
    """`source_bgr` with the colours of `target_bgr`.

    Pictures are (h, w, 3) float32, BGR, 0..1, of one size; `area` is (h, w) float32, the part of
    both that counts, for methods that look at it. The result is float32, 0..1. Raises `KeyError`
    for an unknown method.
    """
    return np.clip(TRANSFERS[method](source_bgr, target_bgr, area), 0, 1)


def transfer_colours_roughly(
    source_bgr: Floats, target_bgr: Floats, method: str, area: Floats
) -> Floats:
    """As `transfer_colours`, but slow methods look at smaller copies; what they change there is
    enlarged and added, so that the source's detail stays."""
    height, width = area.shape
    if method == "sot-m":
        return np.clip(_SAMPLED_TRANSPORT(source_bgr, target_bgr, area), 0, 1)
    if method not in SLOW or min(height, width) <= ROUGH_SIDE_PX:
        return transfer_colours(source_bgr, target_bgr, method, area)
    small_wh = (ROUGH_SIDE_PX, ROUGH_SIDE_PX)
    source, target = (
        cv2.resize(picture, small_wh, interpolation=cv2.INTER_AREA)
        for picture in (source_bgr, target_bgr)
    )
    small_area = cv2.resize(area, small_wh, interpolation=cv2.INTER_NEAREST)
    counts = np.ones_like(small_area) if method in IGNORE_AREA else small_area
    changed = transfer_colours(source, target, method, small_area) - source
    # What masked methods make of the black around the area must not reach into it.
    enlarged, share = (
        cv2.resize(part, (width, height)) for part in (changed * counts[..., None], counts)
    )
    coloured: Floats = source_bgr + enlarged / np.maximum(share, LEAST_SHARE)[..., None]
    return np.clip(coloured, 0, 1)


def _masked(transfer: Callable[[Floats, Floats], Floats]) -> Transfer:
    """The method between pictures that are black outside of the area."""
    return lambda source, target, area: transfer(source * area[..., None], target * area[..., None])


def _whole(transfer: Callable[[Floats, Floats], Floats]) -> Transfer:
    return lambda source, target, _area: transfer(source, target)


def _sliced(source_bgr: Floats, target_bgr: Floats) -> Floats:
    return sliced_transport(
        source_bgr,
        target_bgr,
        steps=SLICED_STEPS,
        directions_per_step=SLICED_DIRECTIONS,
    )


def _sampled(source_bgr: Floats, target_bgr: Floats) -> Floats:
    directions = np.random.default_rng(0).normal(size=(SLICED_STEPS, SLICED_DIRECTIONS, 3))
    return sampled_transport(source_bgr, target_bgr, directions, at_most_px=ROUGH_SIDE_PX)


_SAMPLED_TRANSPORT = _masked(_sampled)


TRANSFERS: dict[str, Transfer] = {
    "none": lambda source, _target, _area: source,
    "rct": reinhard,
    "lct": _whole(principal_axes),
    "mkl": _whole(monge_kantorovich),
    "mkl-m": _masked(monge_kantorovich),
    "idt": _whole(iterated_distributions),
    "idt-m": _masked(iterated_distributions),
    "sot-m": _masked(_sliced),
    "mix-m": _masked(mixed),
}
