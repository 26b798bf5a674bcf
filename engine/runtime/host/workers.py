"""Work in processes: ordered results, a bounded number in flight, no orphans, one thread each."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from engine.protocol.errors import StageError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items waiting per process: enough to hide the hand-over, few enough to bound memory.
_IN_FLIGHT_PER_PROCESS = 3
_THREAD_CAPS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
_PR_SET_PDEATHSIG = 1


def map_in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    processes: int,
    check_stop: Callable[[], None],
    initializer: Callable[..., None] | None = None,
    initargs: tuple[object, ...] = (),
) -> Iterator[Result]:
    """See `StageContext.map_in_processes`."""
    if processes <= 1:
        if initializer is not None:
            initializer(*initargs)
        for item in items:
            check_stop()
            yield function(item)
        return
    _cap_threads_of_children()
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(os.getpid(), initializer, initargs),
    )
    try:
        yield from _ordered(pool, function, items, processes * _IN_FLIGHT_PER_PROCESS, check_stop)
    except BrokenProcessPool:
        check_stop()  # systemd and docker tell workers to stop too, by the same signal
        raise StageError(
            "a worker process died (killed, or out of memory)",
            "start again with fewer --workers; finished work is kept",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ordered(
    pool: ProcessPoolExecutor,
    function: Callable[[Any], Result],
    items: Iterable[Any],
    in_flight: int,
    check_stop: Callable[[], None],
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for item in items:
        check_stop()
        waiting.append(pool.submit(function, item))
        if len(waiting) >= in_flight:
            yield waiting.popleft().result()
    while waiting:
        check_stop()
        yield waiting.popleft().result()


def _cap_threads_of_children() -> None:
    """Children inherit these; this process has read them already, so it is not slowed."""
    for name in _THREAD_CAPS:
        os.environ.setdefault(name, "1")


def _start_worker(
    parent_pid: int, initializer: Callable[..., None] | None, initargs: tuple[object, ...]
) -> None:
    _die_with_parent(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    import cv2

    cv2.setNumThreads(1)
    if initializer is not None:
        initializer(*initargs)


def _die_with_parent(parent_pid: int) -> None:
    """No orphans after kill -9 of the engine (Linux)."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        return  # not Linux: the pool's pipes end, and so do idle workers
    if os.getppid() != parent_pid:
        os._exit(1)
