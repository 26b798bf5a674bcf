"""The stage model-rename as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_names import NEW_MODEL, NEW_NAME, WHOLE_MODEL
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_RENAME = StageSpec(
    id="model-rename",
    title="Rename model",
    group="Model",
    summary="Give a model another name",
    code="engine.stages.model_rename.run:rename_model",
    needs=("writable", "free-model-name"),
    resources=(*WHOLE_MODEL, NEW_MODEL),
    help="Saves, backups, snapshots, losses, pictures and the looks of interactive merging come"
    " along. Refused while the model is being trained or merged with.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS, NEW_NAME),
)
