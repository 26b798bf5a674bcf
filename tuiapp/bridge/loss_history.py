"""A model's losses as a viewer holds them: every iteration, a few bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from engine.protocol.loss_columns import LossColumns


class LossHistory:
    """Losses by iteration, ascending; `version` counts changes.

    An iteration at or before the last known one takes the place of everything from there on: points
    that are known already do no harm, and a training that was rolled back draws its new course.
    """

    def __init__(self) -> None:
        self.iterations = array("q")
        self.losses = array("f")  # `width` for each iteration
        self.width = 0
        self.version = 0

    def __len__(self) -> int:
        return len(self.iterations)

    def add(self, iteration: int, values: Sequence[float]) -> None:
        """One iteration, as it was made. The first one says how many losses there are; another
        number of them begins anew."""
        if len(values) != self.width:
            self._begin(len(values))
        self._drop_from(iteration)
        self.iterations.append(iteration)
        self.losses.extend(values)
        self.version += 1

    def put(self, columns: LossColumns) -> None:
        """What the model's history says takes the place of what is known of its iterations; newer
        ones stay."""
        if not len(columns):
            return
        if columns.width != self.width:
            self._begin(columns.width)
        newer = bisect_left(self.iterations, columns.iterations[-1] + 1)
        late_iterations = self.iterations[newer:]
        late_losses = self.losses[newer * self.width :]
        self._drop_from(columns.iterations[0])
        self.iterations += columns.iterations + late_iterations
        self.losses += columns.losses + late_losses
        self.version += 1

    def clear(self) -> None:
        self._begin(self.width)

    def _begin(self, width: int) -> None:
        self.width = width
        self.iterations, self.losses = array("q"), array("f")
        self.version += 1

    def _drop_from(self, iteration: int) -> None:
        if self.iterations and self.iterations[-1] >= iteration:
            keep = bisect_left(self.iterations, iteration)
            del self.iterations[keep:]
            del self.losses[keep * self.width :]
