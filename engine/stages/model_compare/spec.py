"""The stage model-compare as data."""

from dataclasses import replace

from engine.protocol.options import Flag, Option
from engine.protocol.spec import StageSpec
from engine.stages.model_names import NAME_OR_NONE
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

MODEL_COMPARE = StageSpec(
    id="model-compare",
    title="Compare models",
    group="Model",
    summary="See in what the options of two models differ",
    code="engine.stages.model_compare.run:compare_models",
    needs=("writable",),
    help="Lists the options of which the two have different values, as text, and writes all of them"
    " as JSON to the run's folder. No weights are read, and nothing is changed; either may be in"
    " training.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        Option("other", "Other model", NAME_OR_NONE, "", "The name of the other one.", kept=False),
        replace(
            KNOWN_MODEL_CLASS,
            name="other_class",
            label="Class of the other",
            derive=lambda values: values["model_class"],
            help="Which kind of model the other one is. Not given: the same.",
        ),
        Option("all", "All options", Flag(), False, "List those that are the same, too."),
    ),
)
