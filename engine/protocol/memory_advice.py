"""What helps where a run has too little memory, by the options that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Options that make a step need less memory: the values with which they do not, and what to say.
# None is what a model has that lacks the option.
_SAVES_MEMORY: Mapping[str, tuple[tuple[object, ...], str]] = {
    "batch_size": ((None, 1), "a smaller --batch-size"),
    "accumulate": ((None,), "a smaller one with more --accumulate, which learns as well"),
    "recompute": ((None, True), "--recompute"),
    "models_opt_on_gpu": ((None, False), "--no-models-opt-on-gpu"),
    "adabelief": ((None, False), "--no-adabelief (RMSprop keeps half as much)"),
    "gan_power": ((None, 0.0), "--gan-power 0"),
    "true_face_power": ((None, 0.0), "--true-face-power 0"),
    "precision": (("bf16",), "--precision bf16"),
}


def memory_remedy(options: Mapping[str, Any]) -> str:
    """What helps a training with these options where the device has too little memory."""
    useful = [
        words for name, (spent, words) in _SAVES_MEMORY.items() if options.get(name) not in spent
    ]
    ways = f"start again with {', or '.join(useful)}, or end" if useful else "end"
    return (
        f"{ways} what else uses the device; --retry-smaller-batch halves the batch by itself;"
        " resolution and dimensions are fixed once a model is made"
    )


def run_remedy(options: Mapping[str, Any]) -> str:
    """What helps a run of any stage where the machine has too little memory."""
    if "batch_size" in options:
        return memory_remedy(options)
    if "workers" in options:
        return "start again with fewer --workers, or end other programs; finished work is kept"
    return "end other programs, or work with smaller pictures, and start again"
