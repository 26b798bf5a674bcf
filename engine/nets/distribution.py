"""Steps that several devices make together, of this machine or of several.

Every device has all weights, takes its part of each batch, and hears the mean of all gradients;
then it makes the same change as the others. So no weight is ever sent, but at the start
(`Distribution.spread`). Variables know nothing of reduction (Keras's default aggregation, "none"):
what a device assigns within a step goes to its own copy, what is assigned outside to all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.nets.layers import Tensor
from engine.nets.rendezvous import meet
from engine.protocol.errors import InputError, StageError

_REDUCE = tf.distribute.ReduceOp
# What TensorFlow raises on the workers that are left, whichever of them notices first.
_SILENCE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)


class Distribution:
    """How the steps of a model are shared out. strategy: TensorFlow's; None for a single device.
    worker, workers: which of so many processes this is."""

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, *, worker: int = 0, workers: int = 1
    ) -> None:
        self._strategy = strategy
        self.worker = worker
        self.workers = workers
        self.devices: int = strategy.num_replicas_in_sync if strategy else 1
        self.local_devices = self.devices // workers
        self._sum = tf.function(self._sum_graph, autograph=False, reduce_retracing=True)

    def scope(self) -> AbstractContextManager[Any]:
        """Variables made within are there on every device."""
        return self._strategy.scope() if self._strategy else nullcontext()

    def split(self, arrays: Mapping[str, NDArray[Any]]) -> Any:
        """For `run`: arrays of this worker's samples, of which each device gets equally many."""
        if self._strategy is None:
            return {name: tf.constant(array) for name, array in arrays.items()}
        places = self._strategy.extended.worker_devices

        def part(context: Any) -> dict[str, Tensor]:
            place = context.replica_id_in_sync_group % self.local_devices
            with tf.device(places[place]):
                return {
                    name: tf.constant(_part(array, place, self.local_devices))
                    for name, array in arrays.items()
                }

        return self._strategy.experimental_distribute_values_from_function(part)

    def run(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """What the step gives on the first device, when all have made it; in a `tf.function`."""
        if self._strategy is None:
            return step(*arguments)
        results = self._strategy.run(step, args=arguments)
        return tf.nest.map_structure(self._first, results)

    def mean(self, results: Any) -> Any:
        """Within a step: the mean of the devices' results, a nest of tensors and Nones."""
        if self.devices == 1:
            return results
        return _reduced(results, _REDUCE.MEAN)

    def spread(self, variables: Sequence[Any]) -> None:
        """Give all workers what the first one has in these variables; all must ask together."""
        if self.workers == 1:
            return
        for variable in variables:
            exact = np.float64 if variable.dtype == "int64" else np.float32
            mine = variable.numpy().astype(exact)
            total = self.sum(mine if self.worker == 0 else np.zeros_like(mine))
            variable.assign(total.astype(variable.dtype))

    def sum(self, array: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """The sum of all workers' arrays of this shape; all must ask together. Raises `StageError`
        (code "worker-lost") if one does not answer."""
        if self._strategy is None:
            return array

        def share(context: Any) -> Tensor:
            first = context.replica_id_in_sync_group % self.local_devices == 0
            return tf.constant(array if first else np.zeros_like(array))

        shares = self._strategy.experimental_distribute_values_from_function(share)
        with self.answering():
            total: NDArray[np.floating[Any]] = self._sum(shares).numpy()
        return total

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Around what all workers do together: one that is gone becomes a `StageError` (code
        "worker-lost")."""
        try:
            yield
        except _SILENCE as error:
            if self.workers == 1:
                raise
            raise StageError(
                f"worker {self.worker} no longer hears the others:"
                f" {error.message.splitlines()[0][:200]}",
                "look why the other worker ended, and start all again; the leader (worker 0) has"
                " saved the model",
                code="worker-lost",
            ) from error

    def _sum_graph(self, shares: Any) -> Tensor:
        return self.run(lambda share: _reduced(share, _REDUCE.SUM), shares)

    def _first(self, result: Any) -> Any:
        assert self._strategy is not None
        return self._strategy.experimental_local_results(result)[0]


ALONE = Distribution()


def on_all_devices() -> Distribution:
    """Over all GPUs that `prepare_device` has made visible; without several there is nothing to
    share."""
    names = [device.name for device in tf.config.list_logical_devices("GPU")]
    return Distribution(tf.distribute.MirroredStrategy(names)) if len(names) > 1 else ALONE


def with_other_machines(
    addresses: Sequence[str], worker: int, check_stop: Callable[[], None]
) -> Distribution:
    """Over the devices of all workers, of which this is number `worker`; they listen at
    `addresses`, host:port each. Before TensorFlow computes anything in this process.

    Waits until all are there; check_stop: called meanwhile, may raise. Raises `InputError` if a
    port cannot be used, or the first one was given another list.
    """
    meet(addresses, worker, check_stop)
    cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": worker}}
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        raise InputError(
            f"worker {worker} cannot work with the others as {addresses[worker]}: {error}",
            "the port must be free and its host this machine; name the same addresses everywhere",
            code="workers",
        ) from error
    return Distribution(strategy, worker=worker, workers=len(addresses))


def _reduced(results: Any, how: tf.distribute.ReduceOp) -> Any:
    """TensorFlow sends what has a device: an argument passed through has none, hence `identity`."""
    leaves = tf.nest.flatten(results)
    sent = [tf.identity(leaf) for leaf in leaves if leaf is not None]
    received = iter(tf.distribute.get_replica_context().all_reduce(how, sent))
    found = [None if leaf is None else next(received) for leaf in leaves]
    return tf.nest.pack_sequence_as(results, found)


def _part(array: NDArray[Any], place: int, places: int) -> NDArray[Any]:
    count = len(array) // places
    return array[place * count : (place + 1) * count]
