"""The stage xseg-fetch as data."""

from engine.protocol.options import Flag, Option
from engine.protocol.spec import SIDE, StageSpec

MOVE = Option(
    "move",
    "Move",
    Flag(),
    False,
    "Take the labelled faces out of aligned; they go to the workspace's trash once they are copied."
    " DeepFaceLab does so unless it is told not to.",
)

XSEG_FETCH = StageSpec(
    id="xseg-fetch",
    title="Fetch labelled faces",
    group="Masks",
    summary="Copy the faces with drawn labels to a folder of their own, to keep or share",
    code="engine.stages.xseg_fetch.run:run",
    options=(SIDE, MOVE),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="the labelled faces in aligned, when they are moved; other faces of the same names in"
    " aligned_xseg",
    help="Writes data_SIDE/aligned_xseg/. Copy its faces into the aligned folder of another project"
    " to train XSeg there.",
)
