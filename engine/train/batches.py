"""Batches in order, made ahead by a few threads.

OpenCV lets other threads run while it decodes and bends, so threads keep the device busy without
copying pictures between processes. What is made ahead is bounded in number and in bytes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from engine.train.samples import Sample, SideSamples

F32 = NDArray[np.float32]
AHEAD_BYTES = 512 << 20


@dataclass(frozen=True, eq=False)
class SideBatch:
    """n samples of a side: images (n, R, R, 3) BGR, masks (n, R, R, 1); float32, 0..1."""

    input_bgr: F32
    target_bgr: F32
    mask: F32
    eyes_mouth: F32 | None


@dataclass(frozen=True, eq=False)
class Batch:
    """As many src as dst samples; `first` is the number of the first sample of each side."""

    first: int
    src: SideBatch
    dst: SideBatch

    def unwarped(self) -> Batch:
        """The same batch with targets as inputs."""
        return Batch(
            self.first,
            replace(self.src, input_bgr=self.src.target_bgr),
            replace(self.dst, input_bgr=self.dst.target_bgr),
        )


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

    rates: what is counted goes here. share: of each batch, what `next` and `previous` give.
    """

    def __init__(
        self,
        src: SideSamples,
        dst: SideSamples,
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
        batch = Batch(
            first,
            _stacked([self.src.sample(number) for number in numbers]),
            _stacked([self.dst.sample(number) for number in numbers]),
        )
        with self._lock:
            self.rates.samples += 2 * count
            self.rates.busy_s += time.perf_counter() - begun
        return batch


def _stacked(samples: list[Sample]) -> SideBatch:
    eyes_mouth = [sample.eyes_mouth for sample in samples if sample.eyes_mouth is not None]
    return SideBatch(
        np.stack([sample.input_bgr for sample in samples]),
        np.stack([sample.target_bgr for sample in samples]),
        np.stack([sample.mask for sample in samples]),
        np.stack(eyes_mouth) if eyes_mouth else None,
    )
