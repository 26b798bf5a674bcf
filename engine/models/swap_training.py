"""How models for results are trained, by the options that SAEHD and AMP share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.faces.face_type import FaceType
from engine.models.net_model import Adversary
from engine.nets.discriminators import PatchDiscriminator
from engine.nets.optimizers import Schedule
from engine.nets.patch_plan import patch_strides
from engine.train.crops import CropKind
from engine.train.samples import Sampling

RATE = 5e-5
KEPT_BY_DROPOUT = 0.3
COSINE_PERIOD = 500
SCALE = 0.15
TALLEST_PREVIEW_PX = 800
GAN, GAN_OPTIMIZER = "GAN", "GAN_opt"


def face_type_of(options: Mapping[str, Any]) -> FaceType:
    """How much of the head the faces show."""
    return FaceType.from_short(options["face_type"])


def schedule(options: Mapping[str, Any]) -> Schedule:
    """How fast weights move."""
    dropout = options["lr_dropout"] != "n"
    return Schedule(
        RATE,
        keep=KEPT_BY_DROPOUT if dropout else 1.0,
        cosine_period=COSINE_PERIOD if dropout else 0,
        clip_norm=1.0 if options["clipgrad"] else 0.0,
        masks_on_cpu=options["lr_dropout"] == "cpu",
    )


def sampling(options: Mapping[str, Any], count: int, *, eyes_mouth: bool) -> Sampling:
    """What `count` samples of each side are like."""
    mirror = {side for side in ("src", "dst") if options[f"random_{side}_flip"]}
    return Sampling(
        CropKind(face_type_of(options), options["resolution"], eyes_mouth),
        count,
        scale=SCALE,
        warp=options["random_warp"],
        mirror=frozenset(mirror),
        hsv_power=options.get("random_hsv_power", 0.0),
        ct_mode=options["ct_mode"],
        uniform_yaw=options["uniform_yaw"],
    )


def gan(options: Mapping[str, Any], dtype: str) -> Adversary:
    """The net that judges what is real."""
    patch_px, gan_dims = options["gan_patch_size"], options["gan_dims"]
    return Adversary(
        GAN,
        GAN_OPTIMIZER,
        plan=(patch_strides(patch_px), gan_dims),
        on=bool(options["gan_power"]),
        make=partial(PatchDiscriminator, patch_px, gan_dims, dtype=dtype),
    )
