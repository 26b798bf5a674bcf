"""What all models in training share: the step, options that change, saving and going back.

One step is one compiled function: a single forward pass, the gradients of every net, and then, if
all of them are finite and the losses are within the limit, every change at once. So no gradient
reads weights that the same step has already moved, and a bad step moves none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.models.device_memory import memory_for
from engine.models.learner import Learner
from engine.models.passes import Found, Sides, in_pieces
from engine.nets.distribution import ALONE, Distribution
from engine.nets.initialisation import load_weights
from engine.nets.layers import Block, Tensor
from engine.nets.optimizers import Rule, global_norm
from engine.protocol.errors import InputError, UsageError
from engine.protocol.options import Life, unknown_option
from engine.protocol.spec import ModelSpec
from engine.train.batches import Batch, BatchStream, SideBatch
from engine.train.generations import Generation, State
from engine.train.samples import Sampling
from engine.train.tensor_files import Tensors
from engine.train.trainable import StepResult

MAIN_OPTIMIZER = "src_dst_opt"


@dataclass(frozen=True)
class Objective:
    """What one step is made by; losses are vectors of one number per sample.

    shown: the losses that users see, one per name in the model's spec. lowered: what each optimizer
    lowers the sum of, by its file. health: scalars for `StepResult.health`.
    """

    shown: tuple[Tensor, ...]
    lowered: Mapping[str, Tensor]
    health: Mapping[str, Tensor]


@dataclass(frozen=True)
class Adversary:
    """A net that judges the others while training, with an optimizer of its own.

    plan: what its weights belong to; with another plan it starts anew. on: whether it is in use;
    while it is not, its last weights rest and are saved with the others.
    """

    net_name: str
    optimizer_file: str
    plan: object
    on: bool
    make: Callable[[], Block]

    @property
    def files(self) -> tuple[str, str]:
        return self.net_name, self.optimizer_file


class NetModel(ABC):
    """A model in training (`engine.train.trainable.Trainable`).

    Subclasses say which nets there are, what they train on and what they lower. options: those of
    the model class, complete. dtype: the Keras policy that the nets compute in. Starts with random
    weights of `seed`, or goes on from `saved`. distribution: the devices that share each batch.
    """

    spec: ClassVar[ModelSpec]
    main_file: ClassVar[str] = MAIN_OPTIMIZER
    """What the state of the optimizer of the nets that draw is saved as."""
    is_one_sided: ClassVar[bool] = False
    """Whether it learns from one set of faces: its batches have no dst samples then."""

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        seed: int,
        dtype: str,
        saved: Generation | None = None,
        distribution: Distribution = ALONE,
    ) -> None:
        self.options = options
        self.seed = seed
        self.dtype = dtype
        self.distribution = distribution
        self._check_devices(options)
        self.iteration = 0
        self._resting: dict[str, Tensors] = {}
        self._plans: dict[str, object] = {}
        with self._making():
            nets = self.make_nets()
            main = Learner(self.main_file, nets, self.rule(), seed=seed)
        self.main = main
        self.learners = {self.main_file: main}
        self._arrange()
        if saved:
            self.restore(saved)
        else:
            main.initialise()
        self._compile()

    @abstractmethod
    def make_nets(self) -> dict[str, Block]:
        """The nets that draw faces, by the names of their files."""

    @abstractmethod
    def rule(self) -> Rule:
        """How all nets are moved, by the options as they are."""

    @abstractmethod
    def sampling(self) -> Sampling:
        """See `Trainable.sampling`."""

    @abstractmethod
    def objective(self, src: Sides, dst: Sides) -> Objective:
        """One forward pass over a batch."""

    @abstractmethod
    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """See `Trainable.preview_pages`."""

    def frozen(self) -> frozenset[str]:
        """Nets that are not moved for now."""
        return frozenset()

    def adversaries(self, options: Mapping[str, Any]) -> tuple[Adversary, ...]:
        """All that the model may have, with other options than its own, too."""
        return ()

    def weights_on_cpu(self) -> bool:
        """Whether weights and optimizer stay in the host's memory."""
        return False

    def samples_per_step(self) -> int:
        """Of each side, on all devices together."""
        return int(self.options["batch_size"] * self.options["accumulate"])

    def next_batch(self, batches: BatchStream) -> Batch:
        """What the coming step trains on."""
        return batches.next()

    def trace(self) -> None:
        """See `Trainable.trace`: so that who starts or changes the model can be stopped between
        that and the next step. Nothing is to be got ready where TensorFlow compiles nothing."""
        if tf.config.functions_run_eagerly():
            return
        sampling = self.sampling()
        count, side_px = sampling.batch_size // self.distribution.workers, sampling.kind.side_px
        channels = {"input": 3, "target": 3, "mask": 1}
        if sampling.kind.eyes_mouth:
            channels["eyes_mouth"] = 1
        src, dst = (
            self.distribution.split(
                {
                    name: np.zeros((of_side, side_px, side_px, depth), np.float32)
                    for name, depth in channels.items()
                }
            )
            for of_side in (count, 0 if self.is_one_sided else count)
        )
        self._step.get_concrete_function(src, dst, tf.TensorSpec((), tf.float32))

    def train_step(self, batches: BatchStream, loss_limit: float = float("inf")) -> StepResult:
        """See `Trainable.train_step`."""
        limit = tf.constant(loss_limit, tf.float32)
        count = self.samples_per_step()
        what = f"{count} faces of each side at once, after iteration {self.iteration}"
        with memory_for(what, workers=self.distribution.workers):
            batch = self.next_batch(batches)
            with self.distribution.answering():
                losses, health, applied = self._step(*self._split(batch), limit)
        if applied:
            self.iteration += 1
        return StepResult(
            tuple(float(loss) for loss in losses),
            bool(applied),
            {name: float(value) for name, value in health.items()},
        )

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """See `Trainable.change_options`. Options that belong to a start are refused like those
        that were fixed at creation."""
        self.options = self._changed(changes)
        words = ", ".join(f"{name} {self.options[name]}" for name in changes)
        what = f"{words}, after iteration {self.iteration}"
        with memory_for(what, workers=self.distribution.workers):
            self._arrange()
        self._compile()

    def reset_nets(self, names: Sequence[str]) -> None:
        """See `Trainable.reset_nets`."""
        owners = {net: learner for learner in self.learners.values() for net in learner.nets}
        resting = {
            adversary.net_name: adversary.files
            for adversary in self.adversaries(self.options)
            if adversary.net_name in self._resting
        }
        for name in names:
            if name not in {*owners, *resting}:
                known = ", ".join([*owners, *resting])
                raise UsageError(f"the model has no net {name}", f"it has {known}")
        for name in names:
            if name in owners:
                owners[name].reset_net(name, draw=self.iteration)
            for file in resting.get(name, ()):
                self._resting.pop(file, None)

    def restore(self, saved: Generation) -> None:
        """See `Trainable.restore`."""
        check_nets(self.main.nets, saved)
        self.main.load(saved.state)
        self._resting = {}
        plans = {a.net_name: a.plan for a in self._adversaries_of(saved.manifest.options)}
        for adversary in self._adversaries_of(self.options):
            if plans[adversary.net_name] == adversary.plan:
                kept = {file: saved.state[file] for file in adversary.files if file in saved.state}
                self._resting.update(kept)
            if adversary.on:
                self._wake(adversary)
        self.iteration = saved.manifest.iteration

    def share_state(self) -> None:
        """See `engine.train.together.SharedModel`. What rests is the leader's alone, until it
        wakes."""
        for learner in self.learners.values():
            self.distribution.spread(learner.variables())

    def state(self) -> State:
        """See `Trainable.state`."""
        files: dict[str, Tensors] = dict(self._resting)
        for learner in self.learners.values():
            files.update(learner.state())
        return files

    def _step_graph(self, src: Sides, dst: Sides, loss_limit: Tensor) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.distribution.run(self._shared_step, src, dst, loss_limit)
        return found

    def _shared_step(self, src: Sides, dst: Sides, loss_limit: Tensor) -> tuple[Any, ...]:
        """One device's part of a step, whose end is the same on all. Gradients are those of sums
        over a device's samples, and their mean over the devices, as in DeepFaceLab."""
        mine = in_pieces(self._pass, src, dst, self.options["accumulate"])
        shown, health, totals, gradients = self.distribution.mean(mine)
        finite = [tf.math.is_finite(total) for total in totals.values()]
        for found in gradients.values():
            moving = [gradient for gradient in found if gradient is not None]
            finite.append(tf.math.is_finite(global_norm(moving)))
        sound = tf.reduce_all(finite) & (tf.add_n(shown) <= loss_limit)

        def move() -> None:
            with self._at_home():
                for file, learner in self.learners.items():
                    learner.apply(gradients[file])

        tf.cond(sound, move, lambda: None)
        return shown, health, sound

    def _pass(self, src: Sides, dst: Sides) -> Found:
        with tf.GradientTape(persistent=len(self.learners) > 1) as tape:
            objective = self.objective(src, dst)
            totals = {file: tf.reduce_sum(loss) for file, loss in objective.lowered.items()}
        gradients = {
            file: learner.gradients(tape, totals[file]) for file, learner in self.learners.items()
        }
        shown = tuple(tf.reduce_mean(losses) for losses in objective.shown)
        return Found(shown, dict(objective.health), totals, gradients)

    def _compile(self) -> None:
        self._step = tf.function(self._step_graph, autograph=False, reduce_retracing=True)

    def _changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """All options after the changes. Raises `UsageError`."""
        known = {option.name: option for option in self.spec.options}
        wanted = dict(self.options)
        for name, raw in changes.items():
            if name not in known:
                raise unknown_option(name, tuple(known))
            wanted[name] = known[name].parse(raw)
            if known[name].life is not Life.RUNNING and wanted[name] != self.options[name]:
                raise UsageError(
                    f"{known[name].flag} {wanted[name]}: cannot be changed while training",
                    f"it stays at {self.options[name]}",
                    code="fixed-option",
                )
        if self.spec.check:
            self.spec.check(wanted)
        self._check_devices(wanted)
        return wanted

    def _arrange(self) -> None:
        """Bring optimizers and adversaries in line with the options."""
        with self._making():
            self.main.follow(self.rule(), self.frozen())
            for adversary in self._adversaries_of(self.options):
                self._arrange_adversary(adversary)

    def _arrange_adversary(self, adversary: Adversary) -> None:
        learner = self.learners.get(adversary.optimizer_file)
        same = self._plans.get(adversary.net_name, adversary.plan) == adversary.plan
        self._plans[adversary.net_name] = adversary.plan
        if learner and same and adversary.on:
            learner.follow(self.rule(), ())
            return
        if learner:
            self._resting.update(learner.state())
            del self.learners[adversary.optimizer_file]
        if not same:
            for file in adversary.files:
                self._resting.pop(file, None)
        if adversary.on:
            self._wake(adversary)

    def _wake(self, adversary: Adversary) -> None:
        """Give a net that is on its learner, with the weights that rested or else fresh ones."""
        if adversary.optimizer_file not in self.learners:
            with self._making():
                nets = {adversary.net_name: adversary.make()}
                learner = Learner(adversary.optimizer_file, nets, self.rule(), seed=self.seed)
            self.learners[adversary.optimizer_file] = learner
        learner = self.learners[adversary.optimizer_file]
        rested = {
            file: self._resting.pop(file) for file in adversary.files if file in self._resting
        }
        if adversary.net_name in rested:
            learner.load(rested)
        else:
            learner.initialise(draw=self.iteration)

    def _adversaries_of(self, options: Mapping[str, Any]) -> tuple[Adversary, ...]:
        return self.adversaries({**self.options, **options})

    def _split(self, batch: Batch) -> tuple[Any, Any]:
        src, dst = (self.distribution.split(arrays(side)) for side in (batch.src, batch.dst))
        return src, dst

    def _check_devices(self, options: Mapping[str, Any]) -> None:
        """Raises `UsageError` where several devices cannot share the work."""
        devices, size = self.distribution.devices, options["batch_size"]
        if size % devices:
            lower = size // devices * devices
            others = f"{lower} or {lower + devices}" if lower else f"{devices}"
            raise UsageError(
                f"--batch-size {size}: {devices} devices cannot have equally many faces each",
                f"take {others}",
                code="option-value",
            )
        if devices > 1 and self.weights_on_cpu():
            raise UsageError(
                f"--no-models-opt-on-gpu: {devices} devices have a copy of all weights each",
                "leave it on, or choose a single --device",
                code="option-value",
            )

    @contextmanager
    def _making(self) -> Iterator[None]:
        """Variables come to be where they live, on every device."""
        with ExitStack() as contexts:
            contexts.enter_context(self.distribution.scope())
            contexts.enter_context(self._at_home())
            yield

    def _at_home(self) -> AbstractContextManager[Any]:
        """Where weights live and move."""
        return tf.device("/CPU:0") if self.weights_on_cpu() else nullcontext()


def load_nets(nets: Mapping[str, Block], saved: Generation) -> None:
    """Give the nets their saved weights. Raises `InputError` naming a net that is missing."""
    check_nets(nets, saved)
    for net_name, net in nets.items():
        load_weights(net, net_name, saved.state[net_name])


def check_nets(nets: Mapping[str, Block], saved: Generation) -> None:
    """Raises `InputError` naming a net that a save lacks."""
    for net_name in nets:
        if net_name not in saved.state:
            raise InputError(
                f"{saved.path} has no {net_name}",
                "restore the model's folder from a copy",
                code="model-damaged",
            )


def arrays(side: SideBatch) -> dict[str, NDArray[np.float32]]:
    """A side as the step takes it."""
    arrays = {"input": side.input_bgr, "target": side.target_bgr, "mask": side.mask}
    return arrays if side.eyes_mouth is None else {**arrays, "eyes_mouth": side.eyes_mouth}
