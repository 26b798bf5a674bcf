"""The stage faceset-index as data."""

from engine.protocol.options import Flag, Option
from engine.protocol.spec import SIDE, WORKERS, StageSpec

IDENTITY = Option(
    "identity",
    "Identity",
    Flag(),
    False,
    "Also compute who each face is: 128 numbers that tell people apart, by dlib's network. Takes"
    " about 0.1 s a face and core, once; needed to find other people's faces.",
)

FACESET_INDEX = StageSpec(
    id="faceset-index",
    title="Index faceset",
    group="Faces",
    summary="Reads every face once, so that listing, filtering and reports open at once",
    code="engine.stages.faceset_index.run:run",
    options=(SIDE, IDENTITY, WORKERS),
    needs=("writable", "faces"),
    resources=("index-{side}",),
    help="Writes .facewright/index/SIDE.sqlite: pose, sharpness, light, mouth and a hash of every"
    " face. Only new and changed files are read; started again, it goes on where it stopped. The"
    " index can be deleted at any time.",
)
