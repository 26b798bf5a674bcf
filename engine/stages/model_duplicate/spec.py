"""The stage model-duplicate as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_names import NEW_MODEL, NEW_NAME, WHOLE_MODEL
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_DUPLICATE = StageSpec(
    id="model-duplicate",
    title="Duplicate model",
    group="Model",
    summary="Make a second model of one, to try something else with it",
    code="engine.stages.model_duplicate.run:duplicate_model",
    needs=("writable", "free-model-name"),
    # Half-made models are swept by whoever makes one: only one run may at a time.
    resources=(*WHOLE_MODEL, NEW_MODEL, "model-import"),
    help="Saves are shared with the first model until either forgets them, so a duplicate takes"
    " hardly any room where the disk has hard links; elsewhere they are copied if there is room."
    " From then on the two have nothing in common. Refused while the model is being trained: take"
    " a snapshot then.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS, NEW_NAME),
)
