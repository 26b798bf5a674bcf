"""Batches in order, made ahead by a few threads.

OpenCV lets other threads run while it decodes and bends, so threads keep the device busy without
copying pictures between processes. What is made ahead is bounded in number and in bytes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.train.samples import Sample, Sampling

F32 = NDArray[np.float32]
AHEAD_BYTES = 512 << 20


@dataclass(frozen=True, eq=False)
class SideBatch:
    """n samples of a side: images (n, R, R, 3) BGR, masks (n, R, R, 1); float32, 0..1."""

    input_bgr: F32
    target_bgr: F32
    mask: F32
    eyes_mouth: F32 | None

    def none(self) -> SideBatch:
        """No samples of the same kind."""
        eyes_mouth = None if self.eyes_mouth is None else self.eyes_mouth[:0]
        return SideBatch(self.input_bgr[:0], self.target_bgr[:0], self.mask[:0], eyes_mouth)


@dataclass(frozen=True, eq=False)
class Batch:
    """As many src as dst samples; `first` is the number of the first sample of each side.

    dst: without samples for a model that learns from one set of faces. shown: by side, further
    faces (n, R, R, 3) that such a model's previews show; training has none.
    """

    first: int
    src: SideBatch
    dst: SideBatch
    shown: Mapping[str, F32] = field(default_factory=dict)

    def unwarped(self) -> Batch:
        """The same batch with targets as inputs."""
        return replace(
            self,
            src=replace(self.src, input_bgr=self.src.target_bgr),
            dst=replace(self.dst, input_bgr=self.dst.target_bgr),
        )

    def mask_means(self) -> dict[str, float]:
        """How much of the pictures is face, by the names that `StepResult.health` has for it."""
        sides = {"mask_src": self.src, "mask_dst": self.dst}
        return {name: float(side.mask.mean()) for name, side in sides.items() if len(side.mask)}


class Samples(Protocol):
    """Endless, numbered samples: `engine.train.samples.SideSamples`, for example."""

    @property
    def sampling(self) -> Sampling: ...

    @property
    def side(self) -> str: ...

    @property
    def unusable(self) -> Mapping[str, str]:
        """Faces that were skipped: name and reason."""
        ...

    def sample(self, number: int) -> Sample:
        """Sample `number` >= 0. Raises `InputError` if no face can be used."""
        ...


@dataclass
class SampleRates:
    """What the pipeline did: samples made, seconds of its threads, seconds the trainer waited."""

    samples: int = 0
    busy_s: float = 0.0
    waited_s: float = 0.0

    def deliverable_per_s(self, threads: int) -> float:
        """How many samples per second the threads could make, going by how long one took."""
        return threads * self.samples / self.busy_s if self.busy_s else 0.0


@dataclass(frozen=True)
class Share:
    """The part of every batch that one of `workers` machines makes; they have equally many."""

    worker: int = 0
    workers: int = 1

    def of(self, first: int, count: int) -> tuple[int, int]:
        """First number and count of the share of `count` samples from `first` on."""
        mine = count // self.workers
        return first + self.worker * mine, mine


WHOLE = Share()


class BatchStream:
    """Batches from sample `first` of both sides on. Use as a context; `next` from one thread.

    dst: None for a model that learns from one set of faces. rates: what is counted goes here.
    share: of each batch, what `next` and `previous` give.
    """

    def __init__(
        self,
        src: Samples,
        dst: Samples | None,
        batch_size: int,
        *,
        first: int,
        threads: int,
        rates: SampleRates,
        share: Share = WHOLE,
    ) -> None:
        self.src, self.dst = src, dst
        self.batch_size = batch_size
        self.drawn = first
        self.threads = threads
        self.rates = rates
        self._share = share
        self._previous: Batch | None = None
        self._asked = first
        self._waiting: deque[Future[Batch]] = deque()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="samples")
        self._ahead = self._depth()
        self._fill()

    @property
    def sides(self) -> tuple[Samples, ...]:
        """What samples are taken from: one or two."""
        return (self.src,) if self.dst is None else (self.src, self.dst)

    def __enter__(self) -> BatchStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def next(self) -> Batch:
        """The next batch; waits until it is made. Raises `InputError` if no face can be used."""
        begun = time.perf_counter()
        batch = self._waiting.popleft().result()
        self.rates.waited_s += time.perf_counter() - begun
        self.drawn += self.batch_size
        self._previous = batch
        self._fill()
        return batch

    def previous(self) -> Batch | None:
        """The batch that `next` gave last, also if that was in an earlier run; None at the very
        beginning."""
        if self._previous is None and self.drawn >= self.batch_size:
            last = self.drawn - self.batch_size
            self._previous = self.make(*self._share.of(last, self.batch_size))
        return self._previous

    def _fill(self) -> None:
        while len(self._waiting) < self._ahead:
            mine = self._share.of(self._asked, self.batch_size)
            self._waiting.append(self._pool.submit(self.make, *mine))
            self._asked += self.batch_size

    def _depth(self) -> int:
        side_px = self.src.sampling.kind.side_px
        batch_bytes = 2 * self.batch_size * side_px**2 * 4 * (3 + 3 + 1 + 1)
        return max(2, min(self.threads + 2, AHEAD_BYTES // batch_bytes))

    def make(self, first: int, count: int) -> Batch:
        """Samples `first` to `first + count - 1` of both sides, made in the calling thread."""
        begun = time.perf_counter()
        numbers = range(first, first + count)
        src, *others = (
            _stacked([side.sample(number) for number in numbers]) for side in self.sides
        )
        batch = Batch(first, src, others[0] if others else src.none())
        with self._lock:
            self.rates.samples += len(self.sides) * count
            self.rates.busy_s += time.perf_counter() - begun
        return batch

    def for_preview(self, first: int, count: int) -> Batch:
        """What previews show of samples `first` to `first + count - 1`: targets as inputs."""
        return self.make(first, count).unwarped()


def _stacked(samples: list[Sample]) -> SideBatch:
    eyes_mouth = [sample.eyes_mouth for sample in samples if sample.eyes_mouth is not None]
    return SideBatch(
        np.stack([sample.input_bgr for sample in samples]),
        np.stack([sample.target_bgr for sample in samples]),
        np.stack([sample.mask for sample in samples]),
        np.stack(eyes_mouth) if eyes_mouth else None,
    )
