"""The face autoencoder as a graph that DeepFaceLive plays: dst faces in, masks and swap out."""

from __future__ import annotations

from engine.models.onnx_export import layers
from engine.models.onnx_export.graph import GraphWriter, Value
from engine.nets.autoencoder import Autoencoder, Decoder, Encoder, Inter
from engine.nets.layers import Block, Downscale, Residual, Upscale

FACES = "in_face:0"
OUT_DST_MASK, OUT_FACE, OUT_SRC_MASK = (
    "out_face_mask:0",
    "out_celeb_face:0",
    "out_celeb_face_mask:0",
)


def write_autoencoder(graph: GraphWriter, model: Autoencoder) -> None:
    """df and liae; see `Autoencoder.swap`."""
    flat = encoded(graph, model.encoder, graph.picture_input(FACES, model.arch.resolution))
    dst, swap = _dst_codes(graph, model, flat)
    write_outputs(graph, model, dst, swap)


def write_outputs(graph: GraphWriter, model: Autoencoder, dst: Value, swap: Value) -> None:
    """In the order by which DeepFaceLive knows them."""
    side, src_decoder = model.arch.resolution, model.decoder_src
    graph.picture_output(OUT_DST_MASK, mask(graph, model.decoder_dst, dst), side, 1)
    graph.picture_output(OUT_FACE, image(graph, src_decoder, swap), side, 3)
    graph.picture_output(OUT_SRC_MASK, mask(graph, src_decoder, swap), side, 1)


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


def _dst_codes(graph: GraphWriter, model: Autoencoder, flat: Value) -> tuple[Value, Value]:
    """As `Autoencoder.dst_codes` has them."""
    shared = inner_code(graph, model.inters[0], flat)
    if model.arch.wiring == "df":
        return shared, shared
    own = inner_code(graph, model.inters[1], flat)
    dst = graph.node("Concat", own, shared, axis=1)
    return dst, graph.node("Concat", shared, shared, axis=1)


def _stage(graph: GraphWriter, stage: Block, x: Value) -> Value:
    """Raises `TypeError` for a stage that no encoder of ours has."""
    if isinstance(stage, Downscale):
        return layers.downscale(graph, stage, x)
    if isinstance(stage, Residual):
        return layers.residual(graph, stage, x)
    if isinstance(stage, Upscale):
        return layers.upscale(graph, stage, x)
    raise TypeError(f"no ONNX nodes are known for a {type(stage).__name__}")
