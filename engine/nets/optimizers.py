"""RMSprop and AdaBelief as DeepFaceLab has them (spec, training 5), and the Adam of its first
version.

Neither of the former corrects for its zero start, so first steps are large, about 3.2 and 3.5 times
the learning rate; models were tuned with that. All gradients are given at once: no weight changes
before the last gradient is computed. State tensors are named as in DeepFaceLab's optimizer files.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from engine.nets.layers import Tensor
from engine.protocol.errors import InputError

EPSILON = 1e-6  # float32's "resolution": what the original takes for its type


@dataclass(frozen=True)
class Schedule:
    """How fast weights move.

    rate: the learning rate. keep: the share of elements moved in each step ("lr dropout"; 1 is all
    of them). cosine_period: the rate goes from full to 0 and back in so many steps; 0 is off.
    clip_norm: the largest norm that the gradients of one step may have together; 0 is off.
    masks_on_cpu: draw the masks of lr dropout on the CPU: slower, needs less memory of a GPU.
    """

    rate: float
    keep: float = 1.0
    cosine_period: int = 0
    clip_norm: float = 0.0
    masks_on_cpu: bool = False


class Optimizer(ABC):
    """Moves variables against their gradients.

    variables: pairs of full name (`encoder/down1/downs_0/conv1/weight`) and Keras variable.
    seed: starts the masks of lr dropout; together with the step count it determines every mask, so
    a resumed run draws the same ones.
    """

    slots: tuple[str, ...]

    def __init__(
        self, variables: Sequence[tuple[str, Any]], schedule: Schedule, *, seed: int = 0
    ) -> None:
        self.seed = seed
        self.schedule = schedule
        self.names = [name for name, _ in variables]
        self.variables = [variable for _, variable in variables]
        self.iterations = keras.Variable(0, dtype="int64", trainable=False, name="iters")
        self._state = {
            slot: [(f"{slot}_{name}_0:0", _zeros_like(variable)) for name, variable in variables]
            for slot in self.slots
        }

    @property
    def schedule(self) -> Schedule:
        return self._schedule

    @schedule.setter
    def schedule(self, schedule: Schedule) -> None:
        """XLA makes one pass over each tensor where TensorFlow makes one for every operation. It
        places no masks, though."""
        self._schedule = schedule
        self._compiles = not (schedule.masks_on_cpu and schedule.keep < 1)
        self._compiled = tf.function(self._move, jit_compile=self._compiles)

    def named_state(self) -> Iterator[tuple[str, Any]]:
        """Pairs of name and Keras variable, in the order of DeepFaceLab's files."""
        yield "iters:0", self.iterations
        for slot in self.slots:
            yield from self._state[slot]

    def load_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from saved state. Tensors that are not in `arrays` stay as they are: after a change
        of the optimizer's class its state begins at zero, as in DeepFaceLab. Raises `InputError`
        for a tensor of another shape."""
        for name, variable in self.named_state():
            if name not in arrays:
                continue
            if arrays[name].shape != tuple(variable.shape):
                found, needed = arrays[name].shape, tuple(variable.shape)
                raise InputError(
                    f"the optimizer's {name} has shape {found}, not {needed}",
                    "these weights belong to a model with other settings",
                )
            variable.assign(arrays[name])

    def reset(self, prefix: str = "") -> None:
        """Zero the state of all variables whose name begins with `prefix`; of all, also the step
        count."""
        for slot in self.slots:
            for name, (_, state) in zip(self.names, self._state[slot], strict=True):
                if name.startswith(prefix):
                    state.assign(ops.zeros(state.shape, state.dtype))
        if not prefix:
            self.iterations.assign(0)

    def apply(self, gradients: Sequence[Tensor | None]) -> None:
        """One step. `gradients` in the order of the variables; None leaves a variable as it is."""
        self._compiled(list(gradients))

    def _move(self, gradients: Sequence[Tensor | None]) -> None:
        gradients = self._clipped(gradients)
        rate = self._rate()
        by_slot = [[state for _, state in self._state[slot]] for slot in self.slots]
        rows = zip(self.variables, gradients, zip(*by_slot, strict=True), strict=True)
        kept = self._kept_by_variable() if self.schedule.keep < 1 else None
        for index, (variable, gradient, state) in enumerate(rows):
            if gradient is None:
                continue
            change = self._change(gradient, *state) * rate
            if kept:
                change = ops.where(kept[index], change, 0.0)
            variable.assign_sub(change)
        self.iterations.assign_add(1)

    @abstractmethod
    def _change(self, gradient: Tensor, *state: Any) -> Tensor:
        """Advance the variable's state; what to subtract at a learning rate of 1."""

    def _rate(self) -> Tensor:
        rate = ops.convert_to_tensor(self.schedule.rate, "float32")
        if not self.schedule.cosine_period:
            return rate
        turns = ops.cast(self.iterations + 1, "float32") / self.schedule.cosine_period
        return rate * (ops.cos(2 * math.pi * turns) + 1) / 2

    def _clipped(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """As float32, together no longer than the limit."""
        exact = [None if g is None else ops.cast(g, "float32") for g in gradients]
        limit = self.schedule.clip_norm
        if not limit:
            return exact
        norm = global_norm([gradient for gradient in exact if gradient is not None])
        factor = ops.where(norm >= limit, limit / norm, 1.0)
        return [None if gradient is None else gradient * factor for gradient in exact]

    def _kept_by_variable(self) -> list[Tensor]:
        """A mask for each variable. Those of vectors are drawn together: XLA compiles each drawing
        by itself, and XSeg has 170 vectors."""
        shapes = [tuple(variable.shape) for variable in self.variables]
        sizes = [shape[0] if len(shape) == 1 else 0 for shape in shapes]
        of_vectors = iter(tf.split(self._kept(len(shapes), (sum(sizes),)), sizes))
        return [
            mask if len(shape) == 1 else self._kept(index, shape)
            for index, (shape, mask) in enumerate(zip(shapes, of_vectors, strict=True))
        ]

    def _kept(self, index: int, shape: tuple[int, ...]) -> Tensor:
        """A fresh mask, True with probability `keep`. Keras has no generator whose numbers follow
        from a step count alone; bits are compared as integers, which is exact to 2^-24. XLA makes a
        million threefry numbers in 1.1 ms of a CPU, as many of its own choice in 430; uncompiled
        there is philox alone, 4.9 ms."""
        step = tf.cast(self.iterations.value, tf.int32)
        seed = tf.stack([step, tf.constant(self.seed * 4099 % 2**31 ^ index, tf.int32)])
        in_xla = self._compiles and not tf.config.functions_run_eagerly()
        algorithm = "threefry" if in_xla else "philox"
        with tf.device("/CPU:0") if self.schedule.masks_on_cpu else nullcontext():
            drawn = tf.random.stateless_uniform(shape, seed, alg=algorithm)
            return drawn < self.schedule.keep


@dataclass(frozen=True)
class Rule:
    """Which optimizer moves a net's weights, and how fast."""

    optimizer: type[Optimizer]
    schedule: Schedule


class RMSprop(Optimizer):
    """a = 0.9 a + 0.1 g^2; change = g / (sqrt(a) + epsilon)."""

    slots = ("acc",)

    def _change(self, gradient: Tensor, *state: Any) -> Tensor:
        (mean_square,) = state
        mean_square.assign(0.9 * mean_square + 0.1 * ops.square(gradient))
        return gradient / (ops.sqrt(mean_square) + EPSILON)


class AdaBelief(Optimizer):
    """m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 (g - m)^2 with the new m; change = m / (sqrt(v) +
    epsilon). No bias correction, no epsilon inside v, no decay."""

    slots = ("ms", "vs")

    def _change(self, gradient: Tensor, *state: Any) -> Tensor:
        mean, variance = state
        mean.assign(0.9 * mean + 0.1 * gradient)
        variance.assign(0.999 * variance + 0.001 * ops.square(gradient - mean))
        return mean / (ops.sqrt(variance) + EPSILON)


class Adam(Optimizer):
    """m = 0.5 m + 0.5 g; v = 0.999 v + 0.001 g^2; change = m / (sqrt(v) + epsilon), both corrected
    for their zero start as Keras does it. The betas are those of DeepFaceLab 1.0 (spec, training
    15)."""

    slots = ("ms", "vs")
    beta_1, beta_2, epsilon = 0.5, 0.999, 1e-7

    def _change(self, gradient: Tensor, *state: Any) -> Tensor:
        mean, variance = state
        mean.assign(self.beta_1 * mean + (1 - self.beta_1) * gradient)
        variance.assign(self.beta_2 * variance + (1 - self.beta_2) * ops.square(gradient))
        steps = ops.cast(self.iterations + 1, "float32")
        correction = ops.sqrt(1 - self.beta_2**steps) / (1 - self.beta_1**steps)
        return correction * mean / (ops.sqrt(variance) + self.epsilon)


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of all tensors together."""
    return ops.sqrt(sum(ops.sum(ops.square(tensor)) for tensor in tensors))


def _zeros_like(variable: Any) -> Any:
    return keras.Variable(ops.zeros(variable.shape, "float32"), trainable=False)
