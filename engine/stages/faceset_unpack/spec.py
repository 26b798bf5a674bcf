"""The stage faceset-unpack as data."""

from engine.protocol.spec import SIDE, StageSpec

FACESET_UNPACK = StageSpec(
    id="faceset-unpack",
    title="Unpack faceset",
    group="Faceset tools",
    summary="Turn faceset.pak back into face files",
    code="engine.stages.faceset_unpack.run:unpack_faceset",
    needs=("writable",),
    resources=("faces-{side}",),
    replaces="face files in aligned that have the name of a packed face and another content",
    help="Writes each face of data_SIDE/aligned/faceset.pak to aligned, or to aligned/PERSON, byte"
    " by byte as it was packed; then the pack goes to the workspace's trash. A pack with damaged"
    " faces stays where it is.",
    options=(SIDE,),
)
