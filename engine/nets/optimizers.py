"""RMSprop and AdaBelief as DeepFaceLab has them (spec, training 5), and the Adam of its first
version.

Neither of the former corrects for its zero start, so first steps are large, about 3.2 and 3.5 times
the learning rate; models were tuned with that. All gradients are given at once: no weight changes
before the last gradient is computed. State tensors are named as in DeepFaceLab's optimizer files.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from engine.nets.layers import Tensor
from engine.protocol.errors import InputError

# Variables of up to so many numbers are moved as one long vector: starting a program, and compiling
# it, costs more than copying them.
MOVED_TOGETHER = 1 << 16
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
        moving = {
            index: ops.cast(gradient, "float32")
            for index, gradient in enumerate(gradients)
            if gradient is not None
        }
        rate, factor = self._rate(), self._clip_factor(list(moving.values()))
        small = [index for index in moving if self._size(index) <= MOVED_TOGETHER]
        if small:
            self._move_together(small, [moving.pop(index) for index in small], rate, factor)
        for index, gradient in moving.items():
            self._move(index, gradient, rate, factor)
        self.iterations.assign_add(1)

    def _move(self, index: int, gradient: Tensor, rate: Tensor, factor: Tensor) -> None:
        held, drop = [variable.value for variable in self._held(index)], self._drop(index)
        if self._program is _compiled(self.change) and not tf.distribute.has_strategy():
            _compiled_in_place(self.change)(gradient, held, rate, factor, drop)
            return
        values = [tf.convert_to_tensor(variable) for variable in held]
        moved = self._program(gradient, values, rate, factor, drop)
        for variable, value in zip(held, moved, strict=True):
            variable.assign(value)

    def _move_together(
        self, indices: Sequence[int], gradients: Sequence[Tensor], rate: Tensor, factor: Tensor
    ) -> None:
        columns = list(zip(*map(self._held, indices), strict=True))
        values = [_flat([variable.value for variable in column]) for column in columns]
        drop = self._drop(len(self.variables))
        moved = self._program(_flat(gradients), values, rate, factor, drop)
        sizes = [self._size(index) for index in indices]
        parts = zip(*(tf.split(value, sizes) for value in moved), strict=True)
        for held, values_of_one in zip(zip(*columns, strict=True), parts, strict=True):
            for variable, value in zip(held, _shaped(values_of_one, held[0].shape), strict=True):
                variable.value.assign(value)

    def _held(self, index: int) -> list[Any]:
        """A variable, and what is remembered of its gradients."""
        return [self.variables[index], *(self._state[slot][index][1] for slot in self.slots)]

    def _size(self, index: int) -> int:
        return math.prod(self.variables[index].shape)

    @property
    def _program(self) -> Callable[..., Sequence[Tensor]]:
        """XLA places no masks."""
        on_cpu = self.schedule.keep < 1 and self.schedule.masks_on_cpu
        return partial(_moved, self.change) if on_cpu else _compiled(self.change)

    @staticmethod
    @abstractmethod
    def change(gradient: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """What to subtract at a learning rate of 1, and the state after it."""

    def _rate(self) -> Tensor:
        rate = tf.constant(self.schedule.rate, tf.float32)
        if not self.schedule.cosine_period:
            return rate
        turns = ops.cast(self.iterations + 1, "float32") / self.schedule.cosine_period
        return rate * (ops.cos(2 * math.pi * turns) + 1) / 2

    def _clip_factor(self, gradients: Sequence[Tensor]) -> Tensor:
        """What makes gradients together no longer than the limit."""
        limit = self.schedule.clip_norm
        if not limit:
            return tf.constant(1.0)
        norm = global_norm(gradients)
        return tf.where(norm >= limit, limit / norm, 1.0)

    def _drop(self, index: int) -> _Drop | None:
        if self.schedule.keep == 1:
            return None
        step = tf.cast(self.iterations.value, tf.int32)
        seed = tf.stack([step, tf.constant(self.seed * 4099 % 2**31 ^ index, tf.int32)])
        return _Drop(seed, self.schedule.keep, self.schedule.masks_on_cpu)


@cache
def _compiled(change: Callable[..., tuple[Tensor, ...]]) -> Callable[..., Sequence[Tensor]]:
    """XLA makes one pass over each tensor where TensorFlow makes one for every operation. It takes
    0.1 s for a program, so there is one for all tensors of a shape in this process."""
    program: Callable[..., Sequence[Tensor]] = tf.function(
        partial(_moved, change), jit_compile=True, autograph=False
    )
    return program


@cache
def _compiled_in_place(change: Callable[..., tuple[Tensor, ...]]) -> Callable[..., None]:
    """As `_compiled`, of variables: their memory is used again. Variables that several devices have
    are no arguments: a program would keep those of its first trace."""

    def move(gradient: Tensor, held: Sequence[Any], *others: Any) -> None:
        moved = _moved(change, gradient, [tf.convert_to_tensor(x) for x in held], *others)
        for variable, value in zip(held, moved, strict=True):
            variable.assign(value)

    program: Callable[..., None] = tf.function(move, jit_compile=True, autograph=False)
    return program


def _moved(
    change: Callable[..., tuple[Tensor, ...]],
    gradient: Tensor,
    held: Sequence[Tensor],
    rate: Tensor,
    factor: Tensor,
    drop: _Drop | None,
) -> Sequence[Tensor]:
    """What a variable and its state become."""
    value, *state = held
    move, *state = change(gradient * factor, *state)
    move *= rate
    if drop:
        move = tf.where(drop.kept(gradient.shape), move, 0.0)
    return value - move, *state


class _Drop(NamedTuple):
    """Masks of lr dropout. seed: two numbers, others for each variable and step."""

    seed: Tensor
    keep: float
    on_cpu: bool

    def kept(self, shape: Any) -> Tensor:
        """True with probability `keep`. Keras has no generator whose numbers follow from a step
        count alone. XLA makes a million threefry numbers in 1.1 ms of a CPU, as many of its own
        choice in 430; uncompiled there is philox alone, 4.9 ms."""
        in_xla = not (self.on_cpu or tf.config.functions_run_eagerly())
        algorithm = "threefry" if in_xla else "philox"
        with tf.device("/CPU:0") if self.on_cpu else nullcontext():
            drawn = tf.random.stateless_uniform(shape, self.seed, alg=algorithm)
            return drawn < self.keep


@dataclass(frozen=True)
class Rule:
    """Which optimizer moves a net's weights, and how fast."""

    optimizer: type[Optimizer]
    schedule: Schedule


