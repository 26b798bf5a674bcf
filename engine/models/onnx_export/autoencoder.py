"""The face autoencoders as graphs that DeepFaceLive plays: dst faces in, masks and swap out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.models.onnx_export import layers
from engine.models.onnx_export.graph import GraphWriter, Value
from engine.nets.autoencoder import Autoencoder, Decoder, Encoder, Inter
from engine.nets.layers import Block, Downscale, Residual
from engine.nets.morph_autoencoder import MorphAutoencoder

FACES = "in_face:0"
MORPH = "morph_value:0"


@dataclass(frozen=True)
class _Drawing:
    """Who draws what of the dst faces: the swap by src's decoder, dst's mask by dst's."""

    src_decoder: Decoder
    dst_decoder: Decoder
    swap_code: Value
    dst_code: Value


def write_autoencoder(graph: GraphWriter, model: Autoencoder) -> None:
    """df and liae; see `Autoencoder.swap`."""
    side = model.arch.resolution
    flat = encoded(graph, model.encoder, graph.picture_input(FACES, side))
    shared = inner_code(graph, model.inters[0], flat)
    dst = swap = shared
    if model.arch.wiring == "liae":
        own = inner_code(graph, model.inters[1], flat)
        dst = graph.node("Concat", own, shared, axis=1)
        swap = graph.node("Concat", shared, shared, axis=1)
    _write_outputs(graph, side, _Drawing(model.decoder_src, model.decoder_dst, swap, dst))


def write_morph_autoencoder(graph: GraphWriter, model: MorphAutoencoder) -> None:
    """AMP; see `MorphAutoencoder.swap`. One morph factor holds for all faces."""
    side = model.arch.resolution
    faces = graph.picture_input(FACES, side)
    from_src = _first_channels(graph, graph.vector_input(MORPH, 1), model.arch.inter_dims)
    flat = layers.dense(graph, model.encoder.dense1, encoded(graph, model.encoder, faces))
    by_src, by_dst = (
        layers.unflattened(graph, layers.dense(graph, net.dense2, flat), net.side, net.channels)
        for net in (model.inter_src, model.inter_dst)
    )
    swap = graph.node("Where", from_src, by_src, by_dst)
    _write_outputs(graph, side, _Drawing(model.decoder, model.decoder, swap, by_dst))


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
    of_dst = mask(graph, drawing.dst_decoder, drawing.dst_code)
    graph.picture_output("out_face_mask:0", of_dst, side, 1)
    face = image(graph, drawing.src_decoder, drawing.swap_code)
    graph.picture_output("out_celeb_face:0", face, side, 3)
    of_src = mask(graph, drawing.src_decoder, drawing.swap_code)
    graph.picture_output("out_celeb_face_mask:0", of_src, side, 1)


def encoded(graph: GraphWriter, net: Encoder, faces: Value) -> Value:
    """Flat vectors, channel-major as NCHW is."""
    x = faces
    for step in net.steps:
        x = _stage(graph, step, x)
    flat = graph.node("Flatten", x, axis=1)
    return layers.pixel_norm(graph, flat) if net.normalised else flat


def inner_code(graph: GraphWriter, net: Inter, flat: Value) -> Value:
    narrow = layers.dense(graph, net.dense1, flat)
    x = layers.dense(graph, net.dense2, narrow)
    x = layers.unflattened(graph, x, net.side, net.channels)
    return layers.upscale(graph, net.upscale1, x) if net.upscale1 else x


def image(graph: GraphWriter, net: Decoder, code: Value) -> Value:
    """BGR, float32 0..1."""
    x = code
    for upscale, residual in zip(net.upscales, net.residuals, strict=True):
        x = layers.residual(graph, residual, layers.upscale(graph, upscale, x))
    heads = [layers.convolution(graph, head, x) for head in net.image_heads]
    if net.doubled:
        return layers.sigmoid(
            graph, layers.depth_to_space(graph, graph.node("Concat", *heads, axis=1))
        )
    return layers.sigmoid(graph, heads[0])


def mask(graph: GraphWriter, net: Decoder, code: Value) -> Value:
    """One channel, float32 0..1."""
    x = code
    for upscale in net.mask_upscales:
        x = layers.upscale(graph, upscale, x)
    return layers.sigmoid(graph, layers.convolution(graph, net.mask_head, x))


def _stage(graph: GraphWriter, stage: Block, x: Value) -> Value:
    """Raises `TypeError` for a stage that no encoder of ours has."""
    if isinstance(stage, Downscale):
        return layers.downscale(graph, stage, x)
    if isinstance(stage, Residual):
        return layers.residual(graph, stage, x)
    raise TypeError(f"no ONNX nodes are known for a {type(stage).__name__}")
