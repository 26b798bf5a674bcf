"""The stage faceset-resize as data. Names and ranges follow DFL's prompts."""

from engine.protocol.options import Choice, Flag, Integer, Option
from engine.protocol.spec import FRESH, SIDE, WORKERS, StageSpec

IN_PLACE = Option(
    "in_place",
    "Put in place",
    Flag(),
    False,
    "Put the new faces in the place of the originals, which go to the workspace's trash. Otherwise"
    " they stay in a folder beside aligned.",
)

FACESET_RESIZE = StageSpec(
    id="faceset-resize",
    title="Resize faces",
    group="Faceset tools",
    summary="Give all faces of a set another size or another face type",
    code="engine.stages.faceset_resize.run:run",
    options=(
        SIDE,
        Option(
            "size",
            "Image size",
            Integer(128, 2048),
            512,
            "Side of the new face pictures.",
            unit="px",
        ),
        Option(
            "face_type",
            "Face type",
            Choice(
                (
                    ("same", "keep each face's own"),
                    ("h", "half face"),
                    ("mf", "mid face"),
                    ("f", "full face"),
                    ("wf", "whole face"),
                    ("head", "the whole head"),
                )
            ),
            "same",
            "Cut the faces anew to this type, from their own pictures: a wider type than they have"
            " gets black edges.",
        ),
        IN_PLACE,
        FRESH,
        WORKERS,
    ),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="the faces in aligned, when asked to put the new ones in place; faces of an earlier"
    " run with other options",
    help="Writes data_SIDE/aligned_resized/. Landmarks, hand-drawn labels, the applied mask and the"
    " crop matrix follow. JPEG quality 100, as DFL. Started again, it goes on where it stopped.",
)
