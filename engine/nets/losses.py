"""Losses, all in float32 whatever the nets compute in: bfloat16 would destroy them.

spec, training 4. Images are (n, h, w, c), 0..1. A loss is a vector of n, one number per sample; the
optimizer differentiates its sum over the batch.
"""

from __future__ import annotations

import numpy as np
from keras import ops
from numpy.typing import NDArray

from engine.nets.layers import Tensor


def float32(x: Tensor) -> Tensor:
    """The tensor in the type that losses are computed in."""
    return ops.cast(x, "float32")


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """mean((a - b)^2) of each sample: (n,)."""
    return ops.mean(ops.square(float32(a) - float32(b)), axis=(1, 2, 3))


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur of each channel, zeros beyond the border (edges darken). `sigma` in pixels.

    The kernel has max(3, int(4 sigma)) taps, one more if even. It is separable, and done so.
    """
    taps = max(3, int(4 * sigma))
    taps += 1 - taps % 2
    offsets = np.arange(taps) - taps // 2
    kernel = np.exp(-(offsets**2) / (2.0 * sigma**2))
    return _filter_separably(float32(image), kernel / kernel.sum(), padding="same")


def dssim(a: Tensor, b: Tensor, window: int) -> Tensor:
    """Structural dissimilarity (1 - SSIM) / 2, averaged over the picture and channels: (n,).

    `window` taps a side, even allowed, gaussian with sigma 1.5 whatever the size, no padding.
    """
    return ops.mean(dssim_by_channel(a, b, window), axis=-1)


def dssim_by_channel(a: Tensor, b: Tensor, window: int) -> Tensor:
    """As `dssim`, not averaged over channels: (n, c)."""
    a, b = float32(a), float32(b)
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets**2) / (2 * 1.5**2))
    channels = a.shape[-1]
    stack = ops.concatenate([a, b, a * b, ops.square(a) + ops.square(b)], axis=-1)
    means = _filter_separably(stack, kernel / kernel.sum(), padding="valid")
    mean_a, mean_b, mean_ab, mean_squares = (
        means[..., i * channels : (i + 1) * channels] for i in range(4)
    )
    c1, c2 = 0.01**2, 0.03**2
    product, squares = mean_a * mean_b, ops.square(mean_a) + ops.square(mean_b)
    luminance = (2 * product + c1) / (squares + c1)
    contrast = (2 * (mean_ab - product) + c2) / (mean_squares - squares + c2)
    return (1 - ops.mean(luminance * contrast, axis=(1, 2))) / 2


def soft_mask(mask: Tensor, resolution: int) -> Tensor:
    """SAEHD's weight of pixels under masked training: 1 inside, falling to 0 around the border.
    A blurred mask is 1/2 at its border; twice its lower half makes the border count fully."""
    return 2 * ops.clip(gaussian_blur(mask, max(1, resolution // 32)), 0, 0.5)


def style_distance(content: Tensor, style: Tensor, sigma: float) -> Tensor:
    """How far apart two pictures are in the mean and spread of each channel: (n,), averaged over
    channels. `sigma`: both are blurred before, in pixels; 0 is off."""
    if sigma:
        content, style = gaussian_blur(content, sigma), gaussian_blur(style, sigma)
    (mean_a, spread_a), (mean_b, spread_b) = _moments(content), _moments(style)
    return ops.mean(ops.square(mean_a - mean_b) + ops.square(spread_a - spread_b), axis=-1)


def _moments(image: Tensor) -> tuple[Tensor, Tensor]:
    mean, variance = ops.moments(float32(image), axes=(1, 2))
    return mean, ops.sqrt(variance + 1e-5)


def total_variation(image: Tensor) -> Tensor:
    """The sum of squared differences of neighbours, along rows and columns: (n,)."""
    x = float32(image)
    down, right = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
    return ops.sum(ops.square(down), axis=(1, 2, 3)) + ops.sum(ops.square(right), axis=(1, 2, 3))


def believed_real(logits: Tensor) -> Tensor:
    """Cross-entropy of logits that should say real: (n,)."""
    return ops.mean(ops.softplus(-float32(logits)), axis=(1, 2, 3))


def believed_made(logits: Tensor) -> Tensor:
    """Cross-entropy of logits that should say made: (n,)."""
    return ops.mean(ops.softplus(float32(logits)), axis=(1, 2, 3))


def blurred_outside(image: Tensor, mask: Tensor, resolution: int) -> Tensor:
    """The picture with its outside of `mask` blurred, without the inside bleeding into it."""
    sigma = resolution / 128
    image, mask = float32(image), float32(mask)
    outside = gaussian_blur(image * (1 - mask), sigma)
    weight = 1 - gaussian_blur(mask, sigma)
    weight = ops.where(weight == 0, 1.0, weight)
    return image * mask + outside / weight * (1 - mask)


def _filter_separably(image: Tensor, kernel: NDArray[np.float64], *, padding: str) -> Tensor:
    """Each channel filtered with the same symmetric taps along rows and columns."""
    channels = image.shape[-1]
    taps = kernel.astype(np.float32)
    columns = np.tile(taps.reshape(-1, 1, 1, 1), (1, 1, channels, 1))
    rows = np.tile(taps.reshape(1, -1, 1, 1), (1, 1, channels, 1))
    blurred = ops.depthwise_conv(image, columns, padding=padding)
    return ops.depthwise_conv(blurred, rows, padding=padding)
