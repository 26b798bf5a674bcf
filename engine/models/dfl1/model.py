"""DeepFaceLab 1.0's models in training: one class, told apart by their recipes. spec, training
15."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from keras import ops

from engine.faces.face_type import FaceType
from engine.models.autoencoder_model import Drawn
from engine.models.dfl1 import spec as specs
from engine.models.dfl1.losses import edge_blurred, face_loss
from engine.models.dfl1.recipes import RECIPES, Recipe
from engine.models.dfl1.settings import in_force
from engine.models.net_model import MAIN_OPTIMIZER, Objective
from engine.models.passes import Sides
from engine.models.pretraining import PretrainedModel
from engine.models.saehd.losses import background_style_loss, face_style_loss
from engine.nets.dfl1_autoencoder import Dfl1Autoencoder, Layout
from engine.nets.layers import Tensor
from engine.nets.optimizers import Adam, Rule, Schedule
from engine.protocol.spec import ModelSpec
from engine.train.crops import CropKind
from engine.train.samples import Sampling

RATE = 5e-5
SCALE = 0.05  # not told of 1.0; that of Quick96
BACKGROUND_BLUR = 32  # the resolution divided by it, as in SAEHD


class Dfl1Model(PretrainedModel):
    """A model of the family; subclasses name their spec, by whose id they have their recipe."""

    spec: ClassVar[ModelSpec]
    autoencoder: Dfl1Autoencoder

    @classmethod
    def recipe(cls) -> Recipe:
        return RECIPES[cls.spec.id]

    @classmethod
    def architecture(cls, options: Mapping[str, Any]) -> Layout:
        return cls.recipe().layout(options)

    @classmethod
    def face_type(cls, options: Mapping[str, Any]) -> FaceType:
        return FaceType.from_short(cls.recipe().face_type or options["face_type"])

    @classmethod
    def warn_before_merging(
        cls, options: Mapping[str, Any], warn: Callable[[str, str], None]
    ) -> None:
        if not cls.architecture(options).mask:
            warn(
                "the model learned no masks: its learned ones are the whole square",
                "choose --mask-mode dst, or one by XSeg",
            )

    def sampling(self) -> Sampling:
        options = in_force(self.options)
        return Sampling(
            CropKind(self.face_type(options), self.autoencoder.arch.resolution),
            self.samples_per_step(),
            scale=SCALE,
            mirror=frozenset(("src", "dst") if options["random_flip"] else ()),
            ct_mode=options["ct_mode"],
            uniform_yaw=options["uniform_yaw"],
        )

    def rule(self) -> Rule:
        clips = in_force(self.options)["clipgrad"]
        return Rule(Adam, Schedule(RATE, clip_norm=1.0 if clips else 0.0))

    def weights_on_cpu(self) -> bool:
        return not in_force(self.options)["models_opt_on_gpu"]

    def objective(self, src: Sides, dst: Sides) -> Objective:
        options, nets = in_force(self.options), self.autoencoder
        codes = nets.codes(src["input"], dst["input"])
        src_faces, src_mask = nets.decoder_src.images(codes.src), nets.decoder_src.mask(codes.src)
        dst_faces, dst_mask = nets.decoder_dst.images(codes.dst), nets.decoder_dst.mask(codes.dst)
        drawn = Drawn(src_faces[-1], src_mask, dst_faces[-1], dst_mask, codes)
        src_loss = self._side_loss(src, src_faces, src_mask, options)
        src_loss += self._style_losses(drawn, dst, options)
        dst_loss = self._side_loss(dst, dst_faces, dst_mask, options)
        health = drawn.health() if nets.arch.mask else {}
        return Objective((src_loss, dst_loss), {MAIN_OPTIMIZER: src_loss + dst_loss}, health)

    def _side_loss(
        self, side: Sides, faces: Sequence[Tensor], mask: Tensor, options: Mapping[str, Any]
    ) -> Tensor:
        recipe, pixels = self.recipe(), options["pixel_loss"]
        blur = recipe.pixel_blur if pixels else recipe.structure_blur
        weight = edge_blurred(side["mask"], blur)
        loss = face_loss(side["target"], faces, weight, pixels=pixels)
        learns_mask = bool(self.autoencoder.arch.mask)
        return loss + recipe.mask_distance(side["mask"], mask) if learns_mask else loss

    def _style_losses(self, drawn: Drawn, dst: Sides, options: Mapping[str, Any]) -> Tensor | float:
        """The swap is drawn only if a style is on. Where the face is, dst's own mask says: a model
        need not learn any."""
        if not (options["face_style_power"] or options["bg_style_power"]):
            return 0.0
        loss = 0.0
        decoder, code, mask = self.autoencoder.decoder_src, drawn.codes.swap, dst["mask"]
        if options["face_style_power"]:
            swap = decoder.image(ops.stop_gradient(code))
            loss += face_style_loss(swap, mask, drawn.dst_face, mask, options)
        if options["bg_style_power"]:
            background = 1 - edge_blurred(mask, BACKGROUND_BLUR)
            loss += background_style_loss(decoder.image(code), dst["target"], background, options)
        return loss


class H64(Dfl1Model):
    spec = specs.H64


class H128(Dfl1Model):
    spec = specs.H128


class Df(Dfl1Model):
    spec = specs.DF


class Liaef128(Dfl1Model):
    spec = specs.LIAEF128


class Sae(Dfl1Model):
    spec = specs.SAE
