"""A model's losses for drawing: bounded in memory however long the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

# A chart has a few hundred columns of two points; more points than this cannot be seen.
MAX_BUCKETS = 2000
RECENT_KEPT = 1000


@dataclass
class _Bucket:
    """The mean of some neighbouring iterations; `iteration` is the last of them."""

    iteration: int
    sums: list[float]
    count: int

    def means(self) -> tuple[float, ...]:
        return tuple(total / self.count for total in self.sums)


Point = tuple[int, tuple[float, ...]]


class LossSeries:
    """Losses by iteration: all of them as means of neighbours, and the last ones as they came.

    An iteration at or before the last known one takes the place of everything from there on: points
    that are known already do no harm, and a training that was rolled back draws its new course.
    """

    def __init__(self) -> None:
        self._buckets: list[_Bucket] = []
        self._per_bucket = 1
        self._recent: deque[Point] = deque(maxlen=RECENT_KEPT)
        self.version = 0

    def add(self, iteration: int, values: Sequence[float]) -> None:
        self._drop_from(iteration)
        last = self._buckets[-1] if self._buckets else None
        if last is None or last.count >= self._per_bucket or len(last.sums) != len(values):
            self._buckets.append(_Bucket(iteration, list(values), 1))
        else:
            last.iteration = iteration
            last.sums = [total + value for total, value in zip(last.sums, values, strict=True)]
            last.count += 1
        self._recent.append((iteration, tuple(values)))
        self.version += 1
        if len(self._buckets) > MAX_BUCKETS:
            self._halve()

    def all_points(self) -> list[Point]:
        return [(bucket.iteration, bucket.means()) for bucket in self._buckets]

    def recent_points(self) -> list[Point]:
        return list(self._recent)

    def _drop_from(self, iteration: int) -> None:
        while self._buckets and self._buckets[-1].iteration >= iteration:
            self._buckets.pop()
        while self._recent and self._recent[-1][0] >= iteration:
            self._recent.pop()

    def _halve(self) -> None:
        pairs = zip(self._buckets[::2], self._buckets[1::2], strict=False)
        odd = self._buckets[-1:] if len(self._buckets) % 2 else []
        self._buckets = [_merged(one, other) for one, other in pairs] + odd
        self._per_bucket *= 2


def _merged(one: _Bucket, other: _Bucket) -> _Bucket:
    if len(one.sums) != len(other.sums):
        return other
    sums = [a + b for a, b in zip(one.sums, other.sums, strict=True)]
    return _Bucket(other.iteration, sums, one.count + other.count)


def columns(
    names: tuple[str, ...], points: list[Point]
) -> tuple[dict[str, list[float]], list[int]]:
    """Points as a chart wants them: one list per loss name, and the iterations."""
    whole = [point for point in points if len(point[1]) == len(names)]
    series = {name: [values[n] for _, values in whole] for n, name in enumerate(names)}
    return series, [iteration for iteration, _ in whole]
