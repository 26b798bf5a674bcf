"""The stage faceset-landmarks-debug as data."""

from engine.protocol.spec import FRESH, SIDE, WORKERS, StageSpec

FACESET_LANDMARKS_DEBUG = StageSpec(
    id="faceset-landmarks-debug",
    title="Draw landmarks",
    group="Faceset tools",
    summary="Draw every face's landmarks into a copy of it, to find faces that were cut wrong",
    code="engine.stages.faceset_landmarks_debug.run:run",
    options=(SIDE, FRESH, WORKERS),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="pictures of an earlier run, when asked to start afresh",
    help="Writes data_SIDE/aligned_landmarks/FACE_debug.jpg, a folder of its own: the faceset stays"
    " clean. The part that the mask covers is half as bright.",
)
