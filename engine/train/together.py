"""Several machines train one model: the first worker leads, the others follow.

The leader runs the training loop with all that belongs to it: options, plan, guard, saves, history,
previews. Before whatever all workers must do together it sends an order; followers do what it says,
each on its own part of every batch, and write nothing. So all make the same steps with the same
options, and have the same weights throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import FacewrightError, StageError, UsageError
from engine.train.batches import Batch, BatchStream
from engine.train.feed import Feed
from engine.train.generations import Generation, State
from engine.train.samples import Sampling
from engine.train.trainable import StepResult, Trainable

# Orders are sums of arrays of this length, in which only the leader's is not zero. The longest hold
# all options of a model, about 2 KB, and the paths among them.
LONGEST_ORDER_BYTES = 16_384
# After these errors the workers do not hear each other any more.
_PARTED = frozenset({"worker-lost", "worker-memory"})


class Order(msgspec.Struct, frozen=True, tag=True):
    """What all workers are to do now."""


class Begin(Order, frozen=True, tag=True):
    """Make the model. drawn: number of the first sample."""

    model_class: str
    options: dict[str, Any]
    seed: int
    dtype: str
    drawn: int


class Take(Order, frozen=True, tag=True):
    """Take over the leader's weights, which are those of that iteration."""

    iteration: int


class Step(Order, frozen=True, tag=True):
    """Make a step on the samples from `drawn` on."""

    drawn: int
    loss_limit: float


class Change(Order, frozen=True, tag=True):
    """Go on with other options."""

    changes: dict[str, Any]


class Reset(Order, frozen=True, tag=True):
    """Give these nets fresh weights."""

    names: list[str]


class End(Order, frozen=True, tag=True):
    """Training has ended."""


_ANY_ORDER = msgspec.msgpack.Decoder(Begin | Take | Step | Change | Reset | End)


class SharedModel(Trainable, Protocol):
    """A model whose steps several workers make together."""

    def share_state(self) -> None:
        """Give all workers the first one's weights and optimizer state; all must ask together."""
        ...


class Line:
    """Carries orders. sum_over_workers: of arrays of equal shape; all workers ask together."""

    def __init__(self, sum_over_workers: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self._sum = sum_over_workers

    def send(self, order: Order) -> bool:
        """For the leader. Returns whether a follower wants to leave."""
        packed = np.frombuffer(msgspec.msgpack.encode(order), np.uint8)
        if len(packed) > LONGEST_ORDER_BYTES:
            raise StageError(
                f"an order of {len(packed)} bytes is too long for the other workers",
                "shorten the paths among the options",
            )
        message = np.zeros(2 + LONGEST_ORDER_BYTES, np.float32)
        message[1] = len(packed)
        message[2 : 2 + len(packed)] = packed
        return bool(self._sum(message)[0] > 0)

    def receive(self, *, leaves: bool) -> Order:
        """For followers: the next order. leaves: this worker wants to leave, which the leader
        hears now; training ends after this order."""
        message = np.zeros(2 + LONGEST_ORDER_BYTES, np.float32)
        message[0] = leaves
        heard = self._sum(message)
        packed = heard[2 : 2 + int(heard[1])].astype(np.uint8).tobytes()
        order: Order = _ANY_ORDER.decode(packed)
        return order


class Leader:
    """The leader's model (`Trainable`): has the followers do what it does itself. Use as a context,
    at whose end they end, too."""

    def __init__(self, model: SharedModel, line: Line) -> None:
        self.model = model
        self.followers_leave = False
        self._line = line
        self._share(Take(model.iteration))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """After any other error they notice that this process is gone."""
        if error is None or (isinstance(error, FacewrightError) and error.code not in _PARTED):
            self._line.send(End())

    @property
    def iteration(self) -> int:
        """See `Trainable.iteration`."""
        return self.model.iteration

    @property
    def options(self) -> Mapping[str, Any]:
        """See `Trainable.options`."""
        return self.model.options

    @property
    def seed(self) -> int:
        """See `Trainable.seed`."""
        return self.model.seed

    def sampling(self) -> Sampling:
        """See `Trainable.sampling`."""
        return self.model.sampling()

    def train_step(self, batches: BatchStream, loss_limit: float = float("inf")) -> StepResult:
        """See `Trainable.train_step`."""
        self._send(Step(batches.drawn, loss_limit))
        return self.model.train_step(batches, loss_limit)

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """See `Trainable.change_options`."""
        self._send(Change(dict(changes)))
        self.model.change_options(changes)
        self.model.share_state()

    def trace(self) -> None:
        """See `Trainable.trace`. Followers do so as soon as they have changed."""
        self.model.trace()

    def restore(self, saved: Generation) -> None:
        """See `Trainable.restore`."""
        self.model.restore(saved)
        self._share(Take(self.model.iteration))

    def reset_nets(self, names: Sequence[str]) -> None:
        """See `Trainable.reset_nets`."""
        self._send(Reset(list(names)))
        self.model.reset_nets(names)
        self.model.share_state()

    def state(self) -> State:
        """See `Trainable.state`."""
        return self.model.state()

    def preview_pages(self, batch: Batch) -> dict[str, NDArray[np.uint8]]:
        """See `Trainable.preview_pages`."""
        return self.model.preview_pages(batch)

    def _share(self, order: Order) -> None:
        self._send(order)
        self.model.share_state()

    def _send(self, order: Order) -> None:
        self.followers_leave |= self._line.send(order)


class Follower:
    """A worker that does as it is told. leaves: whether its user wants to end. stepped: hears of
    each step."""

    def __init__(
        self,
        model: SharedModel,
        feed: Feed,
        line: Line,
        *,
        leaves: Callable[[], bool],
        stepped: Callable[[StepResult], None],
    ) -> None:
        self._model = model
        self._feed = feed
        self._line = line
        self._leaves = leaves
        self._stepped = stepped

    def run(self) -> None:
        """Follow until training ends. Raises `InputError` if no face can be read, `StageError` if
        the others are gone."""
        while not isinstance(order := self._line.receive(leaves=self._leaves()), End):
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case Step(drawn=drawn, loss_limit=loss_limit):
                self._step(drawn, loss_limit)
                return
            case Take(iteration=iteration):
                self._model.iteration = iteration
            case Change() | Reset():
                try:
                    self._alter(order)
                except UsageError:
                    return  # so it was for the leader, whose user is told
            case _:
                raise StageError(f"the leader sent {order} at the wrong time", "start all again")
        self._model.share_state()
        if isinstance(order, Change):
            self._model.trace()

    def _step(self, drawn: int, loss_limit: float) -> None:
        batches = self._feed.batches
        while batches.drawn < drawn:
            batches.next()  # the leader passed over them
        self._stepped(self._model.train_step(batches, loss_limit))

    def _alter(self, order: Change | Reset) -> None:
        if isinstance(order, Reset):
            self._model.reset_nets(order.names)
            return
        before = self._model.iteration
        self._model.change_options(order.changes)
        restarted = self._model.iteration < before
        self._feed.follow(self._model.options, self._model.sampling(), anew=restarted)
