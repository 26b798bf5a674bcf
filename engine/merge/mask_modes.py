"""Where the work mask of a face comes from. One function and one row per mask mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MaskSources:
    """The masks that a mode may take: (R, R) float32, 0..1.

    hull: makes the hull of the frame's landmarks in the crop, only when asked for.
    learned_prd, learned_dst: the model's.
    """

    hull: Callable[[], Floats]
    learned_prd: Floats
    learned_dst: Floats


def work_mask(sources: MaskSources, mask_mode: str) -> Floats:
    """The mask of that mode, (R, R) float32, 0..1."""
    return np.clip(MASK_MODES[mask_mode](sources), 0, 1)


MASK_MODES: dict[str, Callable[[MaskSources], Floats]] = {
    "full": lambda sources: np.ones_like(sources.learned_prd),
    "dst": lambda sources: sources.hull(),
    "learned-prd": lambda sources: sources.learned_prd,
    "learned-dst": lambda sources: sources.learned_dst,
    "learned-prd*learned-dst": lambda sources: sources.learned_prd * sources.learned_dst,
    "learned-prd+learned-dst": lambda sources: sources.learned_prd + sources.learned_dst,
}
