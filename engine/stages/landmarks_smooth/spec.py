"""The stage landmarks-smooth as data."""

from __future__ import annotations

from engine.protocol.options import Choice, Integer, Number, Option
from engine.protocol.spec import SIDE, WORKERS, StageSpec
from engine.stages.faces_extract.spec import INTERPOLATION

WORK = Option(
    "work",
    "Work",
    Choice(
        (
            ("smooth", "cut the faces anew from their frames, by smoothed landmarks"),
            ("look", "change nothing: only say how much they shake, and how much they would"),
            ("undo", "put the faces back that the last smoothing replaced"),
        )
    ),
    "smooth",
    "What to do. Each way begins with how much the landmarks shake.",
)

STRENGTH = Option(
    "strength",
    "Strength",
    Number(0.0, 1.0, 0.1),
    1.0,
    "How far landmarks go from where they were found (0) to where smoothing puts them (1). Marks of"
    " single frames can ask for less.",
)

BRIDGED_FRAMES = Option(
    "bridged_frames",
    "Bridged frames",
    Integer(0, 10),
    2,
    "A face that is missing for at most so many frames is smoothed across them; after more it is"
    " taken up anew. Cuts always end it.",
    unit="frames",
    advanced=True,
)

LANDMARKS_SMOOTH = StageSpec(
    id="landmarks-smooth",
    title="Smooth landmarks",
    group="Faces",
    summary="Take the jitter out of a video's faces: landmarks smoothed over frames, faces recut",
    code="engine.stages.landmarks_smooth.run:run",
    options=(SIDE, WORK, STRENGTH, BRIDGED_FRAMES, INTERPOLATION, WORKERS),
    needs=("writable", "faces", "frames"),
    resources=("faces-{side}",),
    replaces="the pictures of faces whose landmarks move; the old ones go to the trash",
    help="Blinks, words and turns of the head stay as they are; only what shakes without order is"
    " taken out. Labels and applied masks move with the crop. A face keeps its landmarks as found:"
    " smoothing again starts from them. How it works, with figures: .docs/smoothing.md.",
)
