"""The stage model-save-delete as data."""

from dataclasses import replace

from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVE, SAVES_RESOURCE

MODEL_SAVE_DELETE = StageSpec(
    id="model-save-delete",
    title="Delete snapshot",
    group="Model",
    summary="Move a snapshot or backup of a model to the trash",
    code="engine.stages.model_save_delete.run:delete_save",
    needs=("writable",),
    resources=(SAVES_RESOURCE,),
    replaces="the snapshot or backup",
    help="Moves it to the workspace's trash (.facewright/trash), from where it can be moved back.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        replace(SAVE, help="The name of the snapshot or backup."),
    ),
)
