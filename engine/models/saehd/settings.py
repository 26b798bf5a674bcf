"""What SAEHD's options mean together: what is refused, and what pretraining overrides. Imports no
library."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from engine.models.pretraining_options import check_pretraining
from engine.nets.patch_plan import patch_strides
from engine.protocol.errors import UsageError

# What is in force while pretraining, whatever the options say (spec, training 2). True face rests
# completely: the original goes on to ask a discriminator that is not trained (trap T9).
_WHILE_PRETRAINING: Mapping[str, Any] = {
    "lr_dropout": "n",
    "random_warp": False,
    "gan_power": 0.0,
    "random_hsv_power": 0.0,
    "true_face_power": 0.0,
    "face_style_power": 0.0,
    "bg_style_power": 0.0,
    "uniform_yaw": True,
    "random_src_flip": True,
    "random_dst_flip": True,
    "ct_mode": "none",
}


def in_force(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a step goes by: as chosen, or as pretraining needs them."""
    return {**options, **(_WHILE_PRETRAINING if options["pretrain"] else {})}


def wiring_and_letters(archi: str) -> tuple[str, frozenset[str]]:
    """`liae-ud` as ("liae", {"u", "d"})."""
    wiring, _, letters = archi.partition("-")
    return wiring, frozenset(letters)


def check(options: Mapping[str, Any]) -> None:
    """Raises `UsageError` where values that are each allowed do not go together."""
    _check_resolution(options["resolution"], options["archi"])
    if options["true_face_power"] and options["archi"].startswith("liae"):
        raise UsageError(
            f"--true-face-power {options['true_face_power']:g}: {options['archi']} has none",
            "set it to 0, or make a model with a df architecture",
            code="option-value",
        )
    if options["gan_power"]:
        check_patch(options["resolution"], options["gan_patch_size"])
    check_pretraining(options)


def _check_resolution(resolution: int, archi: str) -> None:
    """Letters d and t halve the face once more (trap T8: the original lets t pass)."""
    deep = sorted(wiring_and_letters(archi)[1] & set("dt"))
    if deep and resolution % 32:
        lower = resolution // 32 * 32
        raise UsageError(
            f"--resolution {resolution}: with {archi} it must divide by 32",
            f"take {max(64, lower)} or {lower + 32}, or an architecture without"
            f" {' and '.join(deep)}",
            code="option-value",
        )


def check_patch(resolution: int, patch_px: int) -> None:
    """The GAN's levels must fit into each other (trap T26). Raises `UsageError` where they do
    not."""
    if resolution % prod(patch_strides(patch_px)) == 0:
        return
    fitting = [other for other in range(3, 641) if resolution % prod(patch_strides(other)) == 0]
    nearest = min(fitting, key=lambda other: abs(other - patch_px))
    raise UsageError(
        f"--gan-patch-size {patch_px}: it does not fit into a resolution of {resolution}",
        f"the nearest that does is {nearest}",
        code="option-value",
    )
