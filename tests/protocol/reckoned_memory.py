"""What a training of SAEHD takes of a device's memory, reckoned from its options alone: what the
goals' sizes are held against.

Weights are exact (spec, training 3). What a step keeps for the gradient is counted from the
convolutions' outputs, times what was measured of them on a CPU (.docs/training.md: batches of 8, 16
and 32 of df-ud and liae-ud at 128 pixels).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.models.saehd.settings import wiring_and_letters

# For each output of a convolution, its activation and, in a residual, the sum are kept as well.
# df-ud 128 has 4.0 million outputs a face, and each further pair of faces took 75 to 81 MB.
KEPT_PER_OUTPUT = 2.6
# A weight, its gradient, and the optimizer's moments: two of AdaBelief, one of RMSprop.
FLOATS_PER_WEIGHT = {True: 4, False: 3}
# The process, CUDA's context, cuDNN's room, what TensorFlow's allocator cannot use of its blocks.
ROOM_BYTES = 3 << 29
FLOAT_BYTES = 4

Convolution = tuple[int, int, int, int]  # kernel side, channels in, channels out, side of outputs


def training_gib(options: Mapping[str, Any]) -> float:
    """GiB of a device's memory that training with these options of SAEHD takes, in float32 and
    without GAN, true face and styles."""
    weights = weight_count(options) * FLOATS_PER_WEIGHT[options["adabelief"]] * FLOAT_BYTES
    faces = 2 * options["batch_size"]
    kept = outputs_per_face(options) * KEPT_PER_OUTPUT * FLOAT_BYTES * faces
    return float(weights + kept + ROOM_BYTES) / 2**30


def weight_count(options: Mapping[str, Any]) -> int:
    """How many weights the nets of such a model have."""
    df = wiring_and_letters(options["archi"])[0] == "df"
    inter = _dense_weights(options) + _weights(_inter(options))
    decoder = _weights(_decoder(options))
    return _weights(_encoder(options)) + (inter + 2 * decoder if df else 2 * inter + decoder)


def outputs_per_face(options: Mapping[str, Any]) -> int:
    """How many numbers the convolutions make of one face on its way through the nets."""
    nets = (*_encoder(options), *_inter(options), *_decoder(options))
    return sum(channels * side**2 for _, _, channels, side in nets)


def _weights(convolutions: Iterator[Convolution]) -> int:
    return sum(kernel**2 * into * out + out for kernel, into, out, _ in convolutions)


def _deep(options: Mapping[str, Any]) -> bool:
    return "t" in wiring_and_letters(options["archi"])[1]


def _doubled(options: Mapping[str, Any]) -> bool:
    return "d" in wiring_and_letters(options["archi"])[1]


def _encoder(options: Mapping[str, Any]) -> Iterator[Convolution]:
    side, into = options["resolution"], 3
    factors = (1, 2, 4, 8, 8) if _deep(options) else (1, 2, 4, 8)
    for number, factor in enumerate(factors, start=1):
        width = options["e_dims"] * factor
        side //= 2
        yield 5, into, width, side
        if _deep(options) and number in (1, 5):
            yield from [(3, width, width, side)] * 2
        into = width


def _code_side(options: Mapping[str, Any]) -> int:
    return int(options["resolution"]) // (32 if _doubled(options) else 16)


def _inter_channels(options: Mapping[str, Any]) -> int:
    df = wiring_and_letters(options["archi"])[0] == "df"
    return int(options["ae_dims"]) * (1 if df else 2)


def _dense_weights(options: Mapping[str, Any]) -> int:
    flat = (options["resolution"] // (32 if _deep(options) else 16)) ** 2 * 8 * options["e_dims"]
    units, waist = _code_side(options) ** 2 * _inter_channels(options), options["ae_dims"]
    return int((flat + 1) * waist + (waist + 1) * units)


def _inter(options: Mapping[str, Any]) -> Iterator[Convolution]:
    channels = _inter_channels(options)
    if not _deep(options):
        yield 3, channels, 4 * channels, _code_side(options)


def _decoder(options: Mapping[str, Any]) -> Iterator[Convolution]:
    side_in = _code_side(options) * (1 if _deep(options) else 2)
    factors = (8, 8, 4, 2) if _deep(options) else (8, 4, 2)
    into = _inter_channels(options) * (1 if options["archi"].startswith("df") else 2)
    yield from _branch(into, [options["d_dims"] * f for f in factors], side_in, residuals=True)
    side = side_in * 2 ** len(factors)
    for kernel in (1, 3, 3, 3) if _doubled(options) else (1,):
        yield kernel, options["d_dims"] * 2, 3, side
    doubling = (1,) if _doubled(options) else ()
    widths = [options["d_mask_dims"] * factor for factor in (*factors, *doubling)]
    yield from _branch(into, widths, side_in, residuals=False)
    yield 1, widths[-1], 1, options["resolution"]


def _branch(into: int, widths: list[int], side: int, *, residuals: bool) -> Iterator[Convolution]:
    """Each stage makes four times the channels, which become a map of twice the side."""
    for width in widths:
        yield 3, into, 4 * width, side
        side *= 2
        if residuals:
            yield from [(3, width, width, side)] * 2
        into = width
