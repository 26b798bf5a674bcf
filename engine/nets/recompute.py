"""Memory for time: parts whose inner pictures are made again for the gradient, not kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from engine.nets.layers import Tensor


def recomputed(part: Any, x: Tensor) -> Tensor:
    """What the part, a block to be called, makes of x; of the pass, x and the result alone stay in
    memory.

    `tf.recompute_grad` does not know the variables of several devices, so weights are arguments
    here, which `StatelessScope` puts in the variables' places.
    """
    variables = [variable for _, variable in part.named_weights()]

    def with_weights(x: Tensor, values: list[Tensor]) -> Tensor:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return part(x)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def kept(x: Tensor, *values: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        def gradient(upstream: Tensor) -> list[Tensor]:
            # Only once the gradient has come this far; else the graph's optimizer would see the
            # same computation twice, and keep the pictures of the first. And one part after
            # another: two that are made again at the same time need their memory at the same time
            # (df-u 128, batch 8, on a CPU: 4.6 GB instead of 2.3).
            with tf.control_dependencies([upstream, *_made_last()]):
                again = [tf.identity(value) for value in (x, *values)]
            with tf.GradientTape() as tape:
                tape.watch(again)
                result = with_weights(again[0], again[1:])
            found: list[Tensor] = tape.gradient(result, again, upstream)
            _made_last()[:] = found
            return found

        return with_weights(x, list(values)), gradient

    return kept(x, *(tf.convert_to_tensor(variable.value) for variable in variables))


def _made_last() -> list[Tensor]:
    """The gradients of the part that was made again last, in this graph and on this device; for
    changing in place."""
    if tf.executing_eagerly():
        return []
    device = tf.distribute.get_replica_context().replica_id_in_sync_group
    made: list[Tensor] = tf.compat.v1.get_default_graph().get_collection_ref(
        f"made again, {device}"
    )
    return made
