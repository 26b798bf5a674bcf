"""Losses as curves of so many columns: what a chart draws, in dots or in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuiapp.bridge.loss_history import LossHistory

F64 = NDArray[np.float64]

# The smoothed curve is the mean over about this share of the width, weighted like a bell.
_SMOOTH_SHARE = 0.012
# Where points are rarer than columns, the bell spans at least so many of them.
_SMOOTH_POINTS = 1.5
_LEAST_LOG = 1e-6  # of the top: below, log charts show noise, and 0 would stretch them for ever


@dataclass(frozen=True)
class Curve:
    """One loss: at columns `at` the least and greatest value of the column's iterations, and the
    smoothed value."""

    name: str
    at: NDArray[np.int64]
    low: F64
    high: F64
    smooth: F64


@dataclass(frozen=True)
class Curves:
    """All losses over iterations `first` to `last`, on `columns` columns."""

    first: int
    last: int
    columns: int
    curves: tuple[Curve, ...]

    def column_of(self, iteration: int) -> int:
        span = max(1, self.last - self.first)
        return round((iteration - self.first) / span * (self.columns - 1))


@dataclass(frozen=True)
class LossWindow:
    """A copy of some last iterations (n,) with their losses (n, k); values that are no numbers are
    NaN. It can be drawn in any thread."""

    names: tuple[str, ...]
    iterations: NDArray[np.int64]
    losses: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.iterations)

    @property
    def first(self) -> int:
        return int(self.iterations[0])

    @property
    def last(self) -> int:
        return int(self.iterations[-1])

    def curves(self, columns: int) -> Curves:
        """The window on `columns` >= 2 columns; only if it is not empty. Losses without any number
        have no curve."""
        starts = np.searchsorted(self.iterations, self._first_iterations(columns))
        counts = np.diff(starts, append=len(self))
        at = np.flatnonzero(counts)
        starts = starts[at]
        drawn = (
            self._curve(name, self.losses[:, n], at, starts, columns)
            for n, name in enumerate(self.names)
        )
        return Curves(self.first, self.last, columns, tuple(c for c in drawn if len(c.at)))

    def _first_iterations(self, columns: int) -> NDArray[np.int64]:
        """The least iteration of each column, as rounding to the nearest column has it."""
        edges = self.first + (np.arange(columns) - 0.5) * (self.last - self.first) / (columns - 1)
        edges[0] = self.first
        return np.asarray(np.ceil(edges), np.int64)

    def _curve(
        self,
        name: str,
        values: NDArray[np.float32],
        at: NDArray[np.int64],
        starts: NDArray[np.int64],
        columns: int,
    ) -> Curve:
        numbers = np.isfinite(values)
        low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
        counts = np.add.reduceat(numbers, starts, dtype=np.int64)
        sums = np.add.reduceat(np.where(numbers, values, 0), starts, dtype=np.float64)
        kept = counts > 0
        at, means = at[kept], sums[kept] / counts[kept]
        smooth = _smoothed(at, means, columns, len(values))
        return Curve(name, at, low[kept].astype(float), high[kept].astype(float), smooth)


def window_of(history: LossHistory, names: tuple[str, ...], last: int | None) -> LossWindow:
    """The last `last` iterations of `history` (None: all). Empty where it has other losses than
    those named."""
    fits = history.width == len(names) and len(history) > 0
    first = max(0, len(history) - last) if last is not None else 0
    if not fits:
        return LossWindow(names, np.empty(0, np.int64), np.empty((0, len(names)), np.float32))
    # Copies: the history's arrays cannot grow while anyone looks into them.
    iterations = np.frombuffer(history.iterations, np.int64)[first:].copy()
    losses = np.frombuffer(history.losses, np.float32)[first * len(names) :].copy()
    losses[~np.isfinite(losses)] = np.nan
    return LossWindow(names, iterations, losses.reshape(-1, len(names)))


def _smoothed(at: NDArray[np.int64], means: F64, columns: int, points: int) -> F64:
    """A mean over neighbours with bell-shaped weights; columns without points weigh nothing."""
    if len(at) < 2:
        return means
    sigma = max(_SMOOTH_SHARE * columns, _SMOOTH_POINTS * columns / points, 0.5)
    reach = min(columns - 1, int(3 * sigma) + 1)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    values, weights = np.zeros(columns), np.zeros(columns)
    values[at], weights[at] = means, 1.0
    summed = np.convolve(values, bell)[reach : reach + columns]
    return np.asarray(summed[at] / np.convolve(weights, bell)[reach : reach + columns][at])


@dataclass(frozen=True)
class Scale:
    """The value axis: `low` at the bottom, `high` at the top, in logarithms of ten if `log`."""

    low: float
    high: float
    log: bool

    def heights(self, values: F64) -> F64:
        """0 at the bottom to 1 at the top; what lies beyond is at the edge."""
        if self.log:
            values = np.log10(np.maximum(values, 10.0**self.low))
        return np.asarray(((values - self.low) / (self.high - self.low)).clip(0.0, 1.0))

    def value_at(self, height: float) -> float:
        position = self.low + height * (self.high - self.low)
        return 10.0**position if self.log else position


def scale_of(curves: Curves, log: bool) -> Scale:
    """The axis that fits. A linear one ends at twice the mean of what comes after the first fifth,
    as DeepFaceLab's graph does: else the first iterations press all others to the bottom."""
    lows = np.concatenate([curve.low for curve in curves.curves])
    highs = np.concatenate([curve.high for curve in curves.curves])
    top = float(highs.max())
    if log and top > 0:
        least = float(lows[lows > 0].min(initial=top))
        return _widened(np.log10(max(least, top * _LEAST_LOG)), np.log10(top), log=True)
    late = [curve.smooth[curve.at >= curves.columns // 5] for curve in curves.curves]
    usual = np.concatenate(late)
    if len(usual):
        top = min(top, 2 * float(usual.mean()))
    return _widened(float(lows.min()), top, log=False)


def _widened(low: float, high: float, *, log: bool) -> Scale:
    """A scale of some height even where all values are the same."""
    low, high = float(low), float(high)
    if high - low < 1e-12 * max(1.0, abs(high)):
        margin = 0.5 if log else max(abs(high) * 0.5, 0.5)
        return Scale(low - margin, high + margin, log)
    return Scale(low, high, log)
