"""The stage model-export as data."""

from dataclasses import replace

from engine.protocol.options import FilePath, Option, Text
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import DFL_MODEL_CLASS, KNOWN_MODEL, SAVE
from engine.stages.train.spec import NAME_PATTERN

MODEL_EXPORT = StageSpec(
    id="model-export",
    title="Export model",
    group="Model",
    summary="Write a model as files that DeepFaceLab opens, to train on or merge with there",
    code="engine.stages.model_export.run:export_model",
    needs=("workspace", "writable"),
    resources=("model-export",),
    replaces="DeepFaceLab's files of a model of the same name and class",
    help="Writes weights, the optimizer's state, options, iteration and losses of a save, also"
    " while the model is being trained. The model itself stays as it is.",
    options=(
        KNOWN_MODEL,
        DFL_MODEL_CLASS,
        replace(SAVE, help=f"{SAVE.help} Empty: the newest good one."),
        Option(
            "dfl_name",
            "Name in DeepFaceLab",
            Text(
                f"|{NAME_PATTERN}",
                "1 to 64 letters, digits, spaces, dots and dashes; not _, where DeepFaceLab takes"
                " a name to end",
            ),
            "",
            "What the model is to be called there; when not given, as here.",
        ),
        Option(
            "to",
            "Folder",
            FilePath(),
            "",
            "Where to put the files; when not given, the workspace's folder model.",
        ),
    ),
)
