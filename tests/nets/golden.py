"""Reference weights and nets for comparisons with `golden/nets`."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from engine.nets.autoencoder import Architecture, Autoencoder
from engine.nets.initialisation import load_weights
from tests.support.shared import shared_path

RECIPE_SEED = 14300


def golden_arrays(*parts: str) -> Any:
    return np.load(shared_path("golden", "nets", *parts), allow_pickle=False)


def recipe_tensor(key: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The tensor that the reference's recipe gives for `encoder/down1/downs_0/conv1/weight:0`."""
    seed = (zlib.crc32(key.encode()) + RECIPE_SEED) % 2**32
    x = np.random.RandomState(seed).standard_normal(shape)
    if key.endswith("/eps:0"):
        return np.float32(1e-6 * (1 + np.abs(x)))
    if not key.endswith("weight:0"):
        return np.float32(0.05 * x)
    if len(shape) == 1:
        return np.float32(1 + 0.1 * x)
    return np.float32(x * np.sqrt({4: 2.0, 2: 1.0}[len(shape)] / np.prod(shape[:-1])))


def recipe_autoencoder(arch: Architecture, dtype: str = "float32") -> Autoencoder:
    model = Autoencoder(arch, dtype=dtype)
    for net_name, net in model.nets.items():
        load_weights(
            net,
            net_name,
            {
                name: recipe_tensor(f"{net_name}/{name}", tuple(variable.shape))
                for name, variable in net.named_weights()
            },
        )
    return model


def architecture(name: str, **dims: int) -> Architecture:
    wiring, _, letters = name.partition("-")
    return Architecture(wiring, frozenset(letters), **dims)
