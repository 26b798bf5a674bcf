"""AMP: the model whose likeness is chosen when merging. Options are those that DeepFaceLab's users
know (spec, training 10.1), SAEHD's rows where they mean the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.models.amp.settings import check
from engine.models.saehd.spec import SAEHD
from engine.protocol.options import Choice, Flag, Integer, Life, Number, Option
from engine.protocol.spec import ModelSpec

_ROWS = {option.name: option for option in SAEHD.options}


def _as_saehd(name: str, **changes: Any) -> Option:
    """SAEHD's row of that name, with what differs here."""
    return replace(_ROWS[name], **changes)


_SHAPE = (
    _as_saehd(
        "resolution",
        kind=Integer(64, 640, 32),
        default=224,
        help="Side of the faces that the model draws. More shows more detail, and costs memory and"
        " time with its square.",
    ),
    _as_saehd(
        "face_type",
        kind=Choice(
            (
                ("f", "full: the whole face without the forehead"),
                ("wf", "whole face: with the forehead, for a mask that you draw"),
                ("head", "the head with its hair; needs masks by XSeg on both sides"),
            )
        ),
        default="wf",
    ),
    _as_saehd("ae_dims"),
    Option(
        "inter_dims",
        "Inter dimensions",
        Integer(32, 2048),
        1024,
        "How many channels the codes of faces have, which the morph factor shares out between src"
        " and dst: more makes finer steps and more likeness, and needs more memory. Should be no"
        " less than the autoencoder dimensions.",
        life=Life.CREATION,
    ),
    _as_saehd("e_dims"),
    _as_saehd("d_dims"),
    _as_saehd("d_mask_dims"),
    Option(
        "morph_factor",
        "Morph factor",
        Number(0.1, 0.5, 0.05),
        0.5,
        "Which share of a src face's channels, others in every step, comes from its own inter net"
        " while training; the rest comes from dst's. Less brings more of src's expressions into"
        " results, more leaves less room for a large dst faceset; 0.33 is usual. How much of src a"
        " merged face has is chosen when merging.",
        life=Life.CREATION,
    ),
)

_SAMPLES = (
    *(_as_saehd(name) for name in ("batch_size", "random_src_flip", "random_dst_flip")),
    _as_saehd(
        "random_warp",
        help="Bend what the model sees, so that it learns faces rather than pictures. Leave it on"
        " until the preview looks like the person, then switch it off for sharpness.",
    ),
    *(_as_saehd(name) for name in ("ct_mode", "uniform_yaw")),
    Option(
        "src_src",
        "Src on both sides",
        Flag(),
        False,
        "Learn src faces on both sides, as DeepFaceLab's AMP SRC-SRC does: for a while, so that the"
        " model knows src's face before dst is learned. Dst faces are not read meanwhile.",
        life=Life.RUNNING,
        advanced=True,
    ),
)

_LOSSES = (
    *(_as_saehd(name) for name in ("blur_out_mask", "gan_power", "gan_patch_size", "gan_dims")),
    Option(
        "train_inters",
        "Train the inter nets",
        Flag(),
        False,
        "Whether both inter nets learn, too. Off, as in DeepFaceLab since July 2021, they stay at"
        " the random numbers that they began with, and encoder and decoder learn to live with that."
        " On, the model has more to learn with, as DeepFaceLab's had before.",
        life=Life.RUNNING,
        advanced=True,
    ),
)

_STEPS = tuple(
    _as_saehd(name)
    for name in ("lr_dropout", "clipgrad", "models_opt_on_gpu", "accumulate", "recompute")
)

AMP = ModelSpec(
    id="amp",
    title="AMP",
    summary="A model with a morph factor: when merging, each face may be anything between dst and"
    " src",
    code="engine.models.amp.model:Amp",
    options=(*_SHAPE, *_SAMPLES, *_LOSSES, *_STEPS),
    loss_names=("src", "dst"),
    dfl_class="AMP",
    check=check,
    has_morph_factor=True,
)
