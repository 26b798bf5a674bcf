"""SAEHD models that train in milliseconds, and made batches for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.models.saehd.model import Saehd
from engine.models.saehd.spec import SAEHD
from engine.protocol.options import complete_values
from engine.train.batches import Batch, SideBatch
from engine.train.generations import Generation, Manifest

# Smaller than the options allow: the nets do not mind.
TINY = {"resolution": 32, "ae_dims": 8, "e_dims": 4, "d_dims": 4, "d_mask_dims": 2}
SMALL_GAN = {"gan_patch_size": 4, "gan_dims": 4}


def options(archi: str = "df-ud", **changes: Any) -> dict[str, Any]:
    defaults = complete_values(SAEHD.options, {"archi": archi, "batch_size": 2})
    return {**defaults, **TINY, **SMALL_GAN, **changes}


def tiny_saehd(
    archi: str = "df-ud", *, dtype: str = "float32", saved: Generation | None = None, **changes: Any
) -> Saehd:
    return Saehd(options(archi, **changes), seed=7, dtype=dtype, saved=saved)


def saved_by(model: Saehd) -> Generation:
    """What a save of the model is read as."""
    manifest = Manifest(
        model_class="saehd",
        iteration=model.iteration,
        seed=model.seed,
        drawn=0,
        options=dict(model.options),
    )
    return Generation(path=None, manifest=manifest, state=model.state())


class MadeBatches:
    """Stands where a stream of batches stands: batch after batch of soft blobs. eyes_mouth: whether
    they are sampled; a step that was traced without is traced again for batches with them."""

    def __init__(self, count: int = 2, side_px: int = 32, *, eyes_mouth: bool = False) -> None:
        self.count = count
        self.side_px = side_px
        self.eyes_mouth = eyes_mouth
        self.number = 0

    def next(self) -> Batch:
        self.number += 1
        return self.make(self.number)

    def make(self, number: int) -> Batch:
        return Batch(number, self._side([number, 0]), self._side([number, 1]))

    def _side(self, seed: list[int]) -> SideBatch:
        rng = np.random.default_rng(seed)
        shape = (self.count, self.side_px, self.side_px)
        y, x = np.mgrid[0 : self.side_px, 0 : self.side_px] / self.side_px - 0.5
        mask = np.broadcast_to((x**2 + y**2 < 0.16)[None, ..., None], (*shape, 1))
        coarse = rng.random((self.count, 4, 4, 3))
        target = coarse.repeat(self.side_px // 4, 1).repeat(self.side_px // 4, 2)
        noisy = np.clip(target + rng.normal(0, 0.05, target.shape), 0, 1)
        eyes_mouth = mask * (np.abs(y) < 0.1)[None, ..., None] if self.eyes_mouth else None
        parts = (noisy, target, mask, eyes_mouth)
        return SideBatch(
            *(None if part is None else np.ascontiguousarray(part, np.float32) for part in parts)
        )
