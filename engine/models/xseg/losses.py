"""What XSeg lowers, a vector of one number per sample. spec, training 11.2."""

from __future__ import annotations

from keras import ops

from engine.nets.layers import Tensor
from engine.nets.losses import dssim, float32, mean_square

# Window of each structural comparison, and how much it counts.
_PRETRAINING_WINDOWS_PX = (22, 11)
_STRUCTURE_WEIGHT, _PIXELS_WEIGHT = 5, 10


def mask_loss(mask: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy of logits (n, h, w, 1) that should give the mask, 0..1: (n,)."""
    wanted, found = float32(mask), float32(logits)
    # log(1 + exp(-x)) never overflows in softplus.
    return ops.mean(ops.softplus(found) - wanted * found, axis=(1, 2, 3))


def pretraining_loss(grey: Tensor, logits: Tensor) -> Tensor:
    """How far what the logits (n, h, w, 1) draw is from the grey picture, 0..1: (n,)."""
    wanted, found = float32(grey), ops.sigmoid(float32(logits))
    structure = sum(dssim(wanted, found, window) for window in _PRETRAINING_WINDOWS_PX)
    return _STRUCTURE_WEIGHT * structure + _PIXELS_WEIGHT * mean_square(wanted, found)
