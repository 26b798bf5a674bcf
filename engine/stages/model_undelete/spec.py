"""The stage model-undelete as data."""

from engine.protocol.spec import StageSpec
from engine.stages.model_names import WHOLE_MODEL
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_UNDELETE = StageSpec(
    id="model-undelete",
    title="Bring back model",
    group="Model",
    summary="Take a deleted model out of the trash again",
    code="engine.stages.model_undelete.run:undelete_model",
    needs=("writable",),
    resources=WHOLE_MODEL,
    help="Of several deleted models of one name, the one that was deleted last comes back. Refused"
    " while there is another model of that name: rename it first.",
    options=(KNOWN_MODEL, KNOWN_MODEL_CLASS),
)
