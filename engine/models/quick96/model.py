"""Quick96: df-ud at 96 pixels, full face; all settings fixed. spec, training 9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.faces.face_type import FaceType
from engine.models.autoencoder_model import AutoencoderModel
from engine.models.net_model import MAIN_OPTIMIZER, Objective
from engine.models.passes import Sides
from engine.models.quick96.spec import QUICK96
from engine.nets.autoencoder import Architecture
from engine.nets.layers import Tensor
from engine.nets.losses import dssim, gaussian_blur, mean_square
from engine.nets.optimizers import RMSprop, Rule, Schedule
from engine.train.batches import Batch, BatchStream
from engine.train.crops import CropKind
from engine.train.samples import Sampling

RESOLUTION = 96
SCHEDULE = Schedule(rate=2e-4, keep=0.3)
UNWARPED_EVERY = 3


class Quick96(AutoencoderModel):
    """The model class named `quick96`."""

    spec = QUICK96

    @staticmethod
    def architecture(options: Mapping[str, Any]) -> Architecture:
        return Architecture(
            "df", frozenset("ud"), RESOLUTION, ae_dims=128, e_dims=64, d_dims=64, d_mask_dims=16
        )

    @staticmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        return FaceType.FULL

    def sampling(self) -> Sampling:
        mirror = {side for side in ("src", "dst") if self.options[f"random_{side}_flip"]}
        return Sampling(
            CropKind(FaceType.FULL, RESOLUTION),
            self.samples_per_step(),
            scale=0.05,
            mirror=frozenset(mirror),
        )

    def rule(self) -> Rule:
        return Rule(RMSprop, SCHEDULE)

    def next_batch(self, batches: BatchStream) -> Batch:
        """Every third step repeats the batch before, with targets as inputs."""
        previous = batches.previous() if self.iteration % UNWARPED_EVERY == 0 else None
        return previous.unwarped() if previous else batches.next()

    def objective(self, src: Sides, dst: Sides) -> Objective:
        drawn = self.draw(src["input"], dst["input"])
        src_loss = _side_loss(src, drawn.src_face, drawn.src_mask)
        dst_loss = _side_loss(dst, drawn.dst_face, drawn.dst_mask)
        lowered = {MAIN_OPTIMIZER: src_loss + dst_loss}
        return Objective((src_loss, dst_loss), lowered, drawn.health())


def _side_loss(side: Sides, face: Tensor, face_mask: Tensor) -> Tensor:
    weight = gaussian_blur(side["mask"], max(1, RESOLUTION // 32))
    wanted, found = side["target"] * weight, face * weight
    structure = dssim(wanted, found, int(RESOLUTION / 11.6))
    pixels = mean_square(wanted, found)
    return 10 * structure + 10 * pixels + 10 * mean_square(side["mask"], face_mask)
