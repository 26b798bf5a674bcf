"""The stage xseg-order as data."""

from engine.protocol.label_order import MOST_FACES
from engine.protocol.options import Integer, Option, Text
from engine.protocol.spec import DEVICE, SIDE, StageSpec

MODEL = Option(
    "model",
    "XSeg model",
    Text(),
    "",
    "The name of a model trained or imported here, or a folder with DeepFaceLab's XSeg_256.npy."
    " When not given, the one that was trained last.",
)

COUNT = Option(
    "count",
    "Faces in the list",
    Integer(1, MOST_FACES),
    100,
    "How many faces to suggest, the best first.",
    unit="faces",
)

LOOK_AT = Option(
    "look_at",
    "Faces looked at",
    Integer(1, 1_000_000),
    1000,
    "Of a larger faceset so many are looked at, evenly spread. A CPU takes about half a second for"
    " each.",
    unit="faces",
    advanced=True,
)

XSEG_ORDER = StageSpec(
    id="xseg-order",
    title="Faces to label next",
    group="Masks",
    summary="Find the faces on which a drawn mask teaches XSeg most",
    code="engine.stages.xseg_order.run:run",
    options=(SIDE, MODEL, COUNT, LOOK_AT, DEVICE),
    needs=("writable", "faces"),
    help="Masks the faces without labels, and lists those of which the net is least sure or where"
    " its mask differs most from the landmarks, few of one moment. The list is"
    " .facewright/labels/SIDE.order.json; the mask editor jumps along it. Changes no face.",
)
