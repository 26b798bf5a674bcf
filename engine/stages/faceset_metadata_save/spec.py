"""The stage faceset-metadata-save as data."""

from engine.protocol.spec import SIDE, StageSpec

FACESET_METADATA_SAVE = StageSpec(
    id="faceset-metadata-save",
    title="Save metadata",
    group="Faceset tools",
    summary="Keep the metadata of all faces in one file, before other programs edit the pictures",
    code="engine.stages.faceset_metadata_save.run:save_metadata",
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="a meta.dat saved earlier",
    help="Writes data_SIDE/aligned/meta.dat as DeepFaceLab does, and faceset-metadata.json with the"
    " same in readable form, without applied masks. Edit the pictures under the same names, then"
    " run faceset-metadata-restore.",
    options=(SIDE,),
)
