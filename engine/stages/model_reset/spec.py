"""The stage model-reset as data."""

from engine.protocol.model_resets import RESETS
from engine.protocol.options import Choice, Option
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS, SAVES_RESOURCE

MODEL_RESET = StageSpec(
    id="model-reset",
    title="Reset model",
    group="Model",
    summary="Make nets of a model anew: for another dst or another pair of faces, or RTM",
    code="engine.stages.model_reset.run:reset_model",
    needs=("writable",),
    resources=("model-{model}_{model_class}", SAVES_RESOURCE),
    replaces="what the chosen nets have learned",
    help="Writes a new save in which these nets have fresh weights and the optimizer knows nothing"
    " of them; all other nets stay. The save as it was becomes a snapshot named before-reset-...,"
    " so model-restore undoes it.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        Option(
            "what",
            "What",
            Choice(tuple((reset.id, f"{reset.title}: {reset.help}") for reset in RESETS)),
            RESETS[0].id,
            "What to make anew, and what for.",
        ),
    ),
)
