"""The stage faceset-metadata-restore as data."""

from engine.protocol.spec import SIDE, WORKERS, StageSpec

FACESET_METADATA_RESTORE = StageSpec(
    id="faceset-metadata-restore",
    title="Restore metadata",
    group="Faceset tools",
    summary="Give face pictures edited elsewhere their saved metadata back",
    code="engine.stages.faceset_metadata_restore.run:restore_metadata",
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="faces that have other metadata or another size than was saved",
    help="Takes data_SIDE/aligned/meta.dat, which DeepFaceLab or faceset-metadata-save wrote, and"
    " puts its metadata into the faces of the same names, after resizing those of another size."
    " Faces that have each other's names since (after a sort) keep what they hold."
    " Pictures must not have been flipped, turned or cut: landmarks would be wrong. The earlier"
    " faces are kept in the trash, and meta.dat goes there at the end.",
    options=(SIDE, WORKERS),
)
