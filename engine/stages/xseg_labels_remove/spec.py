"""The stage xseg-labels-remove as data."""

from engine.protocol.spec import SIDE, StageSpec

XSEG_LABELS_REMOVE = StageSpec(
    id="xseg-labels-remove",
    title="Remove drawn labels",
    group="Masks",
    summary="Take all labels that were drawn on the faces away",
    code="engine.stages.xseg_labels_remove.run:run",
    options=(SIDE,),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="the drawn labels of all faces",
    help="Applied masks stay. What the faces had is kept in the workspace's trash as a meta.dat,"
    " which faceset-metadata-restore brings back.",
)
