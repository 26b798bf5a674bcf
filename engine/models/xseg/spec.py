"""XSeg: the model that finds the face in its picture. Options as DeepFaceLab has them; spec,
training 11.1."""

from __future__ import annotations

from engine.models.memory_options import ACCUMULATE
from engine.protocol.options import Choice, FilePath, Flag, Integer, Life, Option, When
from engine.protocol.spec import ModelSpec

FACE_TYPES = (
    ("h", "half: mouth to brows"),
    ("mf", "mid-full: half and a third more"),
    ("f", "full: the whole face without the forehead"),
    ("wf", "whole face: with the forehead"),
    ("head", "the head with its hair"),
)

LABELS = Option(
    "labels",
    "Learn from",
    Choice(
        (
            ("auto", "drawn labels; where there are none, applied masks; else by themselves"),
            ("drawn", "drawn labels alone"),
            ("applied", "applied masks alone"),
            ("self", "landmarks up to the hair line, less things painted before the face"),
            ("drawn+self", "drawn labels, and all other faces by themselves"),
        )
    ),
    "auto",
    "Which masks the model learns: polygons that were drawn on faces of either side, masks that"
    " another model applied to them, or masks that are made up without any hand.",
    life=Life.RUNNING,
)

XSEG = ModelSpec(
    id="xseg",
    title="XSeg",
    summary="Tells the face from hands, hair and other things before it: learns from masks drawn on"
    " some faces, and masks all others",
    code="engine.models.xseg.model:XSegModel",
    options=(
        Option(
            "face_type",
            "Face type",
            Choice(FACE_TYPES),
            "wf",
            "How much of the head the model sees: that of the swapping model it is to work for, or"
            " more. Facesets should show as much or more.",
            life=Life.CREATION,
        ),
        Option(
            "batch_size",
            "Batch size",
            Integer(1, 64),
            4,
            "How many faces one step learns from. More is steadier, slower and needs more memory.",
            unit="faces",
            life=Life.RUNNING,
        ),
        LABELS,
        ACCUMULATE,
        Option(
            "pretrain",
            "Pretraining",
            Flag(),
            False,
            "Learn faces in general from a folder of many people, without labels, before the masks."
            " Switched off again, the iteration starts at 0 and the weights stay.",
            life=Life.RUNNING,
        ),
        Option(
            "pretrain_faces",
            "Faces for pretraining",
            FilePath(),
            "",
            "A folder of aligned faces, or a faceset.pak, of as many people as possible.",
            life=Life.RUNNING,
            applies=When("pretrain", (True,)),
        ),
    ),
    loss_names=("xseg",),
    dfl_class="XSeg",
    swaps=False,
)
