"""What the training loop asks of a model. The loop owns time, the model owns maths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.train.batches import Batch, BatchStream
from engine.train.generations import Generation, State
from engine.train.samples import Sampling


@dataclass(frozen=True)
class StepResult:
    """What became of one step.

    losses: one per name in the model's spec, means over the batch. applied: False if a loss or
    gradient was not finite, or the losses' sum was beyond the limit; all weights are as they were
    then, and the iteration was not counted. health: further measures of the step by name, such as
    the mean of a predicted mask, for the collapse guard.
    """

    losses: tuple[float, ...]
    applied: bool = True
    health: Mapping[str, float] = field(default_factory=dict)


class Trainable(Protocol):
    """A model in training. It never prints, waits or looks at a clock."""

    iteration: int
    """Steps made so far."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What the model was made and is trained with, as saved."""
        ...

    @property
    def seed(self) -> int: ...

    def sampling(self) -> Sampling:
        """What the model trains on, by its options as they are now."""
        ...

    def train_step(self, batches: BatchStream, loss_limit: float = float("inf")) -> StepResult:
        """Draw what one step needs, make it, and count it if it was applied.

        loss_limit: a step whose losses sum to more is not applied. Raises `StageError` (code
        "out-of-memory"), with all weights as they were, if the device has too little memory.
        """
        ...

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """Go on with other options. Raises `UsageError` for an option that is fixed at creation,
        and for values that do not go together; nothing is changed then. `StageError` (code
        "out-of-memory") if the device has too little memory for what they need: the model is half
        changed then. The caller asks `sampling` again."""
        ...

    def trace(self) -> None:
        """Get the step ready to be made with the options as they are, which takes seconds; else the
        next step does it."""
        ...

    def restore(self, saved: Generation) -> None:
        """Go back to the weights, optimizer state and iteration of a save of this model."""
        ...

    def reset_nets(self, names: Sequence[str]) -> None:
        """Give the nets of these names fresh random weights, and their optimizer state zeros.
        Raises `UsageError` for a name that no net has."""
        ...

    def state(self) -> State:
        """Copies of all weights and optimizer state, by file."""
        ...

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Pictures (h, w, 3) BGR by page, of an unwarped batch."""
        ...
