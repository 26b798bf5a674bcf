"""AMP models of the reference's tiny size and recipe weights."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.models.amp.model import Amp
from engine.models.amp.spec import AMP
from engine.nets.initialisation import load_weights
from engine.nets.layers import Tensor
from engine.protocol.options import complete_values
from tests.nets.golden import recipe_tensor
from tests.support.shared import shared_path

# Smaller than the options allow: the nets do not mind. The reference leaves the inter nets alone.
TINY = {
    "resolution": 64,
    "ae_dims": 8,
    "inter_dims": 16,
    "e_dims": 2,
    "d_dims": 2,
    "d_mask_dims": 2,
    "gan_patch_size": 8,
    "gan_dims": 4,
    "batch_size": 4,
    "train_inters": False,
}


def variants() -> Any:
    return json.loads(shared_path("golden", "nets", "amp", "amp.json").read_text())["variants"]


class FirstChannels(Amp):
    """As the reference was asked: src's channels are not drawn, but the first ones."""

    def channels_of_src(self, src_faces: Tensor) -> Tensor:
        factors = np.full(src_faces.shape[0], self.options["morph_factor"], np.float32)
        return self.autoencoder.first_channels(factors)


def recipe_amp(*, dtype: str = "float32", **changes: Any) -> FirstChannels:
    """A model whose weights, also those of its discriminator, are the recipe's."""
    options = {**complete_values(AMP.options, {}), **TINY, **changes}
    model = FirstChannels(options, seed=1, dtype=dtype)
    for learner in model.learners.values():
        for net_name, net in learner.nets.items():
            tensors = {
                name: recipe_tensor(f"{net_name}/{name}", tuple(variable.shape))
                for name, variable in net.named_weights()
            }
            load_weights(net, net_name, tensors)
    return model
