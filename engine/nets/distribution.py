"""Steps that several devices make together, of this machine or of several.

Every device has all weights, takes its part of each batch, and hears the mean of all gradients;
then it makes the same change as the others. So no weight is ever sent, but at the start
(`Distribution.spread`). Variables know nothing of reduction (Keras's default aggregation, "none"):
what a device assigns within a step goes to its own copy, what is assigned outside to all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from engine.nets.layers import Tensor

_REDUCE = tf.distribute.ReduceOp


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
        self._sum = tf.function(self._sum_graph, reduce_retracing=True)

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
            mine = variable.numpy() if self.worker == 0 else tf.zeros(variable.shape).numpy()
            variable.assign(tf.cast(self.sum(mine), variable.dtype))

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """The sum of all workers' arrays of this shape, in float32; all must ask together."""
        if self._strategy is None:
            return array

        def share(context: Any) -> Tensor:
            first = context.replica_id_in_sync_group % self.local_devices == 0
            return tf.constant(array if first else 0 * array, tf.float32)

        total: NDArray[Any] = self._sum(
            self._strategy.experimental_distribute_values_from_function(share)
        ).numpy()
        return total

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
