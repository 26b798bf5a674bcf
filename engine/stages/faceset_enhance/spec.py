"""The stage faceset-enhance as data."""

from engine.protocol.options import FilePath, Flag, Option
from engine.protocol.spec import DEVICE, FRESH, SIDE, StageSpec

FACESET_ENHANCE = StageSpec(
    id="faceset-enhance",
    title="Enhance faces",
    group="Faceset tools",
    summary="Sharpen all faces of a set with DFL's face enhancer",
    code="engine.stages.faceset_enhance.run:run",
    options=(
        SIDE,
        Option(
            "weights",
            "Weights",
            FilePath(),
            "",
            "DFL's FaceEnhancer.npy, or the folder it is in. Not given: it is looked for in"
            " facewright/weights of the user's data folder ($XDG_DATA_HOME, or ~/.local/share),"
            " then in the workspace's model folder.",
        ),
        Option(
            "in_place",
            "Put in place",
            Flag(),
            False,
            "Put the new faces in the place of the originals, which go to the workspace's trash."
            " Otherwise they stay in a folder beside aligned.",
        ),
        FRESH,
        DEVICE,
    ),
    needs=("writable", "faces"),
    resources=("faces-{side}",),
    replaces="the faces in aligned, when asked to put the new ones in place; faces of an earlier"
    " run, when asked to start afresh",
    help="Writes data_SIDE/aligned_enhanced/, at the size the faces have, with their metadata. Made"
    " for soft src faces; a GPU is needed in practice: without, a face of 512 px takes a minute of"
    " a core. Started again, it goes on where it stopped.",
)
