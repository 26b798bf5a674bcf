"""SAEHD models of the reference's tiny sizes and recipe weights, and its batches."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np

from engine.models.saehd.model import Saehd
from engine.models.saehd.spec import SAEHD
from engine.nets.initialisation import load_weights
from engine.protocol.options import complete_values
from engine.train.batches import Batch, SideBatch
from tests.nets.golden import golden_arrays, recipe_tensor
from tests.support.shared import shared_path

# Smaller than the options allow: the nets do not mind.
TINY = {
    "resolution": 64,
    "ae_dims": 6,
    "e_dims": 4,
    "d_dims": 2,
    "d_mask_dims": 2,
    "gan_dims": 4,
    "batch_size": 4,
    "adabelief": False,
    "bg_style_dfl": True,  # the reference takes the mask of src
}


def golden_json(*parts: str) -> Any:
    return json.loads(shared_path("golden", "nets", "saehd", *parts).read_text())


def options(archi: str = "df-ud", **changes: Any) -> dict[str, Any]:
    given = {"archi": archi, "resolution": changes.get("resolution", 64)}
    return {**complete_values(SAEHD.options, given), **TINY, **changes}


def recipe_saehd(archi: str = "df-ud", *, dtype: str = "float32", **changes: Any) -> Saehd:
    """A model whose weights, also those of its discriminators, are the recipe's."""
    model = Saehd(options(archi, **changes), seed=1, dtype=dtype)
    for learner in model.learners.values():
        for net_name, net in learner.nets.items():
            tensors = {
                name: recipe_tensor(f"{net_name}/{name}", tuple(variable.shape))
                for name, variable in net.named_weights()
            }
            load_weights(net, net_name, tensors)
    return model


@cache
def golden_batch(count: int = 4, enlarged: int = 1) -> Batch:
    """The reference's batch; `enlarged` repeats each pixel so many times both ways."""
    arrays = golden_arrays("batch64.npz")

    def side(name: str) -> SideBatch:
        parts = (
            arrays[f"{name}_{part}"][:count] for part in ("warped", "target", "mask", "mask_em")
        )
        return SideBatch(*(np.repeat(np.repeat(x, enlarged, 1), enlarged, 2) for x in parts))

    return Batch(0, side("src"), side("dst"))


class SameBatch:
    """Stands where a stream of batches stands: always the same one."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def next(self) -> Batch:
        return self.batch
