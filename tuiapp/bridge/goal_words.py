"""What a goal sets, stage by stage, and why: the same text for the command line and the app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine import catalog
from engine.protocol.goals import Goal, device_text
from engine.protocol.options import Option
from tuiapp.bridge.wording import flag_words


def goal_text(goal: Goal, gpu_gib: float) -> str:
    """Lines: what for, memory, every option with its reason, what else is to be done."""
    lines = [
        f"{goal.title}: {goal.summary}",
        f"On {device_text(gpu_gib)} the training {goal.memory_text(gpu_gib)}.",
        "",
        *(f"{number}. {step}" for number, step in enumerate(goal.steps, start=1)),
    ]
    for stage_id in goal.settings:
        lines += ["", stage_id, *_setting_lines(goal, stage_id, gpu_gib)]
    return "\n".join(lines)


def set_words(goal: Goal, stage_id: str, values: Mapping[str, Any]) -> str:
    """Values that the goal sets in a stage as they are typed at a command line."""
    rows = _rows(goal, stage_id)
    return " ".join(" ".join(flag_words(rows[name], value)) for name, value in values.items())


def fitting_values(
    goal: Goal, stage_id: str, gpu_gib: float, options: Iterable[Option]
) -> dict[str, Any]:
    """What the goal sets of these options: another model class than the goal's may lack some."""
    known = {option.name for option in options}
    values = goal.values_for(stage_id, gpu_gib)
    return {name: value for name, value in values.items() if name in known}


def _setting_lines(goal: Goal, stage_id: str, gpu_gib: float) -> list[str]:
    rows = _rows(goal, stage_id)
    lines = []
    for setting in goal.settings_for(stage_id, gpu_gib):
        words = " ".join(flag_words(rows[setting.option], setting.value))
        lines += [f"  {words}", f"      {setting.why}"]
    return lines


def _rows(goal: Goal, stage_id: str) -> dict[str, Option]:
    """The option rows of the stage with the goal's model class."""
    model_class = goal.values_for(stage_id, 0).get("model_class")
    return {
        option.name: option for option in catalog.options_of(catalog.stage(stage_id), model_class)
    }
