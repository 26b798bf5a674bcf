"""A step that two devices share, made by one: what it must come to, in plain words."""

from __future__ import annotations

import tensorflow as tf

from engine.models.net_model import NetModel, arrays
from engine.nets.distribution import ALONE
from engine.train.batches import Batch, SideBatch


class MeanOfHalves:
    """Moves a model as two devices would."""

    def __init__(self, model: NetModel) -> None:
        self._model = model
        self._of_half = tf.function(self._gradients, autograph=False)

    def step(self, batch: Batch) -> None:
        """Move by the mean of the gradients of both halves' sums."""
        count = len(batch.src.input_bgr) // 2
        halves = [
            self._of_half(
                *(
                    ALONE.split(arrays(_cut(side, slice(first, first + count))))
                    for side in (batch.src, batch.dst)
                )
            )
            for first in (0, count)
        ]
        for file, learner in self._model.learners.items():
            pairs = zip(halves[0][file], halves[1][file], strict=True)
            learner.apply([None if a is None else (a + b) / 2 for a, b in pairs])

    def _gradients(self, src, dst) -> dict[str, list]:
        with tf.GradientTape(persistent=True) as tape:
            lowered = self._model.objective(src, dst).lowered
            totals = {file: tf.reduce_sum(loss) for file, loss in lowered.items()}
        learners = self._model.learners
        return {file: learners[file].gradients(tape, total) for file, total in totals.items()}


def _cut(side: SideBatch, rows: slice) -> SideBatch:
    eyes_mouth = side.eyes_mouth
    return SideBatch(
        side.input_bgr[rows],
        side.target_bgr[rows],
        side.mask[rows],
        None if eyes_mouth is None else eyes_mouth[rows],
    )
