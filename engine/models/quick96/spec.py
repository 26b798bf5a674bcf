"""Quick96: the small model for a first look, with the settings of the original, plus options."""

from __future__ import annotations

from engine.models.memory_options import ACCUMULATE, RECOMPUTE
from engine.protocol.options import Flag, Integer, Life, Option
from engine.protocol.spec import ModelSpec

BATCH_SIZE = Option(
    "batch_size",
    "Batch size",
    Integer(1, 256),
    4,
    "How many faces of each side one step learns from. More is steadier, slower and needs more"
    " memory.",
    unit="faces",
    life=Life.RUNNING,
)

QUICK96 = ModelSpec(
    id="quick96",
    title="Quick96",
    summary="Fixed at 96 pixels, full face: shows in minutes what a pair of faces is good for",
    code="engine.models.quick96.model:Quick96",
    options=(
        BATCH_SIZE,
        Option(
            "random_src_flip",
            "Mirror src faces",
            Flag(),
            False,
            "Mirror src faces at random: covers more angles, looks a little less like the person.",
            life=Life.RUNNING,
        ),
        Option(
            "random_dst_flip",
            "Mirror dst faces",
            Flag(),
            False,
            "Mirror dst faces at random: generalises better.",
            life=Life.RUNNING,
        ),
        ACCUMULATE,
        RECOMPUTE,
    ),
    loss_names=("src", "dst"),
    dfl_class="Quick96",
)
