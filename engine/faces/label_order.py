"""Which faces to label next: where a net is least sure, or differs most from the landmarks, and not
ten neighbours of one second.

A label teaches most where the net is wrong. That it hesitates, or sees no face where the landmarks
say there is one, is the nearest to that which can be known without a label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.masks import Mask

_SMALL_PX = 16  # side of the masks by which faces are compared
# Frames further apart than this show another moment: a second at the usual rates.
_MOMENT_FRAMES = 25.0
# Masks that differ by less than this share of their pixels show the same situation again.
_SAME_MASK = 0.03
_SAME_MASK_WEIGHT = 0.5  # next to that of the same moment
_FULL_SCORE_QUANTILE = 0.95  # what is more than that of its kind is not worth more
_NUMBER = re.compile(r"^(.*?)(\d+)(?:_\d+)?$")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A face that could be labelled, and what a net made of it; see `candidate`."""

    name: str
    unsure: float
    differs: float
    small_mask: NDArray[np.float32]


@dataclass(frozen=True)
class Chosen:
    """A face of the order; score 0..1."""

    candidate: Candidate
    score: float


def candidate(name: str, mask: Mask, expected: Mask) -> Candidate:
    """What a net's mask (h, w), 0..1, tells of a face whose landmarks' outline is `expected`."""
    found = mask > 0.5
    wanted = expected > 0.5
    either = max(int((found | wanted).sum()), 1)
    # 4 p (1 - p) is 1 where the net is undecided, and 0 where it is sure.
    undecided = float((4 * mask * (1 - mask)).sum()) / either
    small = cv2.resize(mask, (_SMALL_PX, _SMALL_PX), interpolation=cv2.INTER_AREA)
    return Candidate(
        name,
        unsure=min(undecided, 1.0),
        differs=1 - int((found & wanted).sum()) / either,
        small_mask=np.asarray(small, np.float32),
    )


def label_order(
    candidates: Sequence[Candidate], labelled: Sequence[str] = (), count: int = 100
) -> list[Chosen]:
    """At most `count` of the candidates, the best first.

    labelled: names of faces that have labels: what is near to them is worth less. Names tell the
    moment: `clip_00012_0` is the frame 12 of `clip_`.
    """
    if not candidates:
        return []
    worth = _worth(candidates)
    moments = _Moments([one.name for one in candidates])
    fresh = np.ones(len(candidates))
    for name in labelled:
        fresh = np.minimum(fresh, 1 - moments.nearness(name))
    small = np.stack([one.small_mask.ravel() for one in candidates])
    left = np.ones(len(candidates), bool)
    order: list[Chosen] = []
    while left.any() and len(order) < count:
        best = int(np.where(left, worth * fresh, -1.0).argmax())
        order.append(Chosen(candidates[best], float(worth[best] * fresh[best])))
        left[best] = False
        alike = np.exp(-np.abs(small - small[best]).mean(axis=1) / _SAME_MASK)
        near = moments.nearness(candidates[best].name)
        fresh = np.minimum(fresh, 1 - np.maximum(near, _SAME_MASK_WEIGHT * alike))
    return order


def _worth(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Half for being unsure, half for differing, each measured by the worst of these faces. Of what
    all faces have (a young net is unsure of every edge) half is taken off."""
    parts = np.array([(one.unsure, one.differs) for one in candidates])
    common = parts.min(axis=0) / 2
    full = np.maximum(np.quantile(parts, _FULL_SCORE_QUANTILE, axis=0) - common, 1e-6)
    return np.asarray(np.minimum((parts - common) / full, 1).mean(axis=1), np.float64)


class _Moments:
    """When the candidates' frames are, by their names."""

    def __init__(self, names: Sequence[str]) -> None:
        places = [_place(name) for name in names]
        self._clips = np.array([clip for clip, _ in places])
        self._frames = np.array([frame for _, frame in places], np.float64)

    def nearness(self, name: str) -> NDArray[np.float64]:
        """How near each candidate is to the face of that name: 1 the same frame, 0 far."""
        clip, frame = _place(name)
        away = np.abs(self._frames - frame)
        return np.where(self._clips == clip, np.exp(-np.square(away / _MOMENT_FRAMES)), 0.0)


def _place(name: str) -> tuple[str, int]:
    """The clip and the frame that a face's name tells; a name without a number is a clip."""
    stem = name.rsplit(".", 1)[0]
    match = _NUMBER.match(stem)
    # More digits than any frame number has are part of a name.
    return (match[1], int(match[2])) if match and len(match[2]) <= 12 else (stem, 0)
