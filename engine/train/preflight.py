"""What a training needs, reckoned from what was measured: weights and bytes by net, room for its
saves on the disk, time to its target; and the search for the largest batch that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.train.backups import KEPT_AUTOMATIC
from engine.train.generations import State

# The search ends when what fits and what does not lie within one part in so many of each other.
FINENESS = 8
_OPTIMIZER_FILE = "_opt"  # how the files of optimizers end


@dataclass(frozen=True)
class ModelSize:
    """weights: how many numbers each net has, by its file. Bytes: on the disk and, as float32, in
    memory."""

    weights: Mapping[str, int]
    weight_bytes: int
    optimizer_bytes: int

    @property
    def generation_bytes(self) -> int:
        """What one save takes, but for its few kilobytes of headers."""
        return self.weight_bytes + self.optimizer_bytes


def model_size(state: State) -> ModelSize:
    """The size of a model whose state that is."""
    nets = {file: tensors for file, tensors in state.items() if not file.endswith(_OPTIMIZER_FILE)}
    bytes_of = {file: sum(t.nbytes for t in tensors.values()) for file, tensors in state.items()}
    weight_bytes = sum(bytes_of[file] for file in nets)
    return ModelSize(
        {file: sum(tensor.size for tensor in tensors.values()) for file, tensors in nets.items()},
        weight_bytes,
        sum(bytes_of.values()) - weight_bytes,
    )


@dataclass(frozen=True)
class DiskRoom:
    """Saves of `generation_bytes` each: how many a training may have on the disk at once, how many
    of them are there already, how much is free."""

    generation_bytes: int
    wanted: int
    there: int
    free_bytes: int

    @property
    def fitting(self) -> int:
        """How many more there is room for."""
        return self.free_bytes // max(1, self.generation_bytes)

    @property
    def suffices(self) -> bool:
        return self.there + self.fitting >= self.wanted


def saves_wanted(keep: int, autobackup_hour: int) -> int:
    """The most saves that are on the disk at once: those kept, the best one, the one being written,
    and automatic backups of older ones."""
    return keep + 2 + (KEPT_AUTOMATIC if autobackup_hour else 0)


def hours_for(iterations: int, iterations_per_s: float) -> float:
    """How long so many iterations take."""
    return iterations / iterations_per_s / 3600


@dataclass(frozen=True)
class LargestBatch:
    """fits: the largest that was tried and fits, 0 if none does. too_large: the smallest that was
    tried and does not, None if all that were tried fit."""

    fits: int
    too_large: int | None


def find_largest_batch(
    first: int, most: int, fits: Callable[[int], bool | None]
) -> tuple[LargestBatch, bool]:
    """Try batch sizes from `first` on: doubled until one does not fit or `most` is reached, then
    halving the gap until it is an eighth or 1.

    fits: tries a size; None if there is no time left for that. Returns what is known at the end,
    and whether the search came to its own end.
    """
    found = LargestBatch(0, None)
    size: int | None = first
    while size is not None:
        does = fits(size)
        if does is None:
            return found, False
        found = LargestBatch(size, found.too_large) if does else LargestBatch(found.fits, size)
        size = _next_size(found, most)
    return found, True


def _next_size(found: LargestBatch, most: int) -> int | None:
    if found.too_large is None:
        return min(2 * found.fits, most) if found.fits < most else None
    if found.too_large - found.fits <= max(1, found.fits // FINENESS):
        return None
    return (found.fits + found.too_large) // 2
