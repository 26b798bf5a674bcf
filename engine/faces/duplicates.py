"""Nearly identical faces of a faceset, found by hash and by the pixels of their thumbnails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_measures import GreyU8

HASH_BITS = 64
# Neighbouring frames of a still talking head differ by 0 to 4 bits, 0.3 to 3 levels in the mean;
# other moments of the same clip by 6 bits and 5 levels, other people by 30 bits and 50 levels.
MOST_BITS = 6
MOST_MEAN_LEVELS = 1.5
# A blink changes few pixels of a thumbnail, but those by 20 levels and more; noise by 5.
MOST_PIXEL_LEVELS = 14
_BLOCK_FACES = 512


@dataclass(frozen=True)
class DuplicateGroup:
    """Faces that show the same: rows of the arrays that were given. kept is the sharpest one."""

    kept: int
    others: tuple[int, ...]


def find_duplicates(
    phashes: NDArray[np.int64], thumbs_grey: GreyU8, sharpness: NDArray[np.float64]
) -> list[DuplicateGroup]:
    """Groups of nearly identical faces, largest first.

    phashes (n,), thumbs_grey (n, side, side), sharpness (n,): as the index holds them. Every face
    of a group is near to the one that is kept, so a slow change over a long shot is not taken for
    one group. Time grows with faces x groups: about 10 s for 100 000 different faces.
    """
    if not len(sharpness):
        return []
    order = np.argsort(-sharpness, kind="stable")
    signs = _signs(phashes[order])
    thumbs = thumbs_grey[order].reshape(len(order), -1).astype(np.int16)
    leader_of = np.arange(len(order))
    leaders = np.empty(0, np.int64)
    for start in range(0, len(order), _BLOCK_FACES):
        block = np.arange(start, min(start + _BLOCK_FACES, len(order)))
        _join(block, leaders, signs, thumbs, leader_of)
        alone = block[leader_of[block] == block]
        _join_each_other(alone, signs, thumbs, leader_of)
        leaders = np.concatenate([leaders, alone[leader_of[alone] == alone]])
    return _groups(order, leader_of)


def _join(
    block: NDArray[np.int64],
    leaders: NDArray[np.int64],
    signs: NDArray[np.float32],
    thumbs: NDArray[np.int16],
    leader_of: NDArray[np.int64],
) -> None:
    """Give each face of the block that is near to a leader the nearest one."""
    faces, nearby = np.nonzero(_bits_apart(signs[block], signs[leaders]) <= MOST_BITS)
    nearest = np.full(len(block), np.inf)
    for face in np.unique(faces):
        candidates = leaders[nearby[faces == face]]
        levels = _levels_apart(thumbs[block[face]], thumbs[candidates])
        best = int(np.argmin(levels))
        if levels[best] < nearest[face]:
            nearest[face], leader_of[block[face]] = levels[best], candidates[best]


def _join_each_other(
    faces: NDArray[np.int64],
    signs: NDArray[np.float32],
    thumbs: NDArray[np.int16],
    leader_of: NDArray[np.int64],
) -> None:
    """Among faces that joined none, each in turn leads those after it that are near."""
    is_near = _bits_apart(signs[faces], signs[faces]) <= MOST_BITS
    for position, face in enumerate(faces):
        if leader_of[face] != face:
            continue
        followers = faces[position + 1 :][is_near[position, position + 1 :]]
        followers = followers[leader_of[followers] == followers]
        levels = _levels_apart(thumbs[face], thumbs[followers])
        leader_of[followers[np.isfinite(levels)]] = face


def _levels_apart(thumb: NDArray[np.int16], others: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mean difference to each of the others, infinite where it is too large for a duplicate."""
    apart = np.abs(others - thumb)
    mean = apart.mean(axis=1)
    is_near = (mean <= MOST_MEAN_LEVELS) & (apart.max(axis=1, initial=0) <= MOST_PIXEL_LEVELS)
    return np.where(is_near, mean, np.inf)


def _signs(phashes: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, 64) of -1 and 1: the bits that differ are then a product of matrices."""
    bits = np.unpackbits(phashes.astype(">i8").view(np.uint8).reshape(-1, 8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _bits_apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    apart: NDArray[np.float32] = (HASH_BITS - one @ other.T) * np.float32(0.5)
    return apart


def _groups(order: NDArray[np.int64], leader_of: NDArray[np.int64]) -> list[DuplicateGroup]:
    members: dict[int, list[int]] = {}
    for position in np.nonzero(leader_of != np.arange(len(leader_of)))[0]:
        members.setdefault(int(leader_of[position]), []).append(int(order[position]))
    groups = [
        DuplicateGroup(int(order[leader]), tuple(sorted(others)))
        for leader, others in members.items()
    ]
    return sorted(groups, key=lambda group: (-len(group.others), group.kept))
