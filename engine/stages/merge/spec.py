"""The merge stage: what it needs, which model it takes, and the look's options."""

from __future__ import annotations

from dataclasses import replace

from engine.models.classes import MERGE_CLASSES
from engine.models.dfm.spec import DFM
from engine.protocol.look_options import MORPH_FACTOR
from engine.protocol.look_presets import PRESET_LOOK_OPTIONS
from engine.protocol.options import Choice, Option, Text, When
from engine.protocol.spec import DEVICE, FRESH, StageSpec
from engine.stages.train.spec import MODEL, MODEL_CLASS

MERGED_MODEL = replace(
    MODEL,
    kind=Text(r"[^/\0-\x1f.][^/\0-\x1f]{0,119}", "1 to 120 characters, no slash, no dot in front"),
    help="The name of the trained model that predicts the faces; for --model-class dfm the name of"
    " a file in the folder model, without .dfm.",
)

MERGED_CLASS = replace(
    MODEL_CLASS,
    kind=Choice(tuple((spec.id, spec.summary) for spec in MERGE_CLASSES)),
    help="Which kind of model it is.",
)

FACE_TYPE = Option(
    "face_type",
    "Face type",
    Choice(
        (
            ("auto", "what the file says, else wf"),
            ("h", "half face"),
            ("mf", "mid full face"),
            ("f", "full face"),
            ("wf", "whole face"),
            ("head", "head"),
        )
    ),
    "auto",
    "How much of the head the faces of a .dfm show. Facewright's files say it, DeepFaceLab's do"
    " not. wf is nearest to DeepFaceLive's usual face coverage of 2.2; f to 1.6, head to 3.0.",
    applies=When("model_class", (DFM.id,)),
)

AUTO, NO_TIMELINE = "auto", "none"
TIMELINE = Option(
    "timeline",
    "Timeline",
    Text(r"[^\0\n]+", "auto, none or a file"),
    AUTO,
    "Which look each frame has. auto: the timeline that was made for this model in the merger, if"
    " there is one; none: the look of these options for all frames; else a timeline's file.",
)

FACE_ENHANCER = Option(
    "face_enhancer",
    "Face enhancer",
    Text(r"[^\0\n]*", "a path"),
    "",
    "For super resolution: DeepFaceLab's FaceEnhancer.npy, or the folder it is in. Empty: where"
    " weights for all workspaces belong, or the model folder.",
    advanced=True,
)

XSEG_MODEL = Option(
    "xseg_model",
    "XSeg model",
    Text(r"[^\0\n]*", "a name or a path"),
    "",
    "For masks by XSeg: the name of a model trained or imported here, or a folder that holds"
    " DeepFaceLab's XSeg_256.npy. Empty: the one that was trained last, else the file in the"
    " workspace's folder model.",
    advanced=True,
)

WORKERS = Option(
    "workers",
    "Worker threads",
    Text(r"auto|[1-9]\d?", "auto or a number from 1 to 99"),
    "auto",
    "How many threads read, compose and write frames. Auto: one per CPU core, 32 at most.",
    advanced=True,
)

MERGE = StageSpec(
    id="merge",
    title="Merge",
    group="Merge",
    summary="Put the predicted faces into the dst frames",
    code="engine.stages.merge.run:run",
    needs=("workspace", "writable", "dst-frames", "dst-faces"),
    resources=("merged",),
    replaces="pictures in data_dst/merged and data_dst/merged_mask that this stage did not make",
    options=(
        MERGED_MODEL,
        MERGED_CLASS,
        FACE_TYPE,
        TIMELINE,
        *PRESET_LOOK_OPTIONS,
        FACE_ENHANCER,
        XSEG_MODEL,
        WORKERS,
        DEVICE,
        FRESH,
    ),
    morph_options=(MORPH_FACTOR,),
    help="Writes one PNG per frame to data_dst/merged and data_dst/merged_mask. Started again, it"
    " renders only frames whose look, model, picture or faces have changed.",
)
