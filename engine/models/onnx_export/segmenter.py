"""XSeg as a graph: faces in, masks out."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.models.onnx_export import layers
from engine.models.onnx_export.autoencoder import FACES
from engine.models.onnx_export.graph import GraphWriter, Value
from engine.nets.layers import TransposedConvolution
from engine.nets.xseg import (
    BLUR_TAPS,
    CODE_SIDE,
    RESOLUTION,
    FilterResponse,
    Normalised,
    XSeg,
    blur_kernel,
)

MASK = "out_mask:0"


def write_segmenter(graph: GraphWriter, net: XSeg) -> None:
    """See `XSeg.__call__`; the mask is the sigmoid of its logits."""
    x, kept = graph.picture_input(FACES, RESOLUTION), []
    for convolutions, taps in zip(net.down, BLUR_TAPS, strict=True):
        x = _through(graph, convolutions, x)
        kept.append(x)
        x = _halved(graph, x, int(convolutions[-1].conv.bias.shape[0]), taps)
    flat = layers.dense(graph, net.dense1, graph.node("Flatten", x, axis=1))
    flat = layers.dense(graph, net.dense2, flat)
    x = layers.unflattened(graph, flat, CODE_SIDE, net.deepest_channels)
    for (doubled, convolutions), skip in zip(net.up, reversed(kept), strict=True):
        x = graph.node("Concat", _normalised(graph, doubled, x), skip, axis=1)
        x = _through(graph, convolutions, x)
    mask = layers.sigmoid(graph, layers.convolution(graph, net.out_conv, x))
    graph.picture_output(MASK, mask, RESOLUTION, 1)


def _through(graph: GraphWriter, parts: list[Normalised], x: Value) -> Value:
    for part in parts:
        x = _normalised(graph, part, x)
    return x


def _normalised(graph: GraphWriter, part: Normalised, x: Value) -> Value:
    write = (
        layers.transposed_convolution
        if isinstance(part.conv, TransposedConvolution)
        else layers.convolution
    )
    response = _response(graph, part.frn, write(graph, part.conv, x))
    return graph.node("Max", response, _per_channel(graph, part.tlu.tau))


def _response(graph: GraphWriter, part: FilterResponse, x: Value) -> Value:
    energy = graph.node("ReduceMean", graph.node("Mul", x, x), axes=(2, 3), keepdims=1)
    least = graph.node("Abs", graph.weight(part.eps))
    size = graph.node("Sqrt", graph.node("Add", energy, least))
    scale = graph.node("Div", _per_channel(graph, part.weight), size)
    return graph.node("Add", graph.node("Mul", x, scale), _per_channel(graph, part.bias))


def _per_channel(graph: GraphWriter, variable: Any) -> Value:
    return graph.weight(variable, shape=(1, -1, 1, 1))


def _halved(graph: GraphWriter, x: Value, channels: int, taps: int) -> Value:
    """See `engine.nets.xseg.halved`."""
    kernel = np.tile(blur_kernel(taps), (channels, 1, 1, 1))
    before, after = (taps - 1) // 2, taps // 2
    return graph.node(
        "Conv",
        x,
        graph.constant(f"blur_{taps}x{channels}", kernel),
        group=channels,
        kernel_shape=(taps, taps),
        strides=(2, 2),
        pads=(before, before, after, after),
    )
