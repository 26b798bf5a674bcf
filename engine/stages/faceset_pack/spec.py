"""The stage faceset-pack as data."""

from engine.protocol.options import Flag, Option
from engine.protocol.spec import SIDE, StageSpec

PERSONS = Option(
    "persons",
    "Sub-folders are persons",
    Flag(),
    True,
    "Pack the faces of each sub-folder of aligned, too, under the folder's name as the person."
    " Faces beside the sub-folders are packed without a person. No: sub-folders are left alone.",
)

DELETE_ORIGINALS = Option(
    "delete_originals",
    "Delete originals",
    Flag(),
    False,
    "Move the packed face files, and no others, to the workspace's trash once the pack is there."
    " Without it they stay, hidden by the pack from the stages that read facesets.",
)

FACESET_PACK = StageSpec(
    id="faceset-pack",
    title="Pack faceset",
    group="Faceset tools",
    summary="Put all faces of a side into one file, faceset.pak, which copies and loads faster",
    code="engine.stages.faceset_pack.run:pack_faceset",
    needs=("writable",),
    resources=("faces-{side}",),
    replaces="a faceset.pak that holds other faces than those in aligned, and the face files, when"
    " asked to delete the originals",
    help="Writes data_SIDE/aligned/faceset.pak as DeepFaceLab does; face files are kept in it byte"
    " by byte. Pictures that are no faces are left out and stay where they are.",
    options=(SIDE, PERSONS, DELETE_ORIGINALS),
)
