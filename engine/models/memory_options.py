"""Options of all model classes that trade time for memory. Imports no library."""

from __future__ import annotations

from engine.protocol.options import Flag, Integer, Life, Option

ACCUMULATE = Option(
    "accumulate",
    "Batches per step",
    Integer(1, 64),
    1,
    "So many batches, one after another, make one step: it learns from as many more faces in the"
    " memory of one batch, and takes as much longer.",
    unit="batches",
    life=Life.RUNNING,
    advanced=True,
)

RECOMPUTE = Option(
    "recompute",
    "Compute twice",
    Flag(),
    False,
    "Keep less of what encoder and decoders compute, and compute it again where it is needed: a"
    " larger batch fits, each step takes about a third longer.",
    life=Life.RUNNING,
    advanced=True,
)
