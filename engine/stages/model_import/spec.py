"""The stage model-import as data."""

from engine.protocol.options import FilePath, Flag, Option, Text
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import DFL_MODEL_CLASS
from engine.stages.train.spec import MODEL

MODEL_IMPORT = StageSpec(
    id="model-import",
    title="Import model",
    group="Model",
    summary="Take over a model that DeepFaceLab trained, to train on, merge with or export",
    code="engine.stages.model_import.run:import_model",
    needs=("workspace", "writable"),
    resources=("model-{model}_{model_class}", "model-import"),
    replaces="a model of the same name and class",
    help="Reads NAME_CLASS_data.dat and the .npy files beside it; they are never changed. Weights,"
    " the optimizer's state, options, iteration and losses come along, and a model that does not"
    " fit together is refused. Nothing in the files is run: strangers' models are safe to open.",
    options=(
        Option("model", "Name here", MODEL.kind, "new", "The name that the model gets here."),
        DFL_MODEL_CLASS,
        Option(
            "dfl_name",
            "Name in DeepFaceLab",
            Text(r"[^/\\\0]{0,128}", "at most 128 characters without slashes"),
            "",
            "What comes before _CLASS_data.dat in the name of the model's file. Not given: the"
            " model that is called as here, or else the only one of its class.",
        ),
        Option(
            "from",
            "Folder",
            FilePath(),
            "",
            "Where the model's files lie; when not given, the workspace's folder model. A folder"
            " of NAME_CLASS_autobackups will do as well.",
        ),
        Option(
            "fresh_nets",
            "Missing nets start anew",
            Flag(),
            False,
            "Give nets whose file is missing fresh weights, as DeepFaceLab does when a file was"
            " deleted (inter_AB, say). Otherwise such a model is refused.",
        ),
    ),
)
