"""Layers and blocks of `engine.nets.layers` as nodes of a graph: one function for each kind."""

from __future__ import annotations

import numpy as np

from engine.models.onnx_export.graph import GraphWriter, Value
from engine.nets.layers import (
    Activation,
    Convolution,
    Dense,
    Downscale,
    LeakyRelu,
    Residual,
    TransposedConvolution,
    Upscale,
    cosine_unit,
)

# Of weights (k, k, in, out), and of (k, k, out, in): ONNX has (out, in, k, k) and (in, out, k, k).
_KERNEL_AXES = (3, 2, 0, 1)


def convolution(graph: GraphWriter, part: Convolution, x: Value) -> Value:
    """In float16 where the graph is quantised."""
    half = graph.quantised
    return graph.node(
        "Conv",
        graph.cast(x, half=half),
        graph.weight(part.weight, order=_KERNEL_AXES, half=half),
        graph.weight(part.bias, half=half),
        kernel_shape=(part.kernel, part.kernel),
        strides=(part.stride, part.stride),
        pads=(part.padding,) * 4,
    )


def transposed_convolution(graph: GraphWriter, part: TransposedConvolution, x: Value) -> Value:
    """Multiplies the side by the stride: what is too much falls away at the right and below, where
    TensorFlow's SAME pads the odd pixel."""
    kernel = int(part.weight.shape[0])
    excess = kernel - part.stride
    before, after = excess // 2, excess - excess // 2
    return graph.node(
        "ConvTranspose",
        graph.cast(x, half=False),
        graph.weight(part.weight, order=_KERNEL_AXES),
        graph.weight(part.bias),
        kernel_shape=(kernel, kernel),
        strides=(part.stride, part.stride),
        pads=(before, before, after, after),
    )


def dense(graph: GraphWriter, part: Dense, x: Value) -> Value:
    """Always in float32: sums over thousands of units."""
    weight, bias = graph.weight(part.weight), graph.weight(part.bias)
    return graph.node("Gemm", graph.cast(x, half=False), weight, bias)


def activated(graph: GraphWriter, activation: Activation, x: Value) -> Value:
    """Raises `TypeError` for an activation that no net of ours has."""
    if isinstance(activation, LeakyRelu):
        return graph.node("LeakyRelu", x, alpha=activation.slope)
    if activation is cosine_unit:
        return graph.node("Mul", x, graph.node("Cos", x))
    raise TypeError(f"no ONNX node is known for the activation {activation!r}")


def downscale(graph: GraphWriter, part: Downscale, x: Value) -> Value:
    return activated(graph, part.activation, convolution(graph, part.conv1, x))


def upscale(graph: GraphWriter, part: Upscale, x: Value) -> Value:
    return depth_to_space(
        graph, activated(graph, part.activation, convolution(graph, part.conv1, x))
    )


def residual(graph: GraphWriter, part: Residual, x: Value) -> Value:
    """x is of the kind that convolutions give."""
    inner = activated(graph, part.activation, convolution(graph, part.conv1, x))
    total = graph.node("Add", x, convolution(graph, part.conv2, inner))
    return activated(graph, part.activation, total)


def depth_to_space(graph: GraphWriter, x: Value) -> Value:
    return graph.node("DepthToSpace", x, blocksize=2, mode="DCR")


def unflattened(graph: GraphWriter, x: Value, side: int, channels: int) -> Value:
    """(n, channels * side * side), channel-major, to (n, channels, side, side)."""
    return graph.node("Reshape", x, graph.shape(-1, channels, side, side))


def pixel_norm(graph: GraphWriter, x: Value) -> Value:
    """Each vector of (n, k) scaled to a mean square of 1, in float32: squares overflow."""
    exact = graph.cast(x, half=False)
    energy = graph.node("ReduceMean", graph.node("Mul", exact, exact), axes=(1,), keepdims=1)
    least = graph.constant("least_energy", np.array([1e-6]))
    size = graph.node("Sqrt", graph.node("Add", energy, least))
    return graph.node("Div", exact, size)


def sigmoid(graph: GraphWriter, x: Value) -> Value:
    """0..1, in float32."""
    return graph.node("Sigmoid", graph.cast(x, half=False))
