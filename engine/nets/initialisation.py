"""First values of a net's weights, and moving values between nets and plain arrays."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.nets.layers import Block
from engine.protocol.errors import InputError

F32 = NDArray[np.float32]
# Where vectors start, by the last part of their name; those called weight scale channels.
_VECTORS_START_AT = {"bias:0": 0.0, "weight:0": 1.0, "eps:0": 1e-6, "tau:0": 0.0}


def initialise(net: Block, net_name: str, seed: int, *, draw: int = 0) -> None:
    """Glorot-uniform or convolution-aware kernels; what has no two sides starts at a constant
    (spec, training 5, 11.2).

    Each tensor's numbers depend on its name, `seed` and `draw` alone: a net that gains a part keeps
    the others' start. draw: gives a net that starts anew other numbers than it had before."""
    for name, variable in net.named_weights():
        if len(variable.shape) == 1:
            start_at = _VECTORS_START_AT[name.rpartition("/")[2]]
            variable.assign(np.full(variable.shape, start_at, np.float32))
            continue
        source = np.random.default_rng([seed, zlib.crc32(f"{net_name}/{name}".encode()), draw])
        is_aware = net.kernels_start_aware and len(variable.shape) == 4
        variable.assign((convolution_aware if is_aware else _glorot)(source, variable.shape))


def _glorot(source: np.random.Generator, shape: tuple[int, ...]) -> F32:
    *window, fan_in, fan_out = shape
    limit = np.sqrt(6.0 / (np.prod(window) * (fan_in + fan_out)))
    start = source.random(shape, np.float32)
    return (2 * start - 1) * np.float32(limit)


def convolution_aware(source: np.random.Generator, shape: tuple[int, ...]) -> F32:
    """Kernels (k, k, in, out), k at least 3, that see different things: the spectra of one filter's
    kernels are orthogonal as far as there are frequencies. Variance 2 / fan in. Aghajanyan 2017,
    arXiv 1702.06295, as DeepFaceLab 1.0 has it (spec, training 5)."""
    side, _, channels_in, channels_out = shape
    spectrum = side, side // 2 + 1
    size = side * (side // 2 + 1)
    bases = -(-channels_in // size)
    kernels = np.empty(shape, np.float32)
    for filter_number in range(channels_out):
        symmetric = source.standard_normal((bases, size, size), np.float32)
        symmetric += symmetric.transpose(0, 2, 1)
        vectors = np.linalg.svd(symmetric)[0].reshape(-1, *spectrum)[:channels_in]
        one_filter = np.fft.irfft2(vectors, (side, side))
        one_filter += source.normal(0, 0.05, one_filter.shape)
        kernels[..., filter_number] = one_filter.transpose(1, 2, 0)
    wanted = 2 / (side * side * channels_in)
    return kernels * np.float32(np.sqrt(wanted / kernels.var()))


def weights_of(net: Block) -> dict[str, NDArray[np.float32]]:
    """The net's tensors by name, float32, copied to the host."""
    return {name: variable.numpy() for name, variable in net.named_weights()}


def load_weights(net: Block, net_name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give the net all its tensors. Raises `InputError` naming the first that is missing or has
    another shape; the net is unchanged then. Extra tensors are ignored."""
    wanted = list(net.named_weights())
    for name, variable in wanted:
        if name not in arrays:
            raise InputError(f"{net_name}: the weights have no tensor {name}", _REMEDY)
        if arrays[name].shape != tuple(variable.shape):
            found, needed = arrays[name].shape, tuple(variable.shape)
            raise InputError(f"{net_name}: {name} has shape {found}, not {needed}", _REMEDY)
    for name, variable in wanted:
        variable.assign(np.asarray(arrays[name], np.float32))


_REMEDY = "these weights belong to a model with other settings"
