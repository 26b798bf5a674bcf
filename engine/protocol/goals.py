"""Quick start by goal: what one wants and the device there is, to option values with their reasons.

A goal is data; its values are held against the option rows by whoever uses them. `takes_gib` is
reckoned from the options alone (weights, gradients, optimizer, what a step keeps for the gradient,
1.5 GiB for CUDA and the process), never measured on such a device: sizes are chosen so that it
stays below two thirds of the memory, since the GAN at a plan's end takes more. What really fits is
told by the stage train-preflight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.protocol.errors import UsageError

# Stages that take another's options.
_SAME_OPTIONS = {"train-preflight": "train", "merge-session": "merge"}


@dataclass(frozen=True)
class Setting:
    """An option's value and the reason for it."""

    option: str
    value: bool | int | float | str
    why: str


@dataclass(frozen=True)
class Size:
    """What a device of `from_gib` or more GiB (0: the CPU) is given, by option of the stage train.

    takes_gib: GiB of its memory that this takes, as reckoned."""

    from_gib: float
    takes_gib: float
    values: Mapping[str, int | str]


@dataclass(frozen=True)
class Goal:
    """What one wants to have in the end.

    settings: by stage, what holds on every device. sizes: from the CPU to the largest device.
    reasons: why the sizes are as they are, by option. steps: what is done besides, in order.
    """

    id: str
    title: str
    summary: str
    settings: Mapping[str, tuple[Setting, ...]]
    sizes: tuple[Size, ...]
    reasons: Mapping[str, str]
    steps: tuple[str, ...]

    def size_for(self, gpu_gib: float) -> Size:
        """The largest size for a device of that memory, at least the smallest for a GPU; 0: the
        CPU."""
        if not gpu_gib:
            return self.sizes[0]
        fitting = [size for size in self.sizes[1:] if size.from_gib <= gpu_gib]
        return fitting[-1] if fitting else self.sizes[1]

    def settings_for(self, stage_id: str, gpu_gib: float) -> tuple[Setting, ...]:
        """What the goal sets in that stage; () if nothing."""
        own = _SAME_OPTIONS.get(stage_id, stage_id)
        fixed = self.settings.get(own, ())
        if own != "train":
            return fixed
        size = self.size_for(gpu_gib)
        sized = (Setting(name, value, self.reasons[name]) for name, value in size.values.items())
        return (*fixed, *sized)

    def values_for(self, stage_id: str, gpu_gib: float) -> dict[str, Any]:
        """The same as option values."""
        return {setting.option: setting.value for setting in self.settings_for(stage_id, gpu_gib)}

    def memory_text(self, gpu_gib: float) -> str:
        """How much memory the training takes there, and how far to trust that."""
        follows_plan = any(setting.option == "plan" for setting in self.settings["train"])
        gan = ", and more once the plan comes to its GAN" if follows_plan else ""
        return (
            f"takes about {self.size_for(gpu_gib).takes_gib:.1f} GiB, as reckoned and not"
            f" measured{gan}: train-preflight tries what fits"
        )


def goal(goal_id: str) -> Goal:
    """The goal of that id. Raises `UsageError` with those there are."""
    for known in GOALS:
        if known.id == goal_id:
            return known
    ids = " ".join(known.id for known in GOALS)
    raise UsageError(f"unknown goal {goal_id!r}", f"known: {ids}", code="unknown-goal")


def device_text(gpu_gib: float) -> str:
    """What the values are for, in words."""
    return f"a GPU of {gpu_gib:.0f} GiB" if gpu_gib else "the CPU"


def _sizes(
    *rows: tuple[float, float, tuple[int, int, int, int, int]], **cpu: str
) -> tuple[Size, ...]:
    """Rows of GiB of the device, GiB taken, (resolution, ae_dims, e_dims, d_dims, batch_size);
    `cpu`: more options of the first, which is for the CPU."""
    names = ("resolution", "ae_dims", "e_dims", "d_dims", "batch_size")
    sizes = []
    for number, (from_gib, takes_gib, figures) in enumerate(rows):
        values: dict[str, int | str] = dict(zip(names, figures, strict=True))
        sizes.append(Size(from_gib, takes_gib, {**values, **(cpu if number == 0 else {})}))
    return tuple(sizes)


# A driver keeps a part of what is written on the box: 24 GB are 22 GiB on some cards, 16 are 14.6.
_4_GB, _6_GB, _8_GB, _11_GB, _16_GB, _24_GB, _40_GB, _80_GB = (
    3.5,
    5.5,
    7.5,
    10.5,
    14.5,
    22,
    38,
    75,
)

