"""The stage dfm-export as data."""

from dataclasses import replace

from engine.models.classes import SWAP_CLASSES
from engine.protocol.options import Choice, FilePath, Flag, Option
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVE

DFM_EXPORT = StageSpec(
    id="dfm-export",
    title="Export for DeepFaceLive",
    group="Model",
    summary="Write a model as one .dfm file, ready to swap with: in DeepFaceLive, or here",
    code="engine.stages.dfm_export.run:export_dfm",
    needs=("workspace", "writable"),
    resources=("dfm-export",),
    replaces="the .dfm file of a model of the same name and class",
    help="The file is ONNX, with the inputs and outputs of DeepFaceLab's exports. It holds what"
    " swapping needs and no more: nobody can train it further. Also while the model is being"
    " trained; the model itself stays as it is. DeepFaceLive reads no face type: set its face"
    " coverage to what the faces show, 2.2 for wf, 1.6 for f, 3.0 for head.",
    options=(
        KNOWN_MODEL,
        replace(
            KNOWN_MODEL_CLASS,
            kind=Choice(tuple((spec.id, spec.summary) for spec in SWAP_CLASSES)),
        ),
        replace(SAVE, help=f"{SAVE.help} Empty: the newest good one."),
        Option(
            "quantised",
            "Quantised",
            Flag(),
            False,
            "Convolutions in float16: half the size, faster on graphics cards, and pixels that"
            " differ by a level or so.",
        ),
        Option(
            "to",
            "Folder",
            FilePath(),
            "",
            "Where to put the file; when not given, the workspace's folder model.",
        ),
    ),
)
