"""Manual extraction: which frames, and how their faces are cut out."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.options import Choice, Flag, Option
from engine.protocol.spec import DEVICE, SIDE, StageSpec
from engine.stages.faces_extract.spec import (
    DEBUG_IMAGES,
    FACE_TYPE,
    IMAGE_SIZE,
    INTERPOLATION,
    JPEG_QUALITY,
    LANDMARKS,
    WEIGHTS,
)
from engine.stages.unwatched import END_AFTER

assert isinstance(FACE_TYPE.kind, Choice)
_FACE_TYPES = (("auto", "as the faces that are there already; else wf"), *FACE_TYPE.kind.choices)

FRAMES = Option(
    "frames",
    "Frames",
    Choice(
        (
            ("without-faces", "those without a face: what the automatic extraction missed"),
            ("all", "all of them"),
            ("deleted-debug", "those whose picture in aligned_debug was deleted, as in DFL"),
            ("marked", "those marked in the review: no face, suspicious, or by hand"),
        )
    ),
    "without-faces",
    "Which frames are to be done. All others can be looked at, too.",
)

ACCURATE = Option(
    "accurate",
    "Accurate landmarks",
    Flag(),
    True,
    "Look as exactly as the automatic extraction does at each move of the square. A key turns it"
    " off: faster, and the landmarks follow the square even where no face is seen.",
)

FORGET = Option(
    "fresh",
    "Start afresh",
    Flag(),
    False,
    "Do again what an earlier session kept or skipped, instead of going on at the first frame that"
    " is not done. Face files stay.",
)

FACES_MANUAL = StageSpec(
    id="faces-manual",
    title="Extract faces by hand",
    group="Faces",
    summary="Place faces frame by frame where no detector finds them, or finds them wrongly",
    code="engine.stages.faces_manual.run:run",
    options=(
        SIDE,
        FRAMES,
        replace(FACE_TYPE, kind=Choice(_FACE_TYPES), default="auto"),
        replace(
            IMAGE_SIZE,
            help="Side of the face pictures. Auto is that of the faces that are there already; else"
            " 512, and 768 for head.",
        ),
        JPEG_QUALITY,
        LANDMARKS,
        ACCURATE,
        DEBUG_IMAGES,
        WEIGHTS,
        INTERPOLATION,
        FORGET,
        END_AFTER,
        DEVICE,
    ),
    needs=("writable", "frames"),
    resources=("faces-{side}",),
    help="Runs until it is stopped; the screen of the workbench is its window. Each face is in"
    " data_SIDE/aligned/FRAME_0.jpg as soon as it is kept; one that was there goes to the trash,"
    " further faces of the frame stay. Stopped or killed, it goes on at the first frame that is not"
    " done.",
)
