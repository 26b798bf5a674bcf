"""The stage faceset-export-masks as data."""

from engine.protocol.options import Choice, Flag, Option
from engine.protocol.spec import FRESH, SIDE, WORKERS, StageSpec

FACESET_EXPORT_MASKS = StageSpec(
    id="faceset-export-masks",
    title="Export masks",
    group="Faceset tools",
    summary="Write every face's mask as a black and white picture",
    code="engine.stages.faceset_export_masks.run:run",
    options=(
        SIDE,
        Option(
            "format",
            "Image format",
            Choice((("png", "without loss"), ("jpg", "quality 100, as DFL"))),
            "png",
            "What the masks are stored as.",
        ),
        Option(
            "hull",
            "Hull where there is none",
            Flag(),
            False,
            "Write the outline by the landmarks for faces with neither an applied mask nor labels."
            " Otherwise such faces are left out.",
        ),
        FRESH,
        WORKERS,
    ),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="masks of an earlier run with other options",
    help="Writes data_SIDE/aligned_masks/FACE_mask.png, as large as the face: the applied XSeg"
    " mask, white from one half on, or else the hand-drawn labels.",
)
