"""DeepFaceLab's model classes as data: which files a model has, and which options. spec, training
1.1 and 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.protocol.errors import InputError
from engine.protocol.spec import ModelSpec


@dataclass(frozen=True)
class DflNet:
    """A net that some models of a class have, with its optimizer.

    file, optimizer: what comes after `NAME_CLASS_` in the names of the two files, without `.npy`.
    our saves call them the same. root: what its weights are filed under in the optimizer's file.
    trains_with: the option that is 0 as long as the net, which then may be missing, is of no use;
    "" for nets that models cannot be without. rests: DeepFaceLab does not move it, and the
    optimizer's file knows nothing of it. better: what is written in its place where a save of ours
    has it.
    """

    file: str
    root: str
    optimizer: str = "src_dst_opt"
    trains_with: str = ""
    rests: bool = False
    better: str = ""


@dataclass(frozen=True)
class DflClass:
    """What the files of a class are called, and what is in its options.

    name: as in file names. options: DeepFaceLab's keys with its defaults, in the order of its
    summaries. is_named: a folder may hold several models of the class, each with a name.
    """

    name: str
    nets: tuple[DflNet, ...]
    options: Mapping[str, Any]
    is_named: bool = True

    def prefix(self, model_name: str) -> str:
        """What the names of all files of a model begin with."""
        return f"{model_name}_{self.name}_" if self.is_named else f"{self.name}_"

    def tensors_name(self, model_name: str, file: str) -> str:
        """The name of a net's or optimizer's file. In a class without names of models, `file` has
        the class's name."""
        return f"{self.prefix(model_name) if self.is_named else ''}{file}.npy"


def _nets(*files: str) -> tuple[DflNet, ...]:
    return tuple(DflNet(file, file) for file in files)


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
    nets=_nets("encoder", "inter", "decoder_src", "decoder_dst"),
    options={"batch_size": 4, **_LOOP_OPTIONS, "random_dst_flip": False},
)

SAEHD = DflClass(
    "SAEHD",
    nets=(
        *_nets("encoder", "inter", "inter_AB", "inter_B", "decoder", "decoder_src", "decoder_dst"),
        DflNet("code_discriminator", "dis", "D_code_opt", "true_face_power"),
        DflNet("GAN", "D_src", "GAN_opt", "gan_power"),
    ),
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

AMP = DflClass(
    "AMP",
    nets=(
        *_nets("encoder"),
        DflNet("inter_src", "inter_src", rests=True),
        DflNet("inter_dst", "inter_dst", rests=True),
        *_nets("decoder"),
        DflNet("GAN", "GAN", "GAN_opt", "gan_power"),
    ),
    options={
        "resolution": 224,
        "face_type": "wf",
        "models_opt_on_gpu": True,
        "ae_dims": 256,
        "inter_dims": 1024,
        "e_dims": 64,
        "d_dims": 64,
        "d_mask_dims": 22,
        "morph_factor": 0.5,
        "uniform_yaw": False,
        "blur_out_mask": False,
        "lr_dropout": "n",
        "random_warp": True,
        "ct_mode": "none",
        "clipgrad": False,
        "gan_power": 0.0,
        "gan_patch_size": 28,
        "gan_dims": 16,
        "batch_size": 8,
        **_LOOP_OPTIONS,
    },
)

XSEG = DflClass(
    "XSeg",
    nets=(DflNet("XSeg_256", "XSeg", "XSeg_256_opt", better="XSeg_256_mean"),),
    options={"face_type": "wf", "batch_size": 4, "pretrain": False},
    is_named=False,
)

DFL_CLASSES: tuple[DflClass, ...] = (SAEHD, AMP, QUICK96, XSEG)


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
