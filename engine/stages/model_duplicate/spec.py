"""The stage model-duplicate as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_names import NEW_MODEL, NEW_NAME
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVES_RESOURCE

MODEL_DUPLICATE = StageSpec(
    id="model-duplicate",
    title="Duplicate model",
    group="Model",
    summary="Make a second model of one, to try something else with it",
    code="engine.stages.model_duplicate.run:duplicate_model",
    needs=("writable", "free-model-name"),
    # Half-made models are swept by whoever makes one: only one run may at a time.
    resources=(SAVES_RESOURCE, NEW_MODEL, "model-import"),
    help="Saves are shared with the first model until either forgets them, so a duplicate takes"
    " hardly any room where the disk has hard links; elsewhere they are copied if there is room."
    " From then on the two have nothing in common. Of a model that is being trained the duplicate"
    " is as the last save.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS, NEW_NAME),
)
