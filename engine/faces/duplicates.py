"""Nearly identical faces of a faceset, found by hash and by the pixels of their thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_measures import GreyU8
from engine.faces.sorting.bounded_rows import sums_of_differences
from engine.protocol.face_likeness import (
    DUPLICATE_MOST_BITS,
    DUPLICATE_MOST_MEAN_LEVELS,
    DUPLICATE_MOST_PIXEL_LEVELS,
)

_FACES_PER_CHECKPOINT = 500


@dataclass(frozen=True)
class DuplicateGroup:
    """Faces that show the same: rows of the arrays that were given. kept is the sharpest one."""

    kept: int
    others: tuple[int, ...]


def find_duplicates(
    phashes: NDArray[np.int64],
    thumbs_grey: GreyU8,
    sharpness: NDArray[np.float64],
    checkpoint: Callable[[], None] = lambda: None,
) -> list[DuplicateGroup]:
    """Groups of nearly identical faces, largest first.

    phashes (n,), thumbs_grey (n, side, side), sharpness (n,): as the index holds them. Every face
    of a group is near to the one that is kept, so a slow change over a long shot is not taken for
    one group. Time grows with faces x groups: about 5 s for 100 000 different faces; checkpoint is
    called several times a second and may raise to stop.
    """
    hashes = phashes.astype(np.int64).view(np.uint64)
    thumbs = thumbs_grey.reshape(len(hashes), thumbs_grey.shape[1] * thumbs_grey.shape[2])
    kept = np.empty(len(hashes), np.int64)  # the faces that lead a group, or stand alone
    kept_hashes = np.empty(len(hashes), np.uint64)
    count = 0
    others: dict[int, list[int]] = {}
    for place, face in enumerate(np.argsort(-sharpness, kind="stable")):
        if place % _FACES_PER_CHECKPOINT == 0:
            checkpoint()
        bits_apart = np.bitwise_count(kept_hashes[:count] ^ hashes[face])
        nearby = kept[np.nonzero(bits_apart <= DUPLICATE_MOST_BITS)[0]]
        leader = _most_alike(thumbs[face], thumbs[nearby]) if len(nearby) else None
        if leader is not None:
            others.setdefault(int(nearby[leader]), []).append(int(face))
        else:
            kept[count], kept_hashes[count] = face, hashes[face]
            count += 1
    groups = [DuplicateGroup(leader, tuple(sorted(faces))) for leader, faces in others.items()]
    return sorted(groups, key=lambda group: (-len(group.others), group.kept))


def _most_alike(thumb: NDArray[np.uint8], others: NDArray[np.uint8]) -> int | None:
    """The row of the others that differs least of those that are near enough for a duplicate."""
    levels = sums_of_differences(others, thumb)
    alike = np.flatnonzero(levels <= DUPLICATE_MOST_MEAN_LEVELS * len(thumb))
    most = np.abs(others[alike].astype(np.int16) - thumb).max(axis=1, initial=0)
    alike = alike[most <= DUPLICATE_MOST_PIXEL_LEVELS]
    return int(alike[levels[alike].argmin()]) if len(alike) else None
