"""What the options of 1.0's models mean together. Imports no library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What is in force while pretraining, whatever the options say.
_WHILE_PRETRAINING: Mapping[str, Any] = {
    "random_flip": True,
    "uniform_yaw": True,
    "face_style_power": 0.0,
    "bg_style_power": 0.0,
    "ct_mode": "none",
}
# What models do that have no such options.
_WITHOUT_OPTION: Mapping[str, Any] = {
    "face_style_power": 0.0,
    "bg_style_power": 0.0,
    "ct_mode": "none",
    "clipgrad": False,
    "models_opt_on_gpu": True,
    "pretrain": False,
}


def in_force(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a step goes by: as chosen, or as pretraining needs them."""
    chosen = {**_WITHOUT_OPTION, **options}
    return {**chosen, **(_WHILE_PRETRAINING if chosen["pretrain"] else {})}
