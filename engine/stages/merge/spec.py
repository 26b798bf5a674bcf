"""The merge stage: what it needs, which model it takes, and the look's options."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.look_options import LOOK_OPTIONS
from engine.protocol.options import Option, Text
from engine.protocol.spec import DEVICE, FRESH, StageSpec
from engine.stages.train.spec import MODEL, MODEL_CLASS

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
    summary="Put the predicted faces into the dst frames.",
    code="engine.stages.merge.run:run",
    needs=("workspace", "writable", "dst-frames", "dst-faces"),
    resources=("merged",),
    replaces="pictures in data_dst/merged and data_dst/merged_mask that this stage did not make",
    options=(
        replace(MODEL, help="The name of the trained model that predicts the faces."),
        replace(MODEL_CLASS, help="Which kind of model it is."),
        *LOOK_OPTIONS,
        WORKERS,
        DEVICE,
        FRESH,
    ),
    help="Writes one PNG per frame to data_dst/merged and data_dst/merged_mask. Started again, it"
    " renders only frames whose look, model, picture or faces have changed.",
)
