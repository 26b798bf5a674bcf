"""The train-preflight stage: the train stage's options, and how long to try."""

from __future__ import annotations

from engine.protocol.options import Number, Option
from engine.protocol.spec import StageSpec
from engine.stages.train.spec import TRAIN

TRY_MINUTES = Option(
    "try_minutes",
    "Look for the largest batch",
    Number(0, 240, 1),
    5.0,
    "Try larger batches (or smaller ones, if the chosen one does not fit) for this many minutes; 0"
    " tries the chosen one alone.",
    unit="minutes",
)

TRAIN_PREFLIGHT = StageSpec(
    id="train-preflight",
    title="Check before training",
    group="Model",
    summary="Try for some minutes what training with these options would need: memory, disk, time",
    help="Makes a few steps with fresh weights in a process of its own, and tells the memory that"
    " they took, iterations per second, what the sample threads deliver, what a save takes on the"
    " disk, and the largest batch that fits. No model is made or changed.",
    code="engine.stages.train_preflight.run:run",
    needs=("workspace",),
    trains_model=True,
    rehearses=TRAIN.id,
    options=(TRY_MINUTES, *TRAIN.options),
)
