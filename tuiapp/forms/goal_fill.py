"""What a goal puts into forms: into the one that is open, and into those of other stages when they
are opened the next time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import catalog
from engine.protocol.goals import Goal
from engine.protocol.options import Life
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace
from tuiapp.forms.form_state import MODEL, MODEL_CLASS, stored_values
from tuiapp.forms.memory import remember_values, remembered_values

TRAIN = "train"


def filled_values(
    workspace: Workspace, spec: StageSpec, goal: Goal, gpu_gib: float, entered: Mapping[str, object]
) -> dict[str, object]:
    """The values of a stage's form for the goal. Of what was `entered` the run's own options stay,
    those of the model class begin at their defaults.

    A model that exists and fits goes on with its own options; another one gets a name beside it.
    """
    sets = goal.values_for(spec.id, gpu_gib)
    own = {option.name for option in spec.options}
    kept = {name: value for name, value in entered.items() if name in own}
    values: dict[str, object] = {**kept, **sets}
    if not spec.trains_model:
        return values
    model_class = str(values.get(MODEL_CLASS, catalog.models_of(spec)[0].id))
    default = next(option.default for option in spec.options if option.name == MODEL)
    name = str(values.get(MODEL, default))
    stored = stored_values(workspace, spec, {MODEL: name, MODEL_CLASS: model_class})
    if stored and _fits(spec, model_class, stored, sets):
        return {MODEL: name, MODEL_CLASS: model_class}
    return {**values, MODEL: _free_name(workspace, name, model_class) if stored else name}


def remember_goal(
    workspace: Workspace, goal: Goal, gpu_gib: float, open_forms: Mapping[str, Mapping[str, object]]
) -> None:
    """Let the forms of all stages that the goal knows begin with what it sets, merging with the
    model that it trains. Raises `InputError` when this cannot be written.

    open_forms: what was entered, by stage, in forms that are open now; others go by what they were
    last started with."""
    model: dict[str, object] = {}
    for stage_id in goal.settings:
        spec = catalog.stage(stage_id)
        entered = open_forms.get(stage_id) or remembered_values(workspace, stage_id)
        values = filled_values(workspace, spec, goal, gpu_gib, entered)
        if stage_id == TRAIN:
            model = {name: values[name] for name in (MODEL, MODEL_CLASS)}
        elif MODEL in {option.name for option in spec.options} and not spec.trains_model:
            values = {**values, **model}
        remember_values(workspace, stage_id, values)


def _fits(
    spec: StageSpec, model_class: str, stored: Mapping[str, Any], sets: Mapping[str, Any]
) -> bool:
    """The model was made as the goal would make it."""
    shaping = [o for o in catalog.options_of(spec, model_class) if o.life is Life.CREATION]
    return all(stored.get(o.name) == sets[o.name] for o in shaping if o.name in sets)


def _free_name(workspace: Workspace, name: str, model_class: str) -> str:
    """The name with the first number that no model has."""
    number = 2
    while workspace.model(f"{name} {number}", model_class).exists():
        number += 1
    return f"{name} {number}"
