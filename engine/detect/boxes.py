"""Boxes as (n, 4) float64 arrays of left, top, right, bottom."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def overlaps(one: Boxes, other: Boxes, over: Literal["union", "smaller"] = "union") -> Boxes:
    """(n, m): how much each of `one` covers each of `other`, 0..1, as a part of their union or of
    the smaller of the two."""
    inner_lt = np.maximum(one[:, None, :2], other[None, :, :2])
    inner_rb = np.minimum(one[:, None, 2:], other[None, :, 2:])
    inner = np.prod(np.maximum(inner_rb - inner_lt, 0.0), axis=2)
    areas, other_areas = areas_of(one)[:, None], areas_of(other)[None, :]
    whole = areas + other_areas - inner if over == "union" else np.minimum(areas, other_areas)
    return inner / np.maximum(whole, 1e-9)  # type: ignore[no-any-return]


def areas_of(boxes: Boxes) -> NDArray[np.float64]:
    """(n,) areas; of boxes turned inside out 0."""
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)  # type: ignore[no-any-return]


def without_doubles(
    boxes: Boxes,
    scores: NDArray[np.float64],
    limit: float,
    over: Literal["union", "smaller"] = "union",
) -> NDArray[np.intp]:
    """Indices of the boxes that no better-scored box overlaps by more than `limit`, best first.

    Unlike the usual greedy rule a box also falls to one that falls itself, as in the package
    `mtcnn`, whose results the weights' users know.
    """
    order = np.argsort(-scores, kind="stable")
    covered = np.triu(overlaps(boxes[order], boxes[order], over) > limit, k=1)
    return order[~covered.any(axis=0)]


def squared(boxes: Boxes) -> Boxes:
    """The boxes grown to squares around their centres."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def clipped(boxes: Boxes, width_px: int, height_px: int) -> Boxes:
    """The boxes cut to a picture of that size."""
    limit = np.array([width_px, height_px, width_px, height_px], dtype=np.float64)
    return np.clip(boxes, 0.0, limit)
