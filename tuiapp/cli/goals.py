"""`goals`, and `--goal` of `run`: option values for what one wants, on the device there is."""

from __future__ import annotations

import json
import sys
from typing import Any

from engine import catalog
from engine.protocol.errors import EXIT_DONE, UsageError
from engine.protocol.goals import GOALS, Goal, device_text, goal
from engine.protocol.model_files import saved_options
from engine.protocol.spec import StageSpec
from engine.protocol.workspace import Workspace
from tuiapp.bridge.goal_words import fitting_values, goal_text, set_words
from tuiapp.bridge.gpu_memory import gpu_gib
from tuiapp.cli.arguments import no_more, option_words, read_options, read_switches

LARGEST_GIB = 10_000


def goals(words: list[str]) -> int:
    """`facewright goals [GOAL] [--gpu-gib N] [--json]`."""
    switches = read_switches(words, ("json",))
    wanted, rest = option_words(switches.rest, "gpu-gib")
    no_more(rest[1:])
    gib = gpu_gib() if wanted is None else _gib(wanted)
    chosen = (goal(rest[0]),) if rest else GOALS
    if switches.json:
        sys.stdout.write(json.dumps([_as_json(one, gib) for one in chosen], indent=2) + "\n")
    elif rest:
        sys.stdout.write(goal_text(chosen[0], gib) + "\n")
    else:
        _list(gib)
    return EXIT_DONE


def values_with_goal(spec: StageSpec, words: list[str], workspace: Workspace) -> dict[str, object]:
    """A stage's options from its words, one of which may be `--goal`: what the goal sets stands
    where no word says otherwise, and is told on stderr."""
    wanted, words = option_words(words, "goal")
    if wanted is None:
        return read_options(spec, words)
    one = goal(wanted)
    given = read_options(spec, words, _own_class(one, spec))
    return {**_added(one, spec, workspace, given), **given}


def _own_class(one: Goal, spec: StageSpec) -> str | None:
    """The model class that the goal takes in that stage. Raises `UsageError` where it knows nothing
    of the stage."""
    sets = one.values_for(spec.id, 0)
    if not sets:
        raise UsageError(
            f"--goal {one.id}: it sets nothing in {spec.id}",
            f"leave it out; it sets options of {', '.join(one.settings)}",
            code="option-value",
        )
    return sets.get("model_class")


def _added(
    one: Goal, spec: StageSpec, workspace: Workspace, given: dict[str, object]
) -> dict[str, Any]:
    """What the goal adds to what is given. A model that exists goes on as it is."""
    gib = gpu_gib(str(given.get("device", "auto")))
    model_class = str(given.get("model_class") or _own_class(one, spec) or "")
    options = catalog.options_of(spec, model_class or None)
    fitting = fitting_values(one, spec.id, gib, options)
    sets = {name: value for name, value in fitting.items() if name not in given}
    if spec.trains_model and _exists(spec, workspace, given, model_class):
        _say(f"goal {one.id}: the model exists and goes on with its own options")
        return {name: sets[name] for name in ("model_class",) if name in sets}
    _say(f"goal {one.id} for {device_text(gib)}: {set_words(one, spec.id, sets)}")
    if spec.trains_model and "batch_size" in sets:
        _say(f"this {one.memory_text(gib)}")
    return sets


def _exists(
    spec: StageSpec, workspace: Workspace, given: dict[str, object], model_class: str
) -> bool:
    default = next(row.default for row in spec.options if row.name == "model")
    model_class = model_class or catalog.models_of(spec)[0].id
    return bool(saved_options(workspace.model(str(given.get("model", default)), model_class)))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _gib(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LARGEST_GIB:
        raise UsageError(
            f"--gpu-gib {text}: must be 0 to {LARGEST_GIB}",
            "give the GPU's memory in GiB, or 0 for the CPU",
            code="option-value",
        )
    return value


def _list(gib: float) -> None:
    sys.stdout.write(f"For {device_text(gib)}; `facewright goals GOAL` says what is set and why.\n")
    for one in GOALS:
        sys.stdout.write(f"\n{one.id}: {one.summary}\n")
        values = one.values_for("train", gib)
        sys.stdout.write(f"  facewright run train --goal {one.id}\n")
        sys.stdout.write(f"  = {set_words(one, 'train', values)}\n")


def _as_json(one: Goal, gib: float) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "summary": one.summary,
        "gpu_gib": gib,
        "takes_gib": one.size_for(gib).takes_gib,
        "measured": False,
        "settings": {
            stage_id: [
                {"option": row.option, "value": row.value, "why": row.why}
                for row in one.settings_for(stage_id, gib)
            ]
            for stage_id in one.settings
        },
        "steps": list(one.steps),
    }
