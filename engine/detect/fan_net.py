"""FAN (Bulat and Tzimiropoulos 2017: four stacked hourglasses) in TensorFlow.

The weights are DeepFaceLab's files 2DFAN.npy and 3DFAN.npy, which the user brings: one net, trained
on the visible outline of a face and on the projected points of its head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.detect.named_weights import Layer, NamedWeights, Tensor, chained

INPUT_PX, HEAT_PX = 256, 64
STAGES, DEPTH, WIDTH, POINTS = 4, 4, 256, 68

# (n, 256, 256, 3) float32 RGB 0..1 to heat maps (n, 64, 64, 68).
FanNet = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def fan_net(tensors: Mapping[str, NDArray[np.float32]], file_name: str) -> FanNet:
    """The net with those weights: (n, 256, 256, 3) float32 RGB, 0..1, to one heat map for each of
    the 68 landmarks, (n, 64, 64, 68). Raises `InputError` for weights of another net."""
    net = _net(NamedWeights(tensors, file_name))

    @tf.function(input_signature=[tf.TensorSpec((None, INPUT_PX, INPUT_PX, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def run(crops: Tensor) -> Tensor:
        return net(crops)

    return lambda crops_rgb: np.asarray(run(crops_rgb))


def _net(weights: NamedWeights) -> Layer:
    first = chained(
        weights.convolution("conv1", (3, 64), 7, stride=2),
        weights.batch_norm("bn1", 64),
        tf.nn.relu,
        _block(weights, "conv2", 64, 128),
        _halved,
        _block(weights, "conv3", 128, 128),
        _block(weights, "conv4", 128, WIDTH),
    )
    features = [_features(weights, stage) for stage in range(STAGES)]
    heats = [weights.convolution(f"l_{stage}", (WIDTH, POINTS), 1) for stage in range(STAGES)]
    backs = [
        (
            weights.convolution(f"bl_{stage}", (WIDTH, WIDTH), 1),
            weights.convolution(f"al_{stage}", (POINTS, WIDTH), 1),
        )
        for stage in range(STAGES - 1)
    ]

    def run(crops: Tensor) -> Tensor:
        x = first(crops)
        for stage in range(STAGES):
            seen = features[stage](x)
            heat = heats[stage](seen)
            if stage < STAGES - 1:
                from_features, from_heat = backs[stage]
                x = x + from_features(seen) + from_heat(heat)
        return heat

    return run


def _features(weights: NamedWeights, stage: int) -> Layer:
    return chained(
        _hourglass(weights, f"m_{stage}", DEPTH),
        _block(weights, f"top_m_{stage}", WIDTH, WIDTH),
        weights.convolution(f"conv_last_{stage}", (WIDTH, WIDTH), 1),
        weights.batch_norm(f"bn_end_{stage}", WIDTH),
        tf.nn.relu,
    )


def _hourglass(weights: NamedWeights, path: str, depth: int) -> Layer:
    """The picture as it is, plus what is seen at half its size, with another hourglass inside."""
    skip, into, out = (_block(weights, f"{path}/b{number}", WIDTH, WIDTH) for number in (1, 2, 3))
    within = f"{path}/b2_plus"
    inner = (
        _hourglass(weights, within, depth - 1)
        if depth > 1
        else _block(weights, within, WIDTH, WIDTH)
    )
    small = chained(_halved, into, inner, out, _doubled)
    return lambda x: skip(x) + small(x)


def _block(weights: NamedWeights, path: str, wide: int, to: int) -> Layer:
    """Three convolutions, each fed by the one before; all three side by side are added to the
    input."""
    sizes = ((wide, to // 2), (to // 2, to // 4), (to // 4, to // 4))
    steps = [
        _before(weights, f"{path}/bn{n}", f"{path}/conv{n}", channels, 3)
        for n, channels in enumerate(sizes, start=1)
    ]
    same = wide == to
    skip = (
        None if same else _before(weights, f"{path}/down_bn1", f"{path}/down_conv1", (wide, to), 1)
    )

    def run(x: Tensor) -> Tensor:
        parts = [steps[0](x)]
        for step in steps[1:]:
            parts.append(step(parts[-1]))
        return tf.concat(parts, axis=-1) + (x if skip is None else skip(x))

    return run


def _before(
    weights: NamedWeights, norm: str, path: str, channels: tuple[int, int], kernel: int
) -> Layer:
    """Normalised and cut at 0 before it is convolved."""
    convolve = weights.convolution(path, channels, kernel, with_bias=False)
    return chained(weights.batch_norm(norm, channels[0]), tf.nn.relu, convolve)


def _halved(x: Tensor) -> Tensor:
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def _doubled(x: Tensor) -> Tensor:
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
