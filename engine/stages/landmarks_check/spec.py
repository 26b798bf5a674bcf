"""The stage landmarks-check as data."""

from engine.protocol.spec import SIDE, StageSpec

LANDMARKS_CHECK = StageSpec(
    id="landmarks-check",
    title="Check landmarks",
    group="Faces",
    summary="Mark the frames whose landmarks jump, fit no head, or were found unsurely",
    code="engine.stages.landmarks_check.run:run",
    options=(SIDE,),
    needs=("writable", "faces", "frames"),
    help="Changes no face: frames are marked as suspicious, with the reason, for the debug review"
    " and for faces-extract and faces-manual (--frames marked). Marks of an earlier check that no"
    " longer hold are taken away; frames that are marked to be kept are left alone.",
)
