"""DeepFaceLab's face enhancer: sharpens a face picture to four times its size.

Architecture: specification, training 14.3. Its weights, `FaceEnhancer.npy`, come from the user's
DeepFaceLab (`engine.faces.dfl_weights`). Tensors are NHWC, BGR in -1..1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from engine.nets.initialisation import load_weights
from engine.nets.layers import Block, Convolution, Tensor, leaky_relu

WEIGHTS_NAME = "FaceEnhancer.npy"
GROWTH = 4
# The two numbers that the net is told beside the picture; DeepFaceLab never gives others.
_PARAMETERS = (0.2, 1.0)
_DOWN = (64, 112, 192, 336, 512)  # channels of the stages e0 to e4, each at half the side
_CENTRE = 512
_UP = (96, 160, 288, 512, 512)  # channels of the stages d0 to d4
_activate = leaky_relu(0.1)


class FaceEnhancerNet(Block):
    """A U-Net with three heads; each adds detail to the one before it, at its size and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = self._convolution("conv1", 3, _DOWN[0])
        self.dense1 = self.add("dense1", _Shift(_DOWN[0]))
        self.dense2 = self.add("dense2", _Shift(_DOWN[0]))
        below = _DOWN[0]
        self.down = []
        for number, channels in enumerate(_DOWN):
            self.down.append(self._pair(f"e{number}", below, channels))
            below = channels
        self.centre = [self._convolution(f"center_conv{i}", _CENTRE, _CENTRE) for i in range(4)]
        below = _CENTRE
        self.up = []
        for number in reversed(range(len(_UP))):
            self.up.append(self._pair(f"d{number}", below + _DOWN[number], _UP[number]))
            below = _UP[number]
        self.out1x = self._head("out1x", below, 48)
        self.dec2x = self._pair("dec2x", below, 96)
        self.out2x = self._head("out2x", 96, 48)
        self.dec4x = self._pair("dec4x", 96, 72)
        self.out4x = self._head("out4x", 72, 36)

    def __call__(self, image: Tensor) -> Tensor:
        """(n, h, w, 3) to (n, 4h, 4w, 3); h and w are multiples of 16."""
        low, high = _PARAMETERS
        x = _activate(self.conv1(image) + self.dense1(low) + self.dense2(high))
        skips = []
        for pair in self.down:
            x = _run(pair, x)
            skips.append(x)
            x = ops.average_pool(x, 2)
        x = _run(self.centre, x)
        for pair, skip in zip(self.up, reversed(skips), strict=True):
            x = _run(pair, ops.concatenate([doubled(x), skip], axis=-1))
        result = image + _detail(self.out1x, x)
        x = doubled(_run(self.dec2x, x))
        result = doubled(result) + _detail(self.out2x, x)
        x = doubled(_run(self.dec4x, x))
        return doubled(result) + _detail(self.out4x, x)

    def _convolution(self, name: str, channels_in: int, channels_out: int) -> Convolution:
        convolution = Convolution(channels_in, channels_out, 3, dtype="float32")
        part: Convolution = self.add(name, convolution)
        return part

    def _pair(self, name: str, channels_in: int, channels_out: int) -> list[Convolution]:
        return [
            self._convolution(f"{name}_conv0", channels_in, channels_out),
            self._convolution(f"{name}_conv1", channels_out, channels_out),
        ]

    def _head(self, name: str, channels_in: int, channels_between: int) -> list[Convolution]:
        return [
            self._convolution(f"{name}_conv0", channels_in, channels_between),
            self._convolution(f"{name}_conv1", channels_between, 3),
        ]


class _Shift(Block):
    """A number times a learned vector (1, channels): a dense layer without bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = keras.Variable(np.zeros((1, channels), np.float32), trainable=False)

    def named_weights(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        yield f"{prefix}weight:0", self.weight

    def __call__(self, value: float) -> Tensor:
        return value * self.weight.value


def doubled(x: Tensor) -> Tensor:
    """(n, h, w, c) at twice the side, linearly: [a, b] becomes [a, (a + b) / 2, b, b], which is how
    TensorFlow 1 did it; pixels' corners, not their centres, keep their place."""
    for axis in (1, 2):
        count = x.shape[axis]
        after = ops.take(x, np.minimum(np.arange(1, count + 1), count - 1), axis=axis)
        both = ops.stack([x, (x + after) / 2], axis=axis + 1)
        x = ops.reshape(both, (-1, *x.shape[1:axis], 2 * count, *x.shape[axis + 1 :]))
    return x


def enhancer_net(weights: Mapping[str, NDArray[np.float32]]) -> FaceEnhancerNet:
    """The net with the tensors of a weight file. Raises `InputError` if they are another net's."""
    net = FaceEnhancerNet()
    load_weights(net, WEIGHTS_NAME, weights)
    return net


def _run(convolutions: list[Convolution], x: Tensor) -> Tensor:
    for convolution in convolutions:
        x = _activate(convolution(x))
    return x


def _detail(head: list[Convolution], x: Tensor) -> Tensor:
    first, last = head
    return ops.tanh(last(_activate(first(x))))
