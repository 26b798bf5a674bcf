"""The stage faceset-report as data."""

from engine.protocol.options import Flag, Option, Text
from engine.protocol.spec import SIDE, WORKERS, StageSpec

IDENTITY = Option(
    "identity",
    "Look for other people",
    Flag(),
    False,
    "Also find out who each face is, and which ones are other people's. Takes about 0.1 s a face"
    " and core, once.",
)

REFERENCE = Option(
    "reference",
    "Reference face",
    Text(),
    "",
    "The file name of a face of the person who is wanted. When not given, it is the person with"
    " most faces.",
)

FACESET_REPORT = StageSpec(
    id="faceset-report",
    title="Faceset report",
    group="Faces",
    summary="What is in a faceset, what is wrong with it, what src lacks, and what to do about it",
    code="engine.stages.faceset_report.run:run",
    options=(SIDE, IDENTITY, REFERENCE, WORKERS),
    needs=("writable", "faces"),
    resources=("index-src", "index-dst"),
    help="Writes .facewright/reports/SIDE.json and a map of head angles, SIDE.png: counts, sizes,"
    " sharpness, nearly identical faces, doubtful landmarks, other people, and, when both facesets"
    " are there, which of dst's head angles, mouths and lights src lacks, with dst's frames. New"
    " and changed faces are read first. Changes no face.",
)
