"""Colour transfer: give one picture the colours of another. One row per method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.media.colour_distribution import iterated_distributions, mixed, sliced_transport
from engine.media.colour_linear import monge_kantorovich, principal_axes, reinhard

Floats = NDArray[np.float32]
Transfer = Callable[[Floats, Floats, Floats], Floats]
# The methods that give the same result for any area.
IGNORE_AREA = frozenset({"none", "lct", "mkl", "idt"})


def transfer_colours(source_bgr: Floats, target_bgr: Floats, method: str, area: Floats) -> Floats:
    """`source_bgr` with the colours of `target_bgr`.

    Pictures are (h, w, 3) float32, BGR, 0..1, of one size; `area` is (h, w) float32, the part of
    both that counts, for methods that look at it. The result is float32, 0..1. Raises `KeyError`
    for an unknown method.
    """
    return np.clip(TRANSFERS[method](source_bgr, target_bgr, area), 0, 1)


def _masked(transfer: Callable[[Floats, Floats], Floats]) -> Transfer:
    """The method between pictures that are black outside of the area."""
    return lambda source, target, area: transfer(source * area[..., None], target * area[..., None])


def _whole(transfer: Callable[[Floats, Floats], Floats]) -> Transfer:
    return lambda source, target, _area: transfer(source, target)


def _sliced(source_bgr: Floats, target_bgr: Floats) -> Floats:
    return sliced_transport(source_bgr, target_bgr, steps=10, directions_per_step=30)


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
