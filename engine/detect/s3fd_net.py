"""S3FD's net (Zhang et al. 2017: a VGG-16 that looks for faces at six strides) in TensorFlow.

The weights are DeepFaceLab's file S3FD.npy, which the user brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.detect.named_weights import Layer, NamedWeights, Tensor, chained
from engine.detect.weight_files import USER_FILES

STRIDES_PX = (4, 8, 16, 32, 64, 128)
# Caffe's means of blue, green, red, subtracted from red, green, blue: so these weights learned it.
MEANS = (104.0, 117.0, 123.0)
NORM_EPSILON = 1e-10

# Convolutions between two poolings: (name, channels in, channels out).
_TRUNK = (
    (("conv1_1", 3, 64), ("conv1_2", 64, 64)),
    (("conv2_1", 64, 128), ("conv2_2", 128, 128)),
    (("conv3_1", 128, 256), ("conv3_2", 256, 256), ("conv3_3", 256, 256)),
    (("conv4_1", 256, 512), ("conv4_2", 512, 512), ("conv4_3", 512, 512)),
    (("conv5_1", 512, 512), ("conv5_2", 512, 512), ("conv5_3", 512, 512)),
)
# Where faces are read off: (name, channels, numbers that compete for a cell's score).
_HEADS = (
    ("conv3_3_norm", 256, 4),
    ("conv4_3_norm", 512, 2),
    ("conv5_3_norm", 512, 2),
    ("fc7", 1024, 2),
    ("conv6_2", 512, 2),
    ("conv7_2", 256, 2),
)

# (n, h, w, 3) RGB 0..255 to (scores, offsets) for each of `STRIDES_PX`.
Outputs = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
S3fdNet = Callable[[NDArray[np.float32]], Outputs]


def s3fd_net(tensors: Mapping[str, NDArray[np.float32]]) -> S3fdNet:
    """The net with those weights, as a function of (n, h, w, 3) float32 RGB, 0..255, of 32 px or
    more each way. It gives for each stride the cells' scores (n, h', w'), 0..1, and their boxes
    (n, h', w', 4): how far the middle is off, and the size, both relative to the stride's own box.

    Raises `InputError` for weights of another net.
    """
    net = _Net(NamedWeights(tensors, USER_FILES["s3fd"]))

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def run(images: Tensor) -> Any:
        return net(images)

    def look(images_rgb: NDArray[np.float32]) -> Outputs:
        return [(scores.numpy(), offsets.numpy()) for scores, offsets in run(images_rgb)]

    return look


class _Net:
    def __init__(self, weights: NamedWeights) -> None:
        self._blocks = [_block(weights, names) for names in _TRUNK]
        self._scales = [
            weights.take(f"{name}/weight", 1, 1, 1, width) for name, width, _ in _HEADS[:3]
        ]
        # A padding of 3, where 1 would keep the size, comes from the net these weights are of.
        self._deep = [
            chained(_relu(weights, "fc6", 512, 1024, 3, pad=3), _relu(weights, "fc7", 1024, 1024)),
            _narrowed(weights, "conv6", 1024, 512),
            _narrowed(weights, "conv7", 512, 256),
        ]
        self._heads = [
            (
                weights.convolution(f"{name}_mbox_conf", (width, rivals)),
                weights.convolution(f"{name}_mbox_loc", (width, 4)),
            )
            for name, width, rivals in _HEADS
        ]

    def __call__(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        x = images - tf.constant(MEANS)
        taps = []
        for block in self._blocks:
            x = block(x)
            taps.append(x)
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        seen = [_normed(tap, scale) for tap, scale in zip(taps[2:], self._scales, strict=True)]
        for layers in self._deep:
            x = layers(x)
            seen.append(x)
        return [
            (_score(conf(tap)), loc(tap))
            for tap, (conf, loc) in zip(seen, self._heads, strict=True)
        ]


def _block(weights: NamedWeights, names: tuple[tuple[str, int, int], ...]) -> Layer:
    return chained(*(_relu(weights, name, wide, to, 3) for name, wide, to in names))


def _relu(
    weights: NamedWeights, name: str, wide: int, to: int, kernel: int = 1, *, pad: int | None = None
) -> Layer:
    return chained(weights.convolution(name, (wide, to), kernel, padding_px=pad), tf.nn.relu)


def _narrowed(weights: NamedWeights, name: str, wide: int, to: int) -> Layer:
    """To half the channels, and from there to half the size."""
    halved = weights.convolution(f"{name}_2", (to // 2, to), stride=2)
    return chained(_relu(weights, f"{name}_1", wide, to // 2), halved, tf.nn.relu)


def _normed(x: Tensor, scale: Tensor) -> Tensor:
    return x / (tf.norm(x, axis=-1, keepdims=True) + NORM_EPSILON) * scale


def _score(rivals: Tensor) -> Tensor:
    """The face's share of the softmax; of several backgrounds the strongest counts."""
    background = tf.reduce_max(rivals[..., :-1], axis=-1)
    return tf.sigmoid(rivals[..., -1] - background)
