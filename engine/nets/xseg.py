"""XSeg, the net that tells the face from what is before and around it. spec, training 11.2.

A U-Net over 256 x 256 pictures, BGR 0..1, whose layers normalise each channel by its own energy in
the picture (filter response normalisation, arXiv 1911.09737) and shrink by blurring first
(arXiv 1904.11486). It gives logits: their sigmoid is the mask. Names and shapes of weights are
those of DeepFaceLab's files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from engine.nets.layers import (
    Block,
    Convolution,
    Dense,
    Tensor,
    TransposedConvolution,
    flatten_channel_major,
    unflatten_channel_major,
)
from engine.nets.losses import float32

RESOLUTION = 256
BASE_CHANNELS = 32
CODE_UNITS = 512
LEVELS = 6
CODE_SIDE = RESOLUTION // 2**LEVELS
# Taps of the blur before each halving, from the top.
BLUR_TAPS = (4, 3, 2, 2, 2, 2)
# Convolutions at each level, on either way.
_CONVOLUTIONS = (2, 2, 2, 3, 3, 3)
# Channels at each level, and of what comes up to it from the one below, in base channels.
_WIDTHS = (1, 2, 4, 8, 8, 8)
_WIDTHS_FROM_BELOW = (1, 2, 4, 4, 4, 4)


class FilterResponse(Block):
    """x * weight / sqrt(mean of x^2 over the picture + |eps|) + bias, each channel by itself; in
    float32: squares overflow, and their sums over a picture lose all digits of bfloat16."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = keras.Variable(np.ones(channels, np.float32))
        self.bias = keras.Variable(np.zeros(channels, np.float32))
        self.eps = keras.Variable(np.full(1, 1e-6, np.float32))

    def named_weights(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """See `Block.named_weights`."""
        yield f"{prefix}weight:0", self.weight
        yield f"{prefix}bias:0", self.bias
        yield f"{prefix}eps:0", self.eps

    def __call__(self, x: Tensor) -> Tensor:
        energy = ops.mean(ops.square(float32(x)), axis=(1, 2), keepdims=True)
        scale = self.weight * ops.rsqrt(energy + ops.abs(self.eps))
        return x * ops.cast(scale, x.dtype) + ops.cast(self.bias, x.dtype)


class Threshold(Block):
    """max(x, tau), each channel with a threshold of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.tau = keras.Variable(np.zeros(channels, np.float32))

    def named_weights(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """See `Block.named_weights`."""
        yield f"{prefix}tau:0", self.tau

    def __call__(self, x: Tensor) -> Tensor:
        return ops.maximum(x, ops.cast(self.tau, x.dtype))


class Normalised(Block):
    """A convolution 3 x 3, or one that doubles the side, then response and threshold."""

    def __init__(self, convolution: keras.layers.Layer, channels: int) -> None:
        super().__init__()
        self.conv = self.add("conv", convolution)
        self.frn = self.add("frn", FilterResponse(channels))
        self.tlu = self.add("tlu", Threshold(channels))

    def __call__(self, x: Tensor) -> Tensor:
        return self.tlu(self.frn(self.conv(x)))


class XSeg(Block):
    """The whole net. base: channels at full size."""

    def __init__(self, base: int = BASE_CHANNELS, *, dtype: str = "float32") -> None:
        super().__init__()
        self.dtype = dtype
        widths = [base * width for width in _WIDTHS]
        self.down = self._add_down([3, *widths], widths)
        self.deepest_channels = widths[-1]
        units = CODE_SIDE**2 * self.deepest_channels
        self.dense1 = self.add("dense1", Dense(units, CODE_UNITS, dtype=dtype))
        self.dense2 = self.add("dense2", Dense(CODE_UNITS, units, dtype=dtype))
        self.up = self._add_up([base * width for width in _WIDTHS_FROM_BELOW], widths)
        self.out_conv = self.add("out_conv", Convolution(widths[0], 1, 3, dtype=dtype))

    def _add_down(self, widths_in: Sequence[int], widths: Sequence[int]) -> list[list[Normalised]]:
        return [
            [
                self._convolution(f"conv{level}{i + 1}", widths[level] if i else channels_in, width)
                for i in range(_CONVOLUTIONS[level])
            ]
            for level, (channels_in, width) in enumerate(zip(widths_in, widths, strict=False))
        ]

    def _add_up(
        self, from_below: Sequence[int], widths: Sequence[int]
    ) -> list[tuple[Normalised, list[Normalised]]]:
        """From the deepest level: what doubles the side, and the convolutions after it."""
        up = []
        below = widths[-1]
        for level in reversed(range(LEVELS)):
            half, width = from_below[level], widths[level]
            doubling = TransposedConvolution(below, half, 3, 2, dtype=self.dtype)
            doubled = self.add(f"up{level}", Normalised(doubling, half))
            count, below = _CONVOLUTIONS[level], width
            convolutions = [
                self._convolution(f"uconv{level}{count - i}", width if i else half + width, width)
                for i in range(count)
            ]
            up.append((doubled, convolutions))
        return up

    def _convolution(self, name: str, channels_in: int, channels_out: int) -> Normalised:
        convolution = Convolution(channels_in, channels_out, 3, dtype=self.dtype)
        part: Normalised = self.add(name, Normalised(convolution, channels_out))
        return part

    def __call__(self, faces: Tensor, *, skips: bool = True) -> Tensor:
        """Logits (n, 256, 256, 1), float32, of faces (n, 256, 256, 3).

        skips: off, nothing reaches the way up but the code in the middle: so pretraining has it,
        which would learn nothing otherwise.
        """
        x, kept = faces, []
        for convolutions, taps in zip(self.down, BLUR_TAPS, strict=True):
            for convolution in convolutions:
                x = convolution(x)
            kept.append(x if skips else ops.zeros_like(x))
            x = halved(x, taps)
        x = self.dense2(self.dense1(flatten_channel_major(x)))
        x = unflatten_channel_major(x, CODE_SIDE, self.deepest_channels)
        for (doubled, convolutions), skip in zip(self.up, reversed(kept), strict=True):
            x = ops.concatenate([doubled(x), skip], axis=-1)
            for convolution in convolutions:
                x = convolution(x)
        return float32(self.out_conv(x))


def halved(x: Tensor, taps: int) -> Tensor:
    """Each channel blurred with binomial weights of so many taps, and every second pixel of that,
    from the first on; zeros beyond the border."""
    kernel = np.tile(blur_kernel(taps)[..., None, None], (1, 1, x.shape[-1], 1))
    edge = ((taps - 1) // 2, taps // 2)
    padded = ops.pad(x, ((0, 0), edge, edge, (0, 0)))
    return ops.depthwise_conv(padded, ops.cast(kernel, x.dtype), 2, padding="valid")


def blur_kernel(taps: int) -> NDArray[np.float64]:
    """Binomial weights (taps, taps), of sum 1."""
    weights = np.array([1.0])
    for _ in range(taps - 1):
        weights = np.convolve(weights, (0.5, 0.5))
    return np.outer(weights, weights)
