"""The tensors of a user's weight file, taken by name and checked, and the layers made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.protocol.errors import InputError

Tensor = Any  # of TensorFlow, which has no usable stubs
Layer = Callable[[Tensor], Tensor]
BATCH_NORM_EPSILON = 1e-5


class NamedWeights:
    """The tensors of one net. name: the file's, for messages."""

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]], name: str) -> None:
        self._tensors = tensors
        self._name = name

    def take(self, key: str, *shape: int) -> Tensor:
        """The tensor `key`:0 in that shape; DFL, too, reshapes what has as many numbers.

        Raises `InputError` if it is not there, has another size, or numbers that are not finite.
        """
        found = self._tensors.get(f"{key}:0")
        size = int(np.prod(shape))
        if found is None or found.size != size or not np.isfinite(found).all():
            what = "missing" if found is None else f"{list(found.shape)}"
            if found is not None and found.size == size:
                what = "not finite"
            raise InputError(
                f"{self._name} holds other weights: {key} should be {list(shape)}, is {what}",
                f"use {self._name} as DeepFaceLab ships it",
                code="bad-weights",
            )
        return tf.constant(found.reshape(shape))

    def convolution(
        self,
        path: str,
        channels: tuple[int, int],
        kernel: int = 3,
        *,
        stride: int = 1,
        padding_px: int | None = None,
        with_bias: bool = True,
    ) -> Layer:
        """A convolution from channels[0] to channels[1]; pads kernel // 2 zeros on all sides unless
        told otherwise (TensorFlow's SAME pads less at the top and left where the stride is 2)."""
        weight = self.take(f"{path}/weight", kernel, kernel, *channels)
        bias = self.take(f"{path}/bias", channels[1]) if with_bias else None
        edge = [kernel // 2 if padding_px is None else padding_px] * 2

        def convolve(x: Tensor) -> Tensor:
            y = tf.nn.conv2d(x, weight, stride, [[0, 0], edge, edge, [0, 0]])
            return y if bias is None else y + bias

        return convolve

    def batch_norm(self, path: str, channels: int) -> Layer:
        """Normalising by the statistics of training, as one multiplication and one addition."""
        mean = self.take(f"{path}/running_mean", channels)
        variance = self.take(f"{path}/running_var", channels)
        scale = self.take(f"{path}/weight", channels) / tf.sqrt(variance + BATCH_NORM_EPSILON)
        shift = self.take(f"{path}/bias", channels) - mean * scale
        return lambda x: x * scale + shift


def chained(*layers: Layer) -> Layer:
    """The layers one after the other."""

    def run(x: Tensor) -> Tensor:
        for layer in layers:
            x = layer(x)
        return x

    return run
