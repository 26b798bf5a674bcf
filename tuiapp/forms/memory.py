"""What a form begins with: the stage's last start, kept in the workspace, or the newest model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine import catalog
from engine.protocol.files import write_atomically
from engine.protocol.spec import FRESH, StageSpec
from engine.protocol.survey import ModelFact
from engine.protocol.workspace import Workspace, make_folder
from engine.runtime.client import RunInfo, RunState
from tuiapp.forms.form_state import MODEL, MODEL_CLASS

# Starting afresh is a wish for one run, never a habit.
NOT_REMEMBERED = frozenset({FRESH.name})
# What one person agreed to must not be what the next one's form begins with.
NEVER_REMEMBERED = frozenset({"consent-record", "consent-erase"})
MAX_BYTES = 256 * 1024
_FOLDER = "forms"
TAKE_THE_NAME_AWAY = frozenset({"model-rename", "model-delete"})
MAKES_A_MODEL = "model-import"  # its model is to have another name than those there are


def remembered_values(workspace: Workspace, stage_id: str) -> dict[str, Any]:
    """The values of the stage's last start; {} if there was none or the file is not one."""
    path = _path(workspace, stage_id)
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def remember_values(workspace: Workspace, stage_id: str, values: Mapping[str, Any]) -> None:
    """Keep the values of a start, but for stages whose forms begin empty each time. Raises
    `InputError` when they cannot be written."""
    if stage_id in NEVER_REMEMBERED:
        return
    kept = {name: value for name, value in values.items() if name not in NOT_REMEMBERED}
    path = _path(workspace, stage_id)
    make_folder(path.parent)
    write_atomically(path, json.dumps(kept, indent=1).encode(), durable=False)


def forget_models_of(workspace: Workspace, runs: Iterable[RunInfo]) -> None:
    """As `forget_model`, of models that these runs took the name away, by commands too. What was
    started since is remembered: it may be another model of that name."""
    for run in runs:
        if run.stage in TAKE_THE_NAME_AWAY and run.state is RunState.DONE and run.ended_at:
            options = run.job.options
            forget_model(workspace, options[MODEL], options[MODEL_CLASS], before=run.ended_at)


def forget_model(
    workspace: Workspace, name: str, model_class: str, *, before: float = math.inf
) -> None:
    """No form that was started before (seconds since the epoch) begins with that model any more:
    it is called otherwise now, or is gone. Raises `InputError` when that cannot be written."""
    for path in (workspace.state / _FOLDER).glob("*.json"):
        values = remembered_values(workspace, path.stem)
        is_its = (values.get(MODEL), values.get(MODEL_CLASS)) == (name, model_class)
        if is_its and path.stat().st_mtime < before:
            others = {n: value for n, value in values.items() if n not in (MODEL, MODEL_CLASS)}
            remember_values(workspace, path.stem, others)


def newest_model(spec: StageSpec, models: Iterable[ModelFact]) -> dict[str, Any]:
    """Name and class of the model that was trained last (`models` go from new to old), else of a
    ready-made one, for a stage that works on a model; {} without one."""
    names = {option.name for option in spec.options}
    classes = {model.id for model in catalog.models_of(spec)}
    fitting = [m for m in models if m.origin != "dfl" and m.model_class in classes]
    own = [m for m in fitting if m.origin == "facewright"] or fitting
    if not own or not {MODEL, MODEL_CLASS} <= names or spec.id == MAKES_A_MODEL:
        return {}
    return {MODEL: own[0].name, MODEL_CLASS: own[0].model_class}


def _path(workspace: Workspace, stage_id: str) -> Path:
    return workspace.state / _FOLDER / f"{stage_id}.json"
