"""The mean of a net's weights over its last steps.

While the rate is high, a net's masks swing from one hundred steps to the next; those of the mean do
not (Izmailov 2018, arXiv 1803.05407; measured in .docs/masks.md). It learns nothing itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.nets.initialisation import load_weights, weights_of
from engine.nets.layers import Block
from engine.protocol.errors import InputError
from engine.train.tensor_files import Tensors

# What is kept of the mean at each step: it reaches back some hundred steps.
MOST_KEPT = 0.99
# Young means keep less: after n steps n / (n + 9).
_YOUTH = 9
_STEPS = "steps:0"


class RunningMean:
    """mean: a second net like `net`, which has the mean as its weights. steps: how many steps of
    the net it has seen; at 0 it is the net as it is."""

    def __init__(self, net: Block, mean: Block) -> None:
        self.net = net
        self.mean = mean
        self.steps = 0
        share = tf.TensorSpec((), tf.float32)
        self._blend = tf.function(self._blended, input_signature=[share], autograph=False)

    def follow(self) -> None:
        """After a step of the net."""
        self._blend(tf.constant(min(MOST_KEPT, self.steps / (self.steps + _YOUTH)), tf.float32))
        self.steps += 1

    def begin_anew(self) -> None:
        """The net is another than it was."""
        self.steps = 0

    def be_ready(self) -> None:
        """Before `mean` is looked with: it may be of no step yet."""
        if not self.steps:
            self._blend(tf.constant(0.0))

    def state(self) -> Tensors:
        """To be saved; nothing before the first step."""
        if not self.steps:
            return {}
        return {**weights_of(self.mean), _STEPS: np.array(self.steps, np.int64)}

    def load(self, name: str, state: Tensors) -> None:
        """Go on from a save; from none, anew. Raises `InputError` for tensors that are missing or
        of other shapes, and for a count of steps that there cannot be."""
        if not state:
            self.steps = 0
            return
        steps = _whole_number(name, state.get(_STEPS))
        load_weights(self.mean, name, mean_weights(state))
        self.steps = steps

    def _blended(self, kept: tf.Tensor) -> None:
        pairs = zip(self.mean.named_weights(), self.net.named_weights(), strict=True)
        for (_, mean), (_, weight) in pairs:
            mean.value.assign(kept * mean.value + (1 - kept) * weight.value)


def _whole_number(name: str, steps: NDArray[Any] | None) -> int:
    """Raises `InputError` for anything but one whole number of at least 1."""
    if steps is None or steps.size != 1 or steps.dtype.kind not in "iu" or steps.item() < 1:
        raise InputError(
            f"{name}: {_STEPS} does not say how many steps the mean has seen",
            "go back to another save (model-restore)",
        )
    return int(steps.item())


def mean_weights(state: Tensors) -> Tensors:
    """Of a saved mean: what a net is given."""
    return {name: tensor for name, tensor in state.items() if name != _STEPS}
