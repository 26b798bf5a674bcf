"""The stage faceset-png-to-jpg as data."""

from engine.protocol.options import Flag, Integer, Option
from engine.protocol.spec import SIDE, WORKERS, StageSpec

FACESET_PNG_TO_JPG = StageSpec(
    id="faceset-png-to-jpg",
    title="Convert 1.0 faces",
    group="Faceset tools",
    summary="Turn a faceset of DeepFaceLab 1.0 (PNG files) into face JPEGs",
    code="engine.stages.faceset_png_to_jpg.run:run",
    options=(
        SIDE,
        Option(
            "jpeg_quality",
            "JPEG quality",
            Integer(1, 100),
            100,
            "Quality of the face pictures.",
        ),
        Option(
            "trash_originals",
            "Trash the PNG files",
            Flag(),
            False,
            "Move the PNG files that were converted to the workspace's trash. Other stages do not"
            " see them in any case.",
        ),
        WORKERS,
    ),
    needs=("writable",),
    resources=("faces-{side}",),
    replaces="the PNG files in aligned, when asked to move them to the trash",
    help="Writes data_SIDE/aligned/FACE.jpg beside FACE.png with all its metadata. JPEG files that"
    " are there already stay as they are. PNG files without metadata of a face are left alone.",
)
