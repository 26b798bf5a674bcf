"""What the models of DeepFaceLab 1.0 lower, a vector of one number per sample. spec, training
15."""

from __future__ import annotations

from collections.abc import Sequence

from keras import ops

from engine.nets.layers import Tensor
from engine.nets.losses import dssim, float32, gaussian_blur, mean_square

# Windows of less than 3 taps compare single pixels.
LEAST_WINDOW = 3


def mean_absolute(a: Tensor, b: Tensor) -> Tensor:
    """mean(|a - b|) of each sample: (n,)."""
    return ops.mean(ops.abs(float32(a) - float32(b)), axis=(1, 2, 3))


def edge_blurred(mask: Tensor, divisor: int) -> Tensor:
    """A mask (n, R, R, 1) blurred by R / divisor pixels, at least 1; divisor 0 leaves it."""
    return gaussian_blur(mask, max(1, mask.shape[1] // divisor)) if divisor else mask


def face_loss(target: Tensor, drawn: Sequence[Tensor], weight: Tensor, *, pixels: bool) -> Tensor:
    """How far drawn faces are from their target (n, R, R, 3), where they count. drawn: of one side
    or several, each a whole part of R; their mean counts. weight: how much each pixel counts,
    (n, R, R, 1). pixels: compare them instead of structure."""
    losses = []
    for face in drawn:
        scale = target.shape[1] // face.shape[1]
        counts = _smaller(weight, scale)
        wanted, found = _smaller(target, scale) * counts, face * counts
        losses.append(_pixels(wanted, found) if pixels else _structure(wanted, found))
    return sum(losses) / len(losses)


def _pixels(wanted: Tensor, found: Tensor) -> Tensor:
    return 50 * mean_square(wanted, found)


def _structure(wanted: Tensor, found: Tensor) -> Tensor:
    return 10 * dssim(wanted, found, max(LEAST_WINDOW, int(wanted.shape[1] / 11.6)))


def _smaller(image: Tensor, scale: int) -> Tensor:
    return ops.average_pool(image, scale, scale) if scale > 1 else image
