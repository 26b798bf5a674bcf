"""The merge session: what it needs, which model it takes, how much it may hold in memory."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.options import Flag, Integer, Option
from engine.protocol.spec import DEVICE, FRESH, StageSpec
from engine.stages.merge.spec import (
    FACE_ENHANCER,
    FACE_TYPE,
    MERGED_CLASS,
    MERGED_MODEL,
    WORKERS,
    XSEG_MODEL,
)
from engine.stages.unwatched import END_AFTER

CACHE_MB = Option(
    "cache_mb",
    "Memory for frames",
    Integer(64, 1_000_000),
    1024,
    "How much memory may hold frames that were read and predicted, so that they are shown at once.",
    unit="MB",
    advanced=True,
)

SPILL_MB = Option(
    "spill_mb",
    "Disk for predictions",
    Integer(0, 1_000_000),
    2000,
    "How much of the disk may hold predicted faces while the session runs, so that a frame that"
    " memory forgot is not predicted again; never more than is left free. 0: none.",
    unit="MB",
    advanced=True,
)

AHEAD = Option(
    "ahead",
    "Frames ahead",
    Integer(0, 100),
    5,
    "How many frames after the shown one are read and predicted before they are asked for.",
    advanced=True,
)

SHOTS = Option(
    "shots",
    "Find shots",
    Flag(),
    True,
    "Where there is no timeline yet, look in the background for where shots begin: what leads from"
    " one key to the next never crosses a cut.",
    advanced=True,
)

MERGE_SESSION = StageSpec(
    id="merge-session",
    title="Merge interactively",
    group="Merge",
    summary="Look at merged frames, change how they look, and render them meanwhile",
    code="engine.stages.merge_session.run:run",
    needs=("workspace", "writable", "dst-frames", "dst-faces"),
    resources=("merged",),
    replaces="pictures in data_dst/merged and data_dst/merged_mask that merging did not make",
    options=(
        MERGED_MODEL,
        MERGED_CLASS,
        FACE_TYPE,
        CACHE_MB,
        SPILL_MB,
        AHEAD,
        SHOTS,
        FACE_ENHANCER,
        XSEG_MODEL,
        replace(
            WORKERS,
            help="How many threads render frames in the background. Auto: one per CPU"
            " core, 32 at most.",
        ),
        replace(END_AFTER, default=120),
        DEVICE,
        FRESH,
    ),
    help="Runs until it is stopped; the merge screen of the workbench is its window. Looks are kept"
    " in .facewright/merge/NAME_CLASS.timeline.toml at every change, frames in data_dst/merged as"
    " they are rendered: stopped or killed, it goes on where it was. Without such a file the"
    " session that DeepFaceLab saved for the model is taken, if there is one.",
)
