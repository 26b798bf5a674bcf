"""Where the work mask of a face comes from. One function and one row per mask mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.merge.faces import FaceCrop, PredictedFace

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MaskSources:
    """The masks that a mode may take, all (side_px, side_px) float32, 0..1; made when asked for."""

    crop: FaceCrop
    predicted: PredictedFace
    side_px: int

    def full(self) -> Floats:
        """Everything."""
        return np.ones((self.side_px, self.side_px), np.float32)

    def hull(self) -> Floats:
        """The hull of the frame's landmarks."""
        return self._resized(self.crop.hull())

    def learned_prd(self) -> Floats:
        """What the model says of the face it puts in."""
        return self._resized(self.predicted.mask_prd)

    def learned_dst(self) -> Floats:
        """What the model says of the face in the frame."""
        return self._resized(self.predicted.mask_dst)

    def xseg_prd(self) -> Floats:
        """What XSeg says of the predicted face."""
        return self._resized(_asked(self.predicted.xseg_prd))

    def xseg_dst(self) -> Floats:
        """What XSeg says of the face in the frame."""
        return self._resized(_asked(self.predicted.xseg_dst))

    def _resized(self, mask: Floats) -> Floats:
        if len(mask) == self.side_px:
            return mask
        side = (self.side_px, self.side_px)
        resized: Floats = cv2.resize(mask, side, interpolation=cv2.INTER_CUBIC)
        return resized


def work_mask(sources: MaskSources, mask_mode: str) -> Floats:
    """The mask of that mode, (side, side) float32, about 0..1: a resized one overshoots."""
    return MASK_MODES[mask_mode](sources)


MASK_MODES: dict[str, Callable[[MaskSources], Floats]] = {
    "full": MaskSources.full,
    "dst": MaskSources.hull,
    "learned-prd": MaskSources.learned_prd,
    "learned-dst": MaskSources.learned_dst,
    "learned-prd*learned-dst": lambda masks: masks.learned_prd() * masks.learned_dst(),
    "learned-prd+learned-dst": lambda masks: np.minimum(
        masks.learned_prd() + masks.learned_dst(), 1
    ),
    "XSeg-prd": MaskSources.xseg_prd,
    "XSeg-dst": MaskSources.xseg_dst,
    "XSeg-prd*XSeg-dst": lambda masks: masks.xseg_prd() * masks.xseg_dst(),
    "learned-prd*learned-dst*XSeg-prd*XSeg-dst": lambda masks: (
        masks.learned_prd() * masks.learned_dst() * masks.xseg_prd() * masks.xseg_dst()
    ),
}


def _asked(mask: Floats | None) -> Floats:
    if mask is None:
        raise ValueError("XSeg was not asked: the prediction lacks what this look wants")
    return mask
