"""What the training loop asks of a model. The loop owns time, the model owns maths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.train.batches import Batch, BatchStream
from engine.train.generations import State


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

    def train_step(self, batches: BatchStream) -> tuple[float, ...]:
        """Draw what one step needs, make it, and count it. Returns the losses.

        Raises `StageError`, with all weights as they were, if a loss or gradient is not finite.
        """
        ...

    def state(self) -> State:
        """Copies of all weights and optimizer state, by file."""
        ...

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """Pictures (h, w, 3) BGR by page, of an unwarped batch."""
        ...
