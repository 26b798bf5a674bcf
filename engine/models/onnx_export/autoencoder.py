"""The face autoencoders as graphs that DeepFaceLive plays: dst faces in, masks and swap out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.models.onnx_export import layers
from engine.models.onnx_export.graph import GraphWriter, Value
from engine.nets.autoencoder import Autoencoder, Decoder, Encoder, Inter
from engine.nets.dfl1_autoencoder import (
    Dfl1Autoencoder,
    Dfl1Decoder,
    Dfl1Encoder,
    Dfl1Inter,
)
from engine.nets.layers import Residual, Upscale
from engine.nets.morph_autoencoder import MorphAutoencoder
from engine.protocol.dfm_files import OUTPUTS

FACES = "in_face:0"
MORPH = "morph_value:0"
AnyDecoder = Decoder | Dfl1Decoder


@dataclass(frozen=True)
class _Drawing:
    """Who draws what of the dst faces: the swap by src's decoder, dst's mask by dst's."""

    faces: Value
    src_decoder: AnyDecoder
    dst_decoder: AnyDecoder
    swap_code: Value
    dst_code: Value


def write_autoencoder(graph: GraphWriter, model: Autoencoder | Dfl1Autoencoder) -> None:
    """df and liae; see `WiredNets.swap`."""
    side = model.arch.resolution
    faces = graph.picture_input(FACES, side)
    flat = _encoded(graph, model.encoder, faces)
    shared = _inner_code(graph, model.inters[0], flat)
    dst = swap = shared
    if model.arch.wiring == "liae":
        own = _inner_code(graph, model.inters[1], flat)
        dst = graph.node("Concat", own, shared, axis=1)
        swap = graph.node("Concat", shared, shared, axis=1)
    drawing = _Drawing(faces, model.decoder_src, model.decoder_dst, swap, dst)
    _write_outputs(graph, side, drawing)


def write_morph_autoencoder(graph: GraphWriter, model: MorphAutoencoder) -> None:
    """AMP; see `MorphAutoencoder.swap`. One morph factor holds for all faces."""
    side = model.arch.resolution
    faces = graph.picture_input(FACES, side)
    from_src = _first_channels(graph, graph.vector_input(MORPH, 1), model.arch.inter_dims)
    flat = layers.dense(graph, model.encoder.dense1, _encoded(graph, model.encoder, faces))
    by_src, by_dst = (
        layers.unflattened(graph, layers.dense(graph, net.dense2, flat), net.side, net.channels)
        for net in (model.inter_src, model.inter_dst)
    )
    swap = graph.node("Where", from_src, by_src, by_dst)
    _write_outputs(graph, side, _Drawing(faces, model.decoder, model.decoder, swap, by_dst))


def _first_channels(graph: GraphWriter, factor: Value, channels: int) -> Value:
    """Which channels of a code come from `inter_src`. DeepFaceLab cuts the two maps at that channel
    and joins the parts; choosing by number never makes a part of no channels, which some devices
    cannot have."""
    count = graph.constant("inter_dims", np.array([channels]))
    share = graph.node("Floor", graph.node("Mul", factor, count))
    numbers = graph.constant("channel", np.arange(channels).reshape(1, -1, 1, 1))
    return graph.node("Less", numbers, share)


def _write_outputs(graph: GraphWriter, side: int, drawing: _Drawing) -> None:
    """In the order by which DeepFaceLive knows them."""
    dst_mask, face, src_mask = OUTPUTS
    graph.picture_output(
        dst_mask, _mask(graph, drawing, drawing.dst_decoder, drawing.dst_code), side, 1
    )
    graph.picture_output(face, _image(graph, drawing.src_decoder, drawing.swap_code), side, 3)
    graph.picture_output(
        src_mask, _mask(graph, drawing, drawing.src_decoder, drawing.swap_code), side, 1
    )


def _encoded(graph: GraphWriter, net: Encoder | Dfl1Encoder, faces: Value) -> Value:
    """Flat vectors, channel-major as NCHW is."""
    x = faces
    for step in net.steps:
        if isinstance(step, Residual):
            x = layers.residual(graph, step, x)
        else:
            x = layers.downscale(graph, step, x)
    flat = graph.node("Flatten", x, axis=1)
    is_normalised = isinstance(net, Encoder) and net.normalised
    return layers.pixel_norm(graph, flat) if is_normalised else flat


def _inner_code(graph: GraphWriter, net: Inter | Dfl1Inter, flat: Value) -> Value:
    narrow = layers.dense(graph, net.dense1, flat)
    x = layers.dense(graph, net.dense2, narrow)
    x = layers.unflattened(graph, x, net.side, net.channels)
    return layers.upscale(graph, net.upscale1, x) if net.upscale1 else x


def _image(graph: GraphWriter, net: AnyDecoder, code: Value) -> Value:
    """BGR, float32 0..1."""
    if isinstance(net, Decoder):
        x = _stages(graph, net.upscales, [[residual] for residual in net.residuals], code)
        heads = [layers.convolution(graph, head, x) for head in net.image_heads]
        joined = graph.node("Concat", *heads, axis=1) if net.doubled else heads[0]
        drawn = layers.depth_to_space(graph, joined) if net.doubled else joined
    else:
        x = _stages(graph, net.upscales, net.residuals, code)
        drawn = layers.convolution(graph, net.heads[len(net.upscales) - 1], x)
    return layers.sigmoid(graph, drawn)


def _stages(
    graph: GraphWriter,
    upscales: Sequence[Upscale],
    residuals: Sequence[Sequence[Residual]],
    code: Value,
) -> Value:
    x = code
    for upscale, behind in zip(upscales, residuals, strict=True):
        x = layers.upscale(graph, upscale, x)
        for residual in behind:
            x = layers.residual(graph, residual, x)
    return x


def _mask(graph: GraphWriter, drawing: _Drawing, net: AnyDecoder, code: Value) -> Value:
    """One channel, float32 0..1; for a net that draws no mask, 1 everywhere."""
    if net.mask_head is None:
        one = graph.constant("one", np.array(1.0))
        grey = graph.node("ReduceMean", drawing.faces, axes=(1,), keepdims=1)  # of the right shape
        return graph.node("Clip", grey, one, one)
    x = code
    for upscale in net.mask_upscales:
        x = layers.upscale(graph, upscale, x)
    return layers.sigmoid(graph, layers.convolution(graph, net.mask_head, x))
