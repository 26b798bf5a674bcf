"""DeepFaceLab's model classes as data: which files a model has, and which options. spec, training
1.1 and 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.spec import ModelSpec


@dataclass(frozen=True)
class DflClass:
    """What the files of a class are called, and what is in its options.

    name: as in file names. nets, optimizers: what comes after `NAME_CLASS_` in the names of files,
    without `.npy`; a model has those that its options ask for, under these names in our saves, too.
    options: DeepFaceLab's keys with its defaults, in the order of its summaries.
    """

    name: str
    nets: tuple[str, ...]
    optimizers: tuple[str, ...]
    options: Mapping[str, Any]

    @property
    def files(self) -> tuple[str, ...]:
        return self.nets + self.optimizers

    def prefix(self, model_name: str) -> str:
        """What the names of all files of a model begin with."""
        return f"{model_name}_{self.name}_"


# What the loop is told, for every class; in DeepFaceLab it is kept with the model.
_LOOP_OPTIONS: Mapping[str, Any] = {
    "autobackup_hour": 0,
    "write_preview_history": False,
    "target_iter": 0,
    "random_src_flip": False,
    "random_dst_flip": True,
}

QUICK96 = DflClass(
    "Quick96",
    nets=("encoder", "inter", "decoder_src", "decoder_dst"),
    optimizers=("src_dst_opt",),
    options={"batch_size": 4, **_LOOP_OPTIONS, "random_dst_flip": False},
)

SAEHD = DflClass(
    "SAEHD",
    nets=(
        *("encoder", "inter", "inter_AB", "inter_B", "decoder", "decoder_src", "decoder_dst"),
        *("code_discriminator", "GAN"),
    ),
    optimizers=("src_dst_opt", "D_code_opt", "GAN_opt"),
    options={
        "resolution": 128,
        "face_type": "f",
        "models_opt_on_gpu": True,
        "archi": "liae-ud",
        "ae_dims": 256,
        "e_dims": 64,
        "d_dims": 64,
        "d_mask_dims": 22,
        "masked_training": True,
        "eyes_mouth_prio": False,
        "uniform_yaw": False,
        "blur_out_mask": False,
        "adabelief": True,
        "lr_dropout": "n",
        "random_warp": True,
        "random_hsv_power": 0.0,
        "true_face_power": 0.0,
        "face_style_power": 0.0,
        "bg_style_power": 0.0,
        "ct_mode": "none",
        "clipgrad": False,
        "pretrain": False,
        "gan_power": 0.0,
        "gan_patch_size": 16,
        "gan_dims": 16,
        "batch_size": 4,
        **_LOOP_OPTIONS,
    },
)

DFL_CLASSES: tuple[DflClass, ...] = (SAEHD, QUICK96)


def dfl_class_of(spec: ModelSpec) -> DflClass:
    """The class that a model class of ours stands for. Raises `InputError` if there is none."""
    for dfl_class in DFL_CLASSES:
        if dfl_class.name == spec.dfl_class:
            return dfl_class
    raise InputError(
        f"DeepFaceLab has no model class like {spec.id}",
        "choose one of these: " + ", ".join(dfl_class.name for dfl_class in DFL_CLASSES),
        code="no-dfl-class",
    )
