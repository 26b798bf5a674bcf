"""Work handed to a few threads, with a bound on what waits, so that memory stays bounded too."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

_MOST_THREADS = 16  # a 4K frame has 25 MB, and decoding does not feed more


def pool_threads() -> int:
    """How many threads to encode with on this machine."""
    return max(1, min(len(os.sched_getaffinity(0)), _MOST_THREADS))


class BoundedPool:
    """Threads for calls whose results do not matter. Leaving the block waits for what has begun;
    the first error of a call is raised by the next `submit` or at the end."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads)
        self._limit = threads + 2
        self._pending: set[Future[None]] = set()

    def __enter__(self) -> BoundedPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            self._raise_errors(self._pending)

    def submit(self, call: Callable[[], None]) -> None:
        """Have `call` made soon; waits while too many are under way."""
        while len(self._pending) >= self._limit:
            done, self._pending = wait(self._pending, return_when=FIRST_COMPLETED)
            self._raise_errors(done)
        self._pending.add(self._executor.submit(call))

    @property
    def unfinished(self) -> int:
        """How many calls are not made yet."""
        return sum(not future.done() for future in self._pending)

    @staticmethod
    def _raise_errors(futures: set[Future[None]]) -> None:
        for future in futures:
            future.result()
