"""Layers and blocks that all autoencoders are made of. Tensors are NHWC.

A `Block` knows its parts by the names that DeepFaceLab's files use, in the order of those files:
`named_weights` addresses every tensor, e.g. as `down1/downs_0/conv1/weight:0`. Weights are float32
always; `dtype` is a Keras policy, "float32" or "mixed_bfloat16": what is computed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from engine.nets import winograd

Tensor = Any  # keras.ops takes and gives the backend's own tensors
Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LeakyRelu:
    """max(x, slope * x) for slope < 1; tells its slope to those who write the net down."""

    slope: float

    def __call__(self, x: Tensor) -> Tensor:
        return ops.leaky_relu(x, negative_slope=self.slope)


def leaky_relu(slope: float) -> Activation:
    """See `LeakyRelu`."""
    return LeakyRelu(slope)


def cosine_unit(x: Tensor) -> Tensor:
    """x * cos(x): what the architecture letter c puts in place of every leaky ReLU."""
    return x * ops.cos(x)


class Convolution(keras.layers.Layer):  # type: ignore[misc]
    """k x k convolution with bias. Pads k // 2 zeros on all four sides, whatever the stride.

    For stride 2 that differs from TensorFlow's SAME, which pads one less at the top and left.
    `weight` is (k, k, in, out). Starts as zeros: see `engine.nets.initialisation`.
    Keras casts nothing here: where Winograd's way is taken, it reads the exact weights.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, *, dtype: str
    ) -> None:
        super().__init__(dtype=dtype, autocast=False)
        self.kernel = kernel
        self.stride = stride
        self.padding = kernel // 2
        self.same = stride == 1 and kernel % 2 == 1
        shape = (kernel, kernel, channels_in, channels_out)
        self.weight = self.add_weight(name="weight", shape=shape, initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(channels_out,), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        x = ops.cast(x, self.compute_dtype)
        return self._convolved(x) + ops.cast(self.bias, self.compute_dtype)

    def _convolved(self, x: Tensor) -> Tensor:
        if self.same and winograd.pays(x.shape, self.weight.shape):
            return winograd.convolve(x, self.weight)
        weight = ops.cast(self.weight, self.compute_dtype)
        if self.same:
            return ops.conv(x, weight, padding="same")
        edge = (self.padding, self.padding)
        padded = ops.pad(x, ((0, 0), edge, edge, (0, 0)))
        return ops.conv(padded, weight, self.stride, padding="valid")


def convolved_together(convolutions: Sequence[Convolution], x: Tensor) -> Tensor:
    """What convolutions of stride 1 make of x, one behind the other along the channels: all of them
    as one, which reads x once. Smaller filters stand in the middle of the largest."""
    dtype, taps = convolutions[0].compute_dtype, max(c.kernel for c in convolutions)
    filters = []
    for convolution in convolutions:
        edge = ((taps - convolution.kernel) // 2,) * 2
        weight = ops.cast(convolution.weight, dtype)
        filters.append(ops.pad(weight, (edge, edge, (0, 0), (0, 0))))
    biases = ops.concatenate([ops.cast(c.bias, dtype) for c in convolutions])
    x = ops.cast(x, dtype)
    return ops.conv(x, ops.concatenate(filters, axis=-1), padding="same") + biases


class TransposedConvolution(keras.layers.Layer):  # type: ignore[misc]
    """The gradient of a SAME convolution: multiplies the side by `stride`.

    `weight` is (k, k, out, in). Starts as zeros."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int, *, dtype: str
    ) -> None:
        super().__init__(dtype=dtype)
        self.stride = stride
        shape = (kernel, kernel, channels_out, channels_in)
        self.weight = self.add_weight(name="weight", shape=shape, initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(channels_out,), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        return ops.conv_transpose(x, self.weight, self.stride, padding="same") + self.bias


class Dense(keras.layers.Layer):  # type: ignore[misc]
    """x @ weight + bias; `weight` is (in, out). Starts as zeros."""

    def __init__(self, units_in: int, units_out: int, *, dtype: str) -> None:
        super().__init__(dtype=dtype)
        shape = (units_in, units_out)
        self.weight = self.add_weight(name="weight", shape=shape, initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(units_out,), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.weight) + self.bias


class Block:
    """Named parts in the order in which weight files list them.

    kernels_start_aware: convolutions of a whole net start convolution-aware, else Glorot-uniform
    (`engine.nets.initialisation`).
    """

    kernels_start_aware = False

    def __init__(self) -> None:
        self._parts: dict[str, Block | keras.layers.Layer] = {}

    def add(self, name: str, part: Any) -> Any:
        """Give a part its name; returns it."""
        self._parts[name] = part
        return part

    def named_weights(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Pairs of name, e.g. `res0/conv1/bias:0`, and Keras variable."""
        for name, part in self._parts.items():
            if isinstance(part, Block):
                yield from part.named_weights(f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}/weight:0", part.weight
                yield f"{prefix}{name}/bias:0", part.bias


class Downscale(Block):
    """Halves the side: convolution 5 x 5 with stride 2, activation."""

    def __init__(
        self, channels_in: int, channels_out: int, activation: Activation, *, dtype: str
    ) -> None:
        super().__init__()
        self.activation = activation
        self.conv1 = self.add("conv1", Convolution(channels_in, channels_out, 5, 2, dtype=dtype))

    def __call__(self, x: Tensor) -> Tensor:
        return self.activation(self.conv1(x))


class Upscale(Block):
    """Doubles the side: convolution 3 x 3 to four times the channels, activation, rearrange."""

    def __init__(
        self, channels_in: int, channels_out: int, activation: Activation, *, dtype: str
    ) -> None:
        super().__init__()
        self.activation = activation
        self.conv1 = self.add("conv1", Convolution(channels_in, 4 * channels_out, 3, dtype=dtype))

    def __call__(self, x: Tensor) -> Tensor:
        return depth_to_space(self.activation(self.conv1(x)))


class Residual(Block):
    """activation(x + conv(activation(conv(x)))), both 3 x 3."""

    def __init__(self, channels: int, activation: Activation, *, dtype: str) -> None:
        super().__init__()
        self.activation = activation
        self.conv1 = self.add("conv1", Convolution(channels, channels, 3, dtype=dtype))
        self.conv2 = self.add("conv2", Convolution(channels, channels, 3, dtype=dtype))

    def __call__(self, x: Tensor) -> Tensor:
        return self.activation(x + self.conv2(self.activation(self.conv1(x))))


def depth_to_space(x: Tensor) -> Tensor:
    """(n, h, w, 4c) to (n, 2h, 2w, c); input channel (dy * 2 + dx) * c + k goes to row dy, column
    dx of each 2 x 2 cell."""
    _, height, width, channels = x.shape
    cells = ops.reshape(x, (-1, height, width, 2, 2, channels // 4))
    rows = ops.transpose(cells, (0, 1, 3, 2, 4, 5))
    return ops.reshape(rows, (-1, 2 * height, 2 * width, channels // 4))


def flatten_channel_major(x: Tensor) -> Tensor:
    """(n, h, w, c) to (n, c*h*w): index c * h * w + y * w + x, the order of all weight files."""
    _, height, width, channels = x.shape
    return ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, channels * height * width))


def unflatten_channel_major(x: Tensor, side: int, channels: int) -> Tensor:
    """(n, c*side*side) to (n, side, side, c), the inverse of `flatten_channel_major`."""
    return ops.transpose(ops.reshape(x, (-1, channels, side, side)), (0, 2, 3, 1))


def pixel_norm(x: Tensor) -> Tensor:
    """Scale each vector of (n, k) to a mean square of 1; in float32: squares overflow."""
    x32 = ops.cast(x, "float32")
    scale = ops.rsqrt(ops.mean(ops.square(x32), axis=-1, keepdims=True) + 1e-6)
    return ops.cast(x32 * scale, x.dtype)