_SAVES_OFTEN = Setting(
    "autobackup_hour", 4, "a training of days wants ways back: the last 24 backups are four days"
)
_UNATTENDED = Setting(
    "clipgrad", True, "the plan runs for days with nobody looking: collapses are less likely"
)
_ADABELIEF = Setting(
    "adabelief", True, "generalises better than RMSprop, for a third more memory of the weights"
)
_WHOLE_FACE = Setting(
    "face_type", "wf", "the usual choice: models of the types f, mf and h can use these faces, too"
)
_TRAINED = Setting("model_class", "saehd", "the model that was trained")
_STANDARD_PLAN = Setting(
    "plan", "standard", "from bent faces to the GAN by itself, as guides do by hand"
)
_BOTH_MASKS = Setting(
    "mask_mode", "learned-prd*learned-dst", "where both masks agree: safe borders"
)
_SOFT_BORDER = Setting("blur_mask_modifier", 40, "some pixels of soft border hide the seam")
_SIZE_REASONS: Mapping[str, str] = {
    "resolution": "leaves a third of a GPU's memory to the plan's end; on a CPU time is what lacks",
    "ae_dims": "256 know a pair of faces; more where memory is left over, fewer on small devices",
    "e_dims": "grows with the resolution; 64 is usual at 128 to 256 pixels",
    "d_dims": "as many as the encoder's: detail that is seen can be drawn",
    "batch_size": "8 is steady, 4 the least that learns well; more where memory is left over",
    "precision": "bfloat16 where the CPU computes it: 0.7 of the time, losses within 2 percent",
}

FAST_TEST = Goal(
    id="fast-test",
    title="Fast test",
    summary="See in minutes what a pair of faces is good for, before a long training.",
    settings={
        "faces-extract": (_WHOLE_FACE,),
        "train": (
            Setting("model_class", "quick96", "96 pixels and small nets: the fastest there is"),
            Setting("max_minutes", 10, "ten minutes show pose, light and likeness; go on at will"),
        ),
        "merge": (
            Setting("model_class", "quick96", "the model that was trained"),
            Setting("mode", "overlay", "shows the prediction as it is, and is fast"),
            Setting("color_transfer_mode", "rct", "the first to try: fits most scenes"),
        ),
    },
    sizes=(
        Size(0, 2.1, {"batch_size": 4, "precision": "auto"}),
        Size(_4_GB, 2.1, {"batch_size": 4}),
        Size(_6_GB, 2.3, {"batch_size": 8}),
        Size(_8_GB, 2.6, {"batch_size": 16}),
    ),
    reasons={
        "batch_size": "4 is the original's; a GPU makes a larger batch in about the same time",
        "precision": _SIZE_REASONS["precision"],
    },
    steps=(
        "extract the faces of both sides (faces-extract), look through them, train, merge",
        "the same faces then serve the goal good-1080p",
    ),
)

GOOD_1080P = Goal(
    id="good-1080p",
    title="Good 1080p swap",
    summary="One person's face on another's, as good as this device can make it in days.",
    settings={
        "faces-extract": (_WHOLE_FACE,),
        "xseg-train": (
            Setting("face_type", "wf", "as the swapping model: masks up to the hair line"),
        ),
        "train": (
            Setting("model_class", "saehd", "any size and face type, with every option"),
            Setting("face_type", "wf", "with the forehead: no seam across the brows"),
            Setting(
                "archi",
                "liae-ud",
                "copes with faces of different shape and takes over dst's light; u for likeness, d"
                " for twice the pixels at the same cost. For two similar faces: --archi df-ud",
            ),
            Setting(
                "ct_mode", "rct", "src and dst were rarely filmed in one light; the first to try"
            ),
            _STANDARD_PLAN,
            _ADABELIEF,
            _UNATTENDED,
            _SAVES_OFTEN,
        ),
        "merge": (
            _TRAINED,
            Setting("mode", "overlay", "the model learned dst's light by rct already"),
            _BOTH_MASKS,
            _SOFT_BORDER,
            Setting("color_transfer_mode", "rct", "follows the light from frame to frame"),
        ),
    },
    sizes=_sizes(
        (0, 2.2, (128, 128, 48, 48, 4)),
        (_4_GB, 2.2, (128, 128, 48, 48, 4)),
        (_6_GB, 3.4, (128, 256, 64, 64, 8)),
        (_8_GB, 4.5, (192, 256, 64, 64, 8)),
        (_11_GB, 6.2, (256, 256, 64, 64, 8)),
        (_16_GB, 7.8, (288, 256, 72, 72, 8)),
        (_24_GB, 11.9, (320, 384, 80, 80, 8)),
        (_40_GB, 21.7, (384, 512, 96, 96, 8)),
        (_80_GB, 39.3, (448, 512, 96, 96, 16)),
        precision="auto",
    ),
    reasons={
        **_SIZE_REASONS,
        "resolution": _SIZE_REASONS["resolution"]
        + "; a face that fills half of a 1080p frame has some 500 pixels",
    },
    steps=(
        "extract the faces of both sides, clean the facesets (faceset-report, faceset-sort)",
        "where hands or hair hide faces: xseg-train, then xseg-apply on both sides",
        "train until the previews no longer get better, then merge-session and video-render",
    ),
)

