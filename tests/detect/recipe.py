"""Weights that a rule makes out of their names: the reference's nets were run with the same."""

from __future__ import annotations

import json
import zlib
from functools import cache

import numpy as np

from tests.support.shared import shared_path

SEED = 14300


@cache
def recipe_weights(root: str) -> dict[str, np.ndarray]:
    """All tensors of the net `root` (S3FD, FAN) under the names of its weight file."""
    text = shared_path("golden", "nets", "face", "face.json").read_text()
    listed = json.loads(text)[root]["tensors"]
    return {
        name.removeprefix(f"{root}/"): _tensor(name, tuple(facts["shape"]))
        for name, facts in listed.items()
    }


def _tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
    seed = (zlib.crc32(name.encode()) + SEED) % 2**32
    x = np.random.RandomState(seed).standard_normal(shape)
    last = name.rpartition("/")[2].removesuffix(":0")
    if last == "weight":
        around_one = len(shape) == 1 or shape[:3] == (1, 1, 1)
        return np.float32(1 + 0.1 * x if around_one else x * np.sqrt(2 / np.prod(shape[:-1])))
    return np.float32(1 + 0.1 * np.abs(x) if last == "running_var" else 0.05 * x)