class RMSprop(Optimizer):
    """a = 0.9 a + 0.1 g^2; change = g / (sqrt(a) + epsilon)."""

    slots = ("acc",)

    @staticmethod
    def change(gradient: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        (mean_square,) = state
        mean_square = 0.9 * mean_square + 0.1 * tf.square(gradient)
        return gradient / (tf.sqrt(mean_square) + EPSILON), mean_square


class AdaBelief(Optimizer):
    """m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 (g - m)^2 with the new m; change = m / (sqrt(v) +
    epsilon). No bias correction, no epsilon inside v, no decay."""

    slots = ("ms", "vs")

    @staticmethod
    def change(gradient: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        mean, variance = state
        mean = 0.9 * mean + 0.1 * gradient
        variance = 0.999 * variance + 0.001 * tf.square(gradient - mean)
        return mean / (tf.sqrt(variance) + EPSILON), mean, variance


class Adam(Optimizer):
    """m = 0.5 m + 0.5 g; v = 0.999 v + 0.001 g^2; change = m / (sqrt(v) + epsilon), both corrected
    for their zero start as Keras does it. The betas are those of DeepFaceLab 1.0 (spec, training
    15)."""

    slots = ("ms", "vs")

    @staticmethod
    def change(gradient: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        mean, variance = state
        mean = 0.5 * mean + 0.5 * gradient
        variance = 0.999 * variance + 0.001 * tf.square(gradient)
        return mean / (tf.sqrt(variance) + 1e-7), mean, variance

    def _rate(self) -> Tensor:
        steps = ops.cast(self.iterations + 1, "float32")
        correction = ops.sqrt(1 - 0.999**steps) / (1 - 0.5**steps)
        return super()._rate() * correction


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of all tensors together."""
    return tf.sqrt(2 * tf.add_n([tf.nn.l2_loss(tensor) for tensor in tensors]))


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    """All of them as one vector."""
    one_line = tf.constant([-1])
    return tf.concat([x if len(x.shape) == 1 else tf.reshape(x, one_line) for x in tensors], 0)


def _shaped(vectors: Sequence[Tensor], shape: tuple[int, ...]) -> Sequence[Tensor]:
    """Each of them in that shape."""
    if len(shape) == 1:
        return vectors
    wanted = tf.constant(list(shape))
    return [tf.reshape(vector, wanted) for vector in vectors]


def _zeros_like(variable: Any) -> Any:
    return keras.Variable(ops.zeros(variable.shape, "float32"), trainable=False)
