"""SAEHD: the model for results. Options are those that DeepFaceLab's users know (spec, training 2);
those of the loop (target, backups) belong to the train stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.models.memory_options import ACCUMULATE, RECOMPUTE
from engine.models.saehd.settings import check
from engine.protocol.options import (
    Choice,
    FilePath,
    Flag,
    Integer,
    Life,
    Number,
    Option,
    Text,
    Unless,
    When,
)
from engine.protocol.spec import ModelSpec

RUNNING = Life.RUNNING


def _mask_dims(values: Mapping[str, Any]) -> int:
    """A third of the decoder's, even, within the range."""
    third = int(values["d_dims"]) // 3
    return max(16, third + third % 2)


_SHAPE = (
    Option(
        "resolution",
        "Resolution",
        Integer(64, 640, 16),
        128,
        "Side of the faces that the model draws. More shows more detail, and costs memory and time"
        " with its square. With the letters d or t of the architecture it must divide by 32.",
        unit="pixels",
        life=Life.CREATION,
    ),
    Option(
        "face_type",
        "Face type",
        Choice(
            (
                ("h", "half: mouth to brows; the most detail, but narrow cheeks stay dst's"),
                ("mf", "mid-full: half and a third more"),
                ("f", "full: the whole face without the forehead"),
                ("wf", "whole face: with the forehead, for a mask that you draw"),
                ("head", "the head with its hair; needs masks by XSeg on both sides"),
            )
        ),
        "f",
        "How much of the head is replaced. Facesets should show as much or more.",
        life=Life.CREATION,
    ),
    Option(
        "archi",
        "Architecture",
        Text(
            r"(df|liae)(-(?:([udtc])(?!.*\3))+)?",
            "df or liae, or one of them with a dash and any of the letters u, d, t, c, each once,"
            " such as liae-ud",
        ),
        "liae-ud",
        "df keeps more of the src face; liae copes better with faces of different shape and takes"
        " over the light of dst. The letter u brings more likeness; d draws twice the resolution at"
        " the same cost, and wants a pretrained start; t brings likeness by more layers; c is an"
        " experiment with another activation.",
        life=Life.CREATION,
    ),
    Option(
        "ae_dims",
        "Autoencoder dimensions",
        Integer(32, 1024),
        256,
        "How much the model can know of faces as a whole. More also needs more memory; too few, and"
        " expressions such as closed eyes are missing.",
        life=Life.CREATION,
    ),
    Option(
        "e_dims",
        "Encoder dimensions",
        Integer(16, 256, 2),
        64,
        "How much the encoder sees of a face's features. More sharpens the result and costs memory"
        " and time.",
        life=Life.CREATION,
    ),
    Option(
        "d_dims",
        "Decoder dimensions",
        Integer(16, 256, 2),
        64,
        "How much detail the decoders can draw. More sharpens the result, and costs memory and"
        " time.",
        life=Life.CREATION,
    ),
    Option(
        "d_mask_dims",
        "Mask decoder dimensions",
        Integer(16, 256, 2),
        22,
        "How exactly masks are learned. A third of the decoder's dimensions is enough for masks"
        " along the chin and brows; take more if you drew masks around glasses or hair.",
        life=Life.CREATION,
        derive=_mask_dims,
    ),
)

_SAMPLES = (
    Option(
        "batch_size",
        "Batch size",
        Integer(1, 256),
        8,
        "How many faces of each side one step learns from. More is steadier, slower and needs more"
        " memory. 4 is the least that learns well.",
        unit="faces",
        life=RUNNING,
    ),
    Option(
        "random_src_flip",
        "Mirror src faces",
        Flag(),
        False,
        "Mirror src faces at random: covers more angles, but looks less like a person whose two"
        " sides differ.",
        life=RUNNING,
    ),
    Option(
        "random_dst_flip",
        "Mirror dst faces",
        Flag(),
        True,
        "Mirror dst faces at random: generalises better where src faces are not mirrored.",
        life=RUNNING,
    ),
    Option(
        "random_warp",
        "Bend faces at random",
        Flag(),
        True,
        "Bend what the model sees, so that it learns faces rather than pictures. Leave it on until"
        " the preview looks like the person, then switch it off for sharpness. In a liae model the"
        " part that both faces share rests while it is off.",
        life=RUNNING,
    ),
    Option(
        "random_hsv_power",
        "Random colours",
        Number(0, 0.3, 0.01),
        0.0,
        "Shift hue, saturation and lightness of what the model sees of src, so that it gets used to"
        " other light. 0.05 is usual.",
        life=RUNNING,
    ),
    Option(
        "ct_mode",
        "Colour transfer",
        Choice(
            (
                ("none", "src keeps its colours"),
                ("rct", "mean and spread of each channel; the first to try"),
                ("lct", "mean and spread along the colours' own axes"),
                ("mkl", "the gentlest linear transfer"),
                ("idt", "whole distribution, step by step; may add noise"),
                ("sot", "whole distribution by sorting; slow, close to dst"),
            )
        ),
        "none",
        "Paint src faces in the colours of random dst faces while training. Try each for some"
        " minutes and keep the one whose preview fits the scene.",
        life=RUNNING,
    ),
    Option(
        "uniform_yaw",
        "Even yaw",
        Flag(),
        False,
        "Draw faces evenly over where they look instead of over the set: helps profiles that are"
        " blurred because they are few. Switch it off again for the sharpening at the end.",
        life=RUNNING,
    ),
)

