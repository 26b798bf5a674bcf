"""Forward and backward passes over a batch, at once or piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from engine.nets.layers import Tensor

Sides = dict[str, Tensor]  # of one side: input, target, mask, and eyes_mouth if it is sampled


class Found(NamedTuple):
    """What a pass gives. shown, health: means over the samples. totals: what each optimizer lowers,
    summed over the samples, by its file. gradients: of those, None for weights that rest."""

    shown: tuple[Tensor, ...]
    health: Mapping[str, Tensor]
    totals: Mapping[str, Tensor]
    gradients: Mapping[str, list[Tensor | None]]


def in_pieces(one_pass: Callable[[Sides, Sides], Found], src: Sides, dst: Sides, count: int) -> Any:
    """The `Found` of the whole batch, of which `count` equal pieces go through one after another:
    as much memory as a piece needs, and a second set of gradients."""
    if count == 1:
        return one_pass(src, dst)
    of_piece = tf.function(one_pass, autograph=False)  # one graph for all pieces
    pieces = [_cut(side, count) for side in (src, dst)]

    def pass_of(number: Any) -> Any:
        return of_piece(*({name: x[number] for name, x in side.items()} for side in pieces))

    first = pass_of(0)
    structure = tf.nest.flatten(first)
    sums = _add_others(pass_of, [x for x in structure if x is not None], count)
    remaining = iter(sums)
    whole = tf.nest.pack_sequence_as(
        first, [None if x is None else next(remaining) for x in structure]
    )
    shown, health = tf.nest.map_structure(lambda x: x / count, (whole.shown, whole.health))
    return whole._replace(shown=shown, health=health)


def _add_others(pass_of: Callable[[Any], Any], first: list[Tensor], count: int) -> list[Tensor]:
    """The leaves of the first pass with those of all others added."""

    def add(number: Tensor, sums: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        leaves = [x for x in tf.nest.flatten(pass_of(number)) if x is not None]
        return number + 1, [a + b for a, b in zip(sums, leaves, strict=True)]

    _, sums = tf.while_loop(
        lambda number, _: number < count, add, (tf.constant(1), first), parallel_iterations=1
    )
    found: list[Tensor] = sums
    return found


def _cut(side: Sides, count: int) -> Sides:
    """(n, ...) as (count, n / count, ...)."""
    return {
        name: tf.reshape(x, (count, x.shape[0] // count, *x.shape[1:])) for name, x in side.items()
    }
