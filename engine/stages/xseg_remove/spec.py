"""The stage xseg-remove as data."""

from engine.protocol.spec import SIDE, StageSpec

XSEG_REMOVE = StageSpec(
    id="xseg-remove",
    title="Remove applied masks",
    group="Masks",
    summary="Take the applied masks away; training and merging go by the landmarks again",
    code="engine.stages.xseg_remove.run:run",
    options=(SIDE,),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="the applied masks of all faces",
    help="Drawn labels stay. What the faces had is kept in the workspace's trash as a meta.dat,"
    " which faceset-metadata-restore brings back.",
)