_LOSSES = (
    Option(
        "masked_training",
        "Masked training",
        Flag(),
        True,
        "Learn what is inside the mask alone, so that nothing is spent on the background. Switch it"
        " off late if the surroundings matter, too.",
        life=RUNNING,
    ),
    Option(
        "eyes_mouth_prio",
        "Eyes and mouth first",
        Flag(),
        False,
        "Learn eyes and mouth with priority: mends eyes that look elsewhere and teeth without"
        " detail. For a while, not for ever.",
        life=RUNNING,
    ),
    Option(
        "blur_out_mask",
        "Blur outside the mask",
        Flag(),
        False,
        "Blur what surrounds the face in the targets, so that the border of the face gets smoother."
        " Needs exact masks on both sides, such as those of a trained XSeg model.",
        life=RUNNING,
    ),
    Option(
        "true_face_power",
        "True face power",
        Number(0, 1, 0.01),
        0.0,
        "A second net checks that src and dst cannot be told apart by their codes: makes the result"
        " more like src. df architectures only. 0.01 is usual; more may add artefacts.",
        life=RUNNING,
    ),
    Option(
        "face_style_power",
        "Face style power",
        Number(0, 100, 0.1),
        0.0,
        "Learn the colour and light of dst inside the mask. Only after 10 000 iterations, from"
        " 0.001 on; the model may collapse, so keep backups.",
        life=RUNNING,
    ),
    Option(
        "bg_style_power",
        "Background style power",
        Number(0, 100, 0.1),
        0.0,
        "Learn the surroundings of dst outside the mask, which blends the border. 2 is usual; the"
        " model may collapse, so keep backups.",
        life=RUNNING,
    ),
    Option(
        "bg_style_dfl",
        "Background style by src's mask",
        Flag(),
        False,
        "Where the background is: on, the mask of the src sample says it, as in DeepFaceLab; off,"
        " the masks that the model itself sees in the dst face, which is what was meant.",
        life=RUNNING,
        applies=Unless("bg_style_power", (0,)),
        advanced=True,
    ),
    Option(
        "gan_power",
        "GAN power",
        Number(0, 5, 0.01),
        0.0,
        "A second net judges what is real and so teaches fine detail of skin and hair. 0.1 is"
        " usual. Only at the very end: with lr dropout on, random warp off, and masks that fit.",
        life=RUNNING,
    ),
    Option(
        "gan_patch_size",
        "GAN patch size",
        Integer(3, 640),
        16,
        "How large a piece the second net looks at: smaller for fine detail, larger for shapes. An"
        " eighth of the resolution is usual. Another value starts that net anew.",
        unit="pixels",
        life=RUNNING,
        applies=Unless("gan_power", (0,)),
        derive=lambda values: values["resolution"] // 8,
    ),
    Option(
        "gan_dims",
        "GAN dimensions",
        Integer(4, 512),
        16,
        "How much the second net can know. More finds more detail and needs more memory. Another"
        " value starts that net anew.",
        life=RUNNING,
        applies=Unless("gan_power", (0,)),
    ),
)

_STEPS = (
    Option(
        "adabelief",
        "AdaBelief",
        Flag(),
        True,
        "Move weights by AdaBelief, which generalises better; otherwise by RMSprop, which needs"
        " less memory. A change starts the optimizer anew.",
        life=RUNNING,
    ),
    Option(
        "lr_dropout",
        "Learning rate dropout",
        Choice(
            (
                ("n", "off"),
                ("y", "on"),
                ("cpu", "on, drawn on the CPU: slower, needs less memory of the GPU"),
            )
        ),
        "n",
        "Move only three in ten weights at each step, and let the rate swing: the last sharpness."
        " Switch it on when the preview no longer improves, before the GAN.",
        life=RUNNING,
    ),
    Option(
        "clipgrad",
        "Clip gradients",
        Flag(),
        False,
        "Limit how far one step may go. Makes a collapse less likely, and training a little"
        " slower.",
        life=RUNNING,
    ),
    Option(
        "models_opt_on_gpu",
        "Weights and optimizer on the GPU",
        Flag(),
        True,
        "Off keeps them in the host's memory: larger models fit on the GPU, each step is slower.",
        advanced=True,
    ),
    ACCUMULATE,
    RECOMPUTE,
)

_PRETRAINING = (
    Option(
        "pretrain",
        "Pretraining",
        Flag(),
        False,
        "Learn faces in general from a folder of many people before the two of this model; later"
        " training is faster and better. Meanwhile samples are not bent, both sides are mirrored"
        " and drawn evenly over yaw, and lr dropout, GAN, true face, styles and random colours"
        " rest. Switched off again, the iteration starts at 0 and the inter nets start anew.",
        life=RUNNING,
    ),
    Option(
        "pretrain_faces",
        "Faces for pretraining",
        FilePath(),
        "",
        "A folder of aligned faces, or a faceset.pak, of as many people as possible.",
        life=RUNNING,
        applies=When("pretrain", (True,)),
    ),
)

SAEHD = ModelSpec(
    id="saehd",
    title="SAEHD",
    summary="The model for results: any resolution, face type and size, with every option",
    code="engine.models.saehd.model:Saehd",
    options=(*_SHAPE, *_SAMPLES, *_LOSSES, *_STEPS, *_PRETRAINING),
    loss_names=("src", "dst"),
    dfl_class="SAEHD",
    check=check,
)
