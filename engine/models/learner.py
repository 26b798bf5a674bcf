"""Nets that one optimizer moves: their gradients, their steps, what is saved of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from engine.nets.initialisation import initialise, load_weights, weights_of
from engine.nets.layers import Block, Tensor
from engine.nets.optimizers import Optimizer, Rule
from engine.train.generations import State
from engine.train.tensor_files import Tensors


class Learner:
    """Nets by the names of their files, and the optimizer, whose state is saved as `file`.

    New nets are zeros until `load` or `initialise`. seed: starts the masks of lr dropout and the
    first weights.
    """

    def __init__(self, file: str, nets: Mapping[str, Block], rule: Rule, *, seed: int) -> None:
        self.file = file
        self.nets = nets
        self.seed = seed
        self.frozen: frozenset[str] = frozenset()
        self._named = [
            (net_name, f"{net_name}/{name.removesuffix(':0')}", variable)
            for net_name, net in nets.items()
            for name, variable in net.named_weights()
        ]
        self.optimizer = self._make_optimizer(rule)

    def follow(self, rule: Rule, frozen: Collection[str]) -> None:
        """Go on by another rule. frozen: nets whose weights stay as they are. An optimizer of
        another class starts with empty state, but counts on."""
        self.frozen = frozenset(frozen)
        if isinstance(self.optimizer, rule.optimizer):
            if self.optimizer.schedule != rule.schedule:  # what is compiled for it holds on
                self.optimizer.schedule = rule.schedule
            return
        count = self.optimizer.iterations.numpy()
        del self.optimizer  # before the new one is made: its memory may be needed
        self.optimizer = self._make_optimizer(rule)
        self.optimizer.iterations.assign(count)

    def gradients(self, tape: tf.GradientTape, total: Tensor) -> list[Tensor | None]:
        """What `apply` takes: of `total` by each weight, None for those of frozen nets."""
        moving = [
            variable.value for net_name, _, variable in self._named if net_name not in self.frozen
        ]
        found = iter(tape.gradient(total, moving))
        return [None if net_name in self.frozen else next(found) for net_name, _, _ in self._named]

    def apply(self, gradients: Sequence[Tensor | None]) -> None:
        """One step of the optimizer."""
        self.optimizer.apply(gradients)

    def initialise(self, *, draw: int = 0) -> None:
        """Fresh random weights, and an optimizer that never made a step."""
        for net_name, net in self.nets.items():
            initialise(net, net_name, self.seed, draw=draw)
        self.optimizer.reset()

    def reset_net(self, net_name: str, *, draw: int) -> None:
        """Fresh random weights for one net, and zeros for what the optimizer knew of them."""
        initialise(self.nets[net_name], net_name, self.seed, draw=draw)
        self.optimizer.reset(f"{net_name}/")

    def state(self) -> State:
        """Copies of all weights and of the optimizer's state, by file."""
        nets = {name: weights_of(net) for name, net in self.nets.items()}
        moments = {name: variable.numpy() for name, variable in self.optimizer.named_state()}
        return {**nets, self.file: moments}

    def variables(self) -> list[Any]:
        """All weights and the optimizer's state."""
        return [
            *(variable for _, _, variable in self._named),
            *(variable for _, variable in self.optimizer.named_state()),
        ]

    def load(self, state: Mapping[str, Tensors]) -> None:
        """Go on from saved state, which must have all nets; what it lacks of the optimizer's state
        becomes zero. Raises `InputError` for tensors of other shapes."""
        for net_name, net in self.nets.items():
            load_weights(net, net_name, state[net_name])
        self.optimizer.reset()
        self.optimizer.load_state(state.get(self.file, {}))

    def _make_optimizer(self, rule: Rule) -> Optimizer:
        named: list[tuple[str, Any]] = [(name, variable) for _, name, variable in self._named]
        return rule.optimizer(named, rule.schedule, seed=self.seed)
