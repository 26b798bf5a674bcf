"""Which colours of the theme losses and marks are drawn in."""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color

# Theme variables of the losses by their names; others take the theme's own colours in turn.
_VARIABLES = {"src": "loss-src", "dst": "loss-dst"}
_FURTHER_VARIABLES = ("accent", "warning", "success", "error")
_MARK_VARIABLES = {
    "phase": "primary",
    "option": "warning",
    "rollback": "error",
    "reset": "error",
    "backup": "success",
}
# How much of its colour a raw curve keeps on the background, beside the smoothed one.
FAINT = 0.34


def loss_colour(variables: Mapping[str, str], name: str, number: int) -> Color:
    """The colour of the loss `name`, the `number`th of its model."""
    further = _FURTHER_VARIABLES[number % len(_FURTHER_VARIABLES)]
    return Color.parse(variables.get(_VARIABLES.get(name, further)) or variables[further])


def mark_colour(variables: Mapping[str, str], kind: str) -> Color:
    return Color.parse(variables[_MARK_VARIABLES.get(kind, "secondary")])
