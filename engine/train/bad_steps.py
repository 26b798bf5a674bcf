"""What is told of steps that were not applied."""

from __future__ import annotations

from collections.abc import Callable

from engine.train.guard import why_bad
from engine.train.trainable import StepResult

MOST_TOLD = 20  # in a run; of more, the number is told at its end


class BadSteps:
    """Counts them. tell: hears of the first ones."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._tell = tell

    def add(self, iteration: int, result: StepResult, loss_limit: float) -> None:
        """A step after that iteration was bad."""
        self.count += 1
        if self.count <= MOST_TOLD:
            what = why_bad(result, loss_limit)
            self._tell(f"a step after iteration {iteration} {what}; it was not applied")
