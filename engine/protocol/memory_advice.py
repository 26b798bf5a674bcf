"""What helps where a training has too little memory, by the options that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Options that make a step need less memory: the values with which they do not, and what to say.
_SAVES_MEMORY: Mapping[str, tuple[tuple[object, ...], str]] = {
    "batch_size": ((None, 1), "a smaller --batch-size"),
    "models_opt_on_gpu": ((None, False), "--no-models-opt-on-gpu"),
    "adabelief": ((None, False), "--no-adabelief (RMSprop keeps half as much)"),
    "gan_power": ((None, 0.0), "--gan-power 0"),
    "true_face_power": ((None, 0.0), "--true-face-power 0"),
}


def memory_remedy(options: Mapping[str, Any]) -> str:
    """What helps a model with these options where the device has too little memory."""
    useful = [
        words for name, (spent, words) in _SAVES_MEMORY.items() if options.get(name) not in spent
    ]
    ways = ", or ".join([*useful, "--precision bf16"])
    return (
        f"start again with {ways}, or end what else uses the device; --retry-smaller-batch halves"
        " the batch by itself; resolution and dimensions are fixed once a model is made"
    )
