"""The models of DeepFaceLab 1.0: H64, H128, DF, LIAEF128 and SAE, with the options that its users
know (spec, training 15). What it left open is chosen in `.docs/dfl1.md`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.models.memory_options import ACCUMULATE, RECOMPUTE
from engine.models.pretraining_options import check_pretraining
from engine.models.saehd.spec import SAEHD
from engine.protocol.options import Choice, Flag, Integer, Life, Option
from engine.protocol.spec import ModelSpec

_LATER = {option.name: option for option in SAEHD.options}

_BATCHES = (
    replace(_LATER["batch_size"], default=4),
    Option(
        "random_flip",
        "Flip faces randomly",
        Flag(),
        True,
        "Mirror faces of both sides at random. Without it the result looks more like a person whose"
        " two sides differ, but the src faceset must show every angle that dst has.",
        life=Life.RUNNING,
    ),
    _LATER["uniform_yaw"],
)

_MEMORY = (ACCUMULATE, RECOMPUTE)

_LIGHTER_AE = Option(
    "lighter_ae",
    "Lightweight autoencoder",
    Flag(),
    False,
    "Smaller nets: faster, for devices with little memory, and with less detail.",
    life=Life.CREATION,
)

_PIXEL_LOSS = Option(
    "pixel_loss",
    "Pixel loss",
    Flag(),
    False,
    "Compare pixels instead of structure: mends fine detail and jitter sooner. Switch it on only"
    " after 20 000 iterations or so; too early it may spoil the model.",
    life=Life.RUNNING,
)

_LIGHT_OR_NOT = (*_BATCHES, _LIGHTER_AE, _PIXEL_LOSS, *_MEMORY)
_PLAIN = (*_BATCHES, _PIXEL_LOSS, *_MEMORY)


def _encoder_half(values: Mapping[str, Any]) -> int:
    return int(values["e_ch_dims"]) // 2


_SAE_SHAPE = (
    replace(
        _LATER["resolution"],
        kind=Integer(64, 256, 16),
        help="Side of the faces that the model draws. More shows more detail, and costs memory and"
        " time with its square.",
    ),
    replace(
        _LATER["face_type"],
        kind=Choice(
            (
                ("h", "half: mouth to brows; the most detail, but narrow cheeks stay dst's"),
                ("f", "full: the whole face without the forehead"),
            )
        ),
    ),
    Option(
        "learn_mask",
        "Learn mask",
        Flag(),
        True,
        "Also learn where the face is. Without, training is faster, and frames are merged with a"
        " mask by landmarks (dst) or by XSeg.",
        life=Life.CREATION,
    ),
    Option(
        "archi",
        "Architecture",
        Choice(
            (
                ("df", "keeps more of the src face"),
                ("liae", "copes better with faces of different shape, takes over dst's light"),
            )
        ),
        "df",
        "How both faces share the nets.",
        life=Life.CREATION,
    ),
    replace(
        _LATER["ae_dims"],
        kind=Integer(32, 1024),
        default=512,
        derive=lambda values: 512 if values["archi"] == "df" else 256,
    ),
    Option(
        "e_ch_dims",
        "Encoder dimensions per channel",
        Integer(21, 85),
        42,
        "How much the encoder sees of a face's features, for each of the three colours. More"
        " sharpens the result and costs memory and time.",
        life=Life.CREATION,
    ),
    Option(
        "d_ch_dims",
        "Decoder dimensions per channel",
        Integer(10, 85),
        21,
        "How much detail the decoders can draw, for each of the three colours.",
        life=Life.CREATION,
        derive=_encoder_half,
    ),
    Option(
        "ca_weights",
        "CA weights",
        Flag(),
        False,
        "Start with convolution-aware weights: a better start, which takes some ten seconds to"
        " make.",
        life=Life.CREATION,
    ),
    Option(
        "multiscale_decoder",
        "Multiscale decoder",
        Flag(),
        False,
        "Decoders learn to draw the face at a half and a quarter of its side as well: the shape"
        " comes sooner.",
        life=Life.CREATION,
    ),
)

_SAE_LOSSES = (
    _PIXEL_LOSS,
    replace(
        _LATER["face_style_power"],
        help="Learn the colour and light of dst inside the mask. Begin with 10 and lower it to 0.1"
        " to 2 after 15 000 to 25 000 iterations; the model may collapse, so keep backups.",
    ),
    replace(
        _LATER["bg_style_power"],
        help="Learn the surroundings of dst outside the mask, which blends the border. Begin with"
        " 10 and lower it to 0.1 to 2 after 15 000 to 25 000 iterations.",
    ),
    _LATER["ct_mode"],
)

_SAE_STEPS = (
    _LATER["clipgrad"],
    _LATER["models_opt_on_gpu"],
)

_SAE_PRETRAINING = (
    replace(
        _LATER["pretrain"],
        help="Learn faces in general from a folder of many people before the two of this model;"
        " later training is faster and better. Meanwhile faces are flipped and drawn evenly over"
        " yaw, and styles and colour transfer rest. Switched off again, the iteration starts at 0"
        " and the inter nets start anew.",
    ),
    _LATER["pretrain_faces"],
)


def _model(id: str, title: str, code: str, summary: str, options: tuple[Option, ...]) -> ModelSpec:
    return ModelSpec(
        id=id,
        title=title,
        summary=f"DeepFaceLab 1.0's {title}: {summary}",
        code=f"engine.models.dfl1.model:{code}",
        options=options,
        loss_names=("src", "dst"),
    )


H64 = _model("h64", "H64", "H64", "half faces of 64 pixels, for 2 GB", _LIGHT_OR_NOT)
H128 = _model("h128", "H128", "H128", "half faces of 128 pixels, for 3 GB", _LIGHT_OR_NOT)
DF = _model("df", "DF", "Df", "full faces of 128 pixels, each with its decoder", _PLAIN)
LIAEF128 = _model(
    "liaef128", "LIAEF128", "Liaef128", "full faces of 128 pixels that share one decoder", _PLAIN
)
SAE = replace(
    _model(
        "sae",
        "SAE",
        "Sae",
        "half or full faces of 64 to 256 pixels, nets of any size, styles",
        (*_BATCHES, *_SAE_SHAPE, *_SAE_LOSSES, *_SAE_STEPS, *_MEMORY, *_SAE_PRETRAINING),
    ),
    check=check_pretraining,
)

DFL1 = (H64, H128, DF, LIAEF128, SAE)
