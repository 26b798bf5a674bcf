"""SAEHD in training: df or liae of any size, with all losses. spec, training 2 to 6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.autoencoder_model import Drawn, PreviewColumns
from engine.models.net_model import MAIN_OPTIMIZER, Adversary, Objective
from engine.models.passes import Sides
from engine.models.pretraining import PretrainedModel
from engine.models.saehd import losses
from engine.models.saehd.losses import Targets
from engine.models.saehd.settings import in_force, wiring_and_letters
from engine.models.saehd.spec import SAEHD
from engine.models.swap_training import (
    GAN,
    GAN_OPTIMIZER,
    TALLEST_PREVIEW_PX,
    face_type_of,
    gan,
    sampling,
    schedule,
)
from engine.nets.autoencoder import Architecture
from engine.nets.discriminators import CodeDiscriminator
from engine.nets.layers import Tensor
from engine.nets.optimizers import AdaBelief, RMSprop, Rule
from engine.train.previews import page_of_columns
from engine.train.samples import Sampling

CODE_JUDGE, CODE_JUDGE_OPTIMIZER = "code_discriminator", "D_code_opt"
# Above this resolution a preview has pages instead of columns, and fewer rows.
ONE_PAGE_UP_TO_PX = 256


@dataclass(frozen=True)
class _Scene:
    """All that the losses of a step look at."""

    src: Targets
    dst: Targets
    drawn: Drawn


class Saehd(PretrainedModel):
    """The model class named `saehd`."""

    spec = SAEHD

    @staticmethod
    def architecture(options: Mapping[str, Any]) -> Architecture:
        wiring, letters = wiring_and_letters(options["archi"])
        dims = {name: options[name] for name in ("ae_dims", "e_dims", "d_dims", "d_mask_dims")}
        return Architecture(wiring, letters, options["resolution"], **dims)

    @staticmethod
    def face_type(options: Mapping[str, Any]) -> FaceType:
        return face_type_of(options)

    def sampling(self) -> Sampling:
        options = in_force(self.options)
        eyes_mouth = bool(options["eyes_mouth_prio"])
        return sampling(options, self.samples_per_step(), eyes_mouth=eyes_mouth)

    def rule(self) -> Rule:
        options = in_force(self.options)
        return Rule(AdaBelief if options["adabelief"] else RMSprop, schedule(options))

    def frozen(self) -> frozenset[str]:
        """In liae, what both faces share learns from bent faces only, as in DeepFaceLab."""
        rests = self.autoencoder.arch.wiring == "liae" and not in_force(self.options)["random_warp"]
        return frozenset({"inter_AB"} if rests else ())

    def weights_on_cpu(self) -> bool:
        return not self.options["models_opt_on_gpu"]

    def adversaries(self, options: Mapping[str, Any]) -> tuple[Adversary, ...]:
        chosen = in_force(options)
        arch = self.architecture(options)
        of_faces = gan(chosen, self.dtype)
        if arch.wiring != "df":
            return (of_faces,)
        side = arch.decoder_side_in
        code_judge = Adversary(
            CODE_JUDGE,
            CODE_JUDGE_OPTIMIZER,
            plan=(arch.inter_channels, side),
            on=bool(chosen["true_face_power"]),
            make=partial(CodeDiscriminator, arch.inter_channels, side, dtype=self.dtype),
        )
        return code_judge, of_faces

    def objective(self, src: Sides, dst: Sides) -> Objective:
        options = in_force(self.options)
        drawn = self.draw(src["input"], dst["input"])
        scene = _Scene(Targets.of(src, options), Targets.of(dst, options), drawn)
        src_loss = losses.drawing_loss(scene.src, drawn.src_face, drawn.src_mask, options)
        src_loss += self._style_losses(scene, options)
        dst_loss = losses.drawing_loss(scene.dst, drawn.dst_face, drawn.dst_mask, options)
        lowered = {MAIN_OPTIMIZER: src_loss + dst_loss}
        if CODE_JUDGE_OPTIMIZER in self.learners:
            self._add_true_face(lowered, drawn, options)
        if GAN_OPTIMIZER in self.learners:
            self._add_gan(lowered, scene, options)
        return Objective((src_loss, dst_loss), lowered, drawn.health())

    def _style_losses(self, scene: _Scene, options: Mapping[str, Any]) -> Tensor | float:
        """The swap is drawn only if a style is on."""
        if not (options["face_style_power"] or options["bg_style_power"]):
            return 0.0
        loss = 0.0
        decoder, code = self.autoencoder.decoder_src, scene.drawn.codes.swap
        swap_mask = decoder.mask(code)
        dst_face, dst_mask = scene.drawn.dst_face, scene.drawn.dst_mask
        if options["face_style_power"]:
            swap = decoder.image(ops.stop_gradient(code))
            loss += losses.face_style_loss(swap, swap_mask, dst_face, dst_mask, options)
        if options["bg_style_power"]:
            background = (
                1 - scene.src.weight
                if options["bg_style_dfl"]
                else losses.background_seen(swap_mask, dst_mask, options["resolution"])
            )
            swap = decoder.image(code)
            loss += losses.background_style_loss(swap, scene.dst.face, background, options)
        return loss

    def _add_true_face(
        self, lowered: dict[str, Tensor], drawn: Drawn, options: Mapping[str, Any]
    ) -> None:
        judge: Any = self.learners[CODE_JUDGE_OPTIMIZER].nets[CODE_JUDGE]
        src_logits, dst_logits = judge(drawn.codes.src), judge(drawn.codes.dst)
        lowered[MAIN_OPTIMIZER] += losses.true_face_loss(src_logits, options)
        lowered[CODE_JUDGE_OPTIMIZER] = losses.code_judge_loss(src_logits, dst_logits)

    def _add_gan(
        self, lowered: dict[str, Tensor], scene: _Scene, options: Mapping[str, Any]
    ) -> None:
        judge: Any = self.learners[GAN_OPTIMIZER].nets[GAN]
        face = scene.drawn.src_face
        of_drawn = judge(scene.src.counted(face, options))
        of_real = judge(scene.src.counted(scene.src.face, options))
        lowered[MAIN_OPTIMIZER] += losses.gan_loss(of_drawn, scene.src, face, options)
        lowered[GAN_OPTIMIZER] = losses.gan_judge_loss(of_real, of_drawn)

    def most_preview_rows(self) -> int:
        return max(1, TALLEST_PREVIEW_PX // int(self.options["resolution"]))

    def pages(self, columns: PreviewColumns, suffix: str) -> dict[str, NDArray[np.uint8]]:
        if self.options["resolution"] <= ONE_PAGE_UP_TO_PX:
            return super().pages(columns, suffix)
        c = columns
        pairs = {
            "src-src": (c.src, c.src_src),
            "dst-dst": (c.dst, c.dst_dst),
            "pred": (c.dst, c.swap),
        }
        return {
            f"{self.spec.title}{suffix} {name}": page_of_columns(pair)
            for name, pair in pairs.items()
        }

    def swap_mask(
        self, seen_by_dst: NDArray[np.float32], seen_by_src: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """A head's outline is src's alone."""
        if self.face_type(self.options) is FaceType.HEAD:
            return seen_by_src
        return super().swap_mask(seen_by_dst, seen_by_src)
