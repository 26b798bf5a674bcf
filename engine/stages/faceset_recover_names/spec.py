"""The stage faceset-recover-names as data."""

from engine.protocol.spec import SIDE, StageSpec

FACESET_RECOVER_NAMES = StageSpec(
    id="faceset-recover-names",
    title="Recover names",
    group="Faceset tools",
    summary="Name faces after the frames they come from again, for example after sorting",
    code="engine.stages.faceset_recover_names.run:recover_names",
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    help="Renames data_SIDE/aligned/*.jpg to FRAME_N.jpg; N counts the faces of one frame from 0 in"
    " the order of their names now. Pictures that do not say which frame they come from stay as"
    " they are, and no file is ever replaced.",
    options=(SIDE,),
)
