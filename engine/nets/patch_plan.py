"""Which strides make a discriminator look at patches of a wanted size. Imports no library, so that
specs can say whether a resolution fits. spec, training 6."""

from __future__ import annotations

from functools import cache
from itertools import product

MOST_CONVOLUTIONS = 9


def patch_strides(patch_px: int) -> tuple[int, ...]:
    """Strides of the 3 x 3 convolutions whose receptive field is nearest to `patch_px`; the smaller
    one of two as near."""
    plans = _plans_by_field_px()
    return plans[min(plans, key=lambda field_px: (abs(field_px - patch_px), field_px))]


@cache
def _plans_by_field_px() -> dict[int, tuple[int, ...]]:
    """One plan for each receptive field that can be had: the fewest convolutions, then the most
    strides of 2, then strides of 2 as late as can be.

    The order among equals is the original's, so that its weight files fit: it counts through the
    strides as bits, the second convolution's lowest, from all ones down.
    """
    best: dict[int, tuple[int, ...]] = {}
    for count in range(1, MOST_CONVOLUTIONS + 1):
        found: dict[int, tuple[int, ...]] = {}
        for late_first in product((2, 1), repeat=count - 1):
            plan = (2, *reversed(late_first))
            field_px = _field_px(plan)
            if field_px not in found or sum(plan) > sum(found[field_px]):
                found[field_px] = plan
        best = {**found, **best}
    return best


def _field_px(strides: tuple[int, ...]) -> int:
    field_px, step_px = 1, 1
    for stride in strides:
        field_px += 2 * step_px
        step_px *= stride
    return field_px
