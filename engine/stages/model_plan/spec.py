"""The stage model-plan as data."""

from __future__ import annotations

from engine.protocol.options import Choice, Number, Option, Unless
from engine.protocol.plan_presets import PRESETS
from engine.protocol.spec import StageSpec
from engine.stages.model_saves import KNOWN_MODEL, KNOWN_MODEL_CLASS

SHOW = "show"

MODEL_PLAN = StageSpec(
    id="model-plan",
    title="Training plan",
    group="Model",
    summary="Show and check a model's training plan, or write one from a preset to edit",
    code="engine.stages.model_plan.run:run",
    needs=("writable",),
    replaces="the model's own plan, which goes to the trash",
    help="A plan lists phases: which options change when each begins, and when it ends. It lies in"
    " the model's folder as plan.json, can be edited there or in the app, also while the model"
    " trains, and is followed by every later training of that model. Numbers of iterations in"
    " presets are starting points.",
    options=(
        KNOWN_MODEL,
        KNOWN_MODEL_CLASS,
        Option(
            "preset",
            "Preset",
            Choice(
                (
                    (SHOW, "write nothing: show the plan that the model has"),
                    *((preset, plan.note) for preset, plan in PRESETS.items()),
                )
            ),
            SHOW,
            "Which plan to write. The model need not exist yet.",
        ),
        Option(
            "scale",
            "Scale",
            Number(0.001, 1000, 0.1),
            1.0,
            "Multiplies all numbers of iterations: 0.5 for half as many.",
            applies=Unless("preset", (SHOW,)),
        ),
    ),
)