HEAD_SWAP = Goal(
    id="head-swap",
    title="Head swap",
    summary="The whole head with its hair; needs masks of heads on both sides.",
    settings={
        "faces-extract": (
            Setting("face_type", "head", "hair and neck must be on the faces to be learned"),
        ),
        "xseg-train": (
            Setting("face_type", "head", "landmarks know nothing of hair: XSeg must find it"),
        ),
        "train": (
            Setting("model_class", "saehd", "the class that has heads"),
            Setting("face_type", "head", "the head with its hair"),
            Setting("archi", "df-ud", "keeps more of src: the hair and the head's shape are src's"),
            Setting("masked_training", True, "hair is learned, the room behind it is not"),
            _STANDARD_PLAN,
            _ADABELIEF,
            _UNATTENDED,
            _SAVES_OFTEN,
        ),
        "merge": (
            _TRAINED,
            Setting("mode", "overlay", "Poisson blending would bleed the background into hair"),
            Setting(
                "mask_mode", "learned-prd+learned-dst", "covers both heads: no hair of dst stays"
            ),
            Setting("blur_mask_modifier", 20, "hair wants a narrow border"),
            Setting("color_transfer_mode", "none", "a transfer would take dst's hair for light"),
        ),
    },
    sizes=_sizes(
        (0, 2.1, (128, 128, 48, 48, 4)),
        (_4_GB, 2.1, (128, 128, 48, 48, 4)),
        (_6_GB, 2.9, (160, 256, 56, 56, 6)),
        (_8_GB, 4.0, (224, 256, 64, 64, 6)),
        (_11_GB, 5.7, (256, 256, 72, 72, 8)),
        (_16_GB, 8.3, (320, 256, 80, 80, 8)),
        (_24_GB, 13.5, (384, 320, 96, 96, 8)),
        (_40_GB, 19.9, (448, 512, 96, 96, 8)),
        (_80_GB, 39.7, (512, 512, 96, 96, 16)),
        precision="auto",
    ),
    reasons={
        **_SIZE_REASONS,
        "resolution": _SIZE_REASONS["resolution"]
        + "; a head's crop is 1.4 times as wide as wf's: the same face gets half as many",
    },
    steps=(
        "src should have short hair and every angle of dst; extract both sides as head",
        "label some dozen heads of both sides (label-session), xseg-train, xseg-apply on both"
        " sides: without such masks the model learns a cut-off head",
        "train, then merge-session: erode the mask where the room shows, and video-render",
    ),
)

READY_TO_MERGE = Goal(
    id="ready-to-merge",
    title="Ready to merge (RTM)",
    summary="A model of one src that swaps any face without further training, also for live use.",
    settings={
        "faces-extract": (_WHOLE_FACE,),
        "xseg-train": (
            Setting("face_type", "wf", "as the swapping model: masks up to the hair line"),
        ),
        "train": (
            Setting("model_class", "saehd", "what DeepFaceLive plays is made from it"),
            Setting("face_type", "wf", "what DeepFaceLive's users expect"),
            Setting(
                "archi",
                "liae-ud",
                "the plan makes inter_AB anew, which only liae has; no person stays",
            ),
            Setting("random_hsv_power", 0.05, "whoever is swapped stands in any light"),
            Setting("plan", "rtm", "resets of inter_AB, mirrored faces, even yaw; ends by itself"),
            _ADABELIEF,
            _UNATTENDED,
            _SAVES_OFTEN,
        ),
        "merge": (
            _TRAINED,
            Setting("mode", "overlay", "what live programs do, too"),
            _BOTH_MASKS,
            _SOFT_BORDER,
            Setting("color_transfer_mode", "rct", "dst's light is one that the model never saw"),
        ),
        "dfm-export": (
            _TRAINED,
            Setting("quantised", False, "exact; --quantised halves the file, a level off"),
        ),
    },
    sizes=_sizes(
        (0, 2.2, (128, 128, 48, 48, 4)),
        (_4_GB, 2.2, (128, 128, 48, 48, 4)),
        (_6_GB, 3.4, (128, 256, 64, 64, 8)),
        (_8_GB, 4.7, (160, 384, 64, 64, 8)),
        (_11_GB, 5.5, (192, 384, 64, 64, 8)),
        (_16_GB, 7.9, (224, 512, 64, 64, 8)),
        (_24_GB, 10.5, (256, 512, 80, 80, 8)),
        (_40_GB, 22.2, (320, 512, 96, 96, 16)),
        (_80_GB, 34.3, (320, 768, 96, 96, 24)),
        precision="auto",
    ),
    reasons={
        **_SIZE_REASONS,
        "resolution": "less than for one dst: memory goes into what the model knows of faces, and"
        " live use wants speed",
        "ae_dims": "many people are more to know than a pair: this comes before resolution",
    },
    steps=(
        "dst is a faceset of many people: put it into data_dst/aligned; src as many angles as there"
        " are, masked by XSeg as dst is",
        "begin from a model that was pretrained on many faces, if there is one",
        "the plan takes 3.8 million iterations: days on a large GPU, out of reach on a CPU",
        "dfm-export writes the file that DeepFaceLive plays; merge takes it, too",
    ),
)

GOALS: tuple[Goal, ...] = (FAST_TEST, GOOD_1080P, HEAD_SWAP, READY_TO_MERGE)
