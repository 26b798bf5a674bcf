"""The stage model-delete as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_names import WHOLE_MODEL
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_DELETE = StageSpec(
    id="model-delete",
    title="Delete model",
    group="Model",
    summary="Move a model with all its saves to the trash",
    code="engine.stages.model_delete.run:delete_model",
    needs=("writable",),
    resources=WHOLE_MODEL,
    replaces="the model with its saves, backups and snapshots",
    help="Moves it to the workspace's trash (.facewright/trash), and says how to bring it back; it"
    " takes room there until the trash is emptied. DeepFaceLab's files are left alone. Refused"
    " while the model is being trained or merged with.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS),
)
