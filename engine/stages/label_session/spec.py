"""The stage label-session as data."""

from engine.protocol.spec import SIDE, StageSpec
from engine.stages.unwatched import END_AFTER

LABEL_SESSION = StageSpec(
    id="label-session",
    title="Draw masks",
    group="Masks",
    summary="Draw and correct the mask labels of faces by hand, with suggestions to begin with",
    code="engine.stages.label_session.run:run",
    options=(SIDE, END_AFTER),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    help="Runs until it is stopped; the mask screen of the workbench is its window. Labels are"
    " written into the face files at every change, as DeepFaceLab has them; a polygon that is only"
    " begun is kept in .facewright/labels. Stopped or killed, it goes on where it was. A faceset"
    " with an index (faceset-index) opens at once; without one every file is looked into first.",
)
