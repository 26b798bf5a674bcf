"""The stage model-restore as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVE, SAVES_RESOURCE

MODEL_RESTORE = StageSpec(
    id="model-restore",
    title="Restore model",
    group="Model",
    summary="Go back to a snapshot, a backup or an earlier save of a model",
    code="engine.stages.model_restore.run:restore_model",
    needs=("writable",),
    resources=("model-{model}_{model_class}", SAVES_RESOURCE),
    replaces="the model's saves of later iterations",
    help="Training and merging go on from the chosen save. The newest save becomes a snapshot named"
    " before-restore-..., so the way back is open; the other saves and preview pictures of later"
    " iterations go to the workspace's trash.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVE),
)
