"""Worker processes: order, errors, deaths, stops."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from engine.protocol.errors import InputError, StageError, Stopped
from engine.runtime.host.workers import map_in_processes

pytestmark = pytest.mark.slow  # starts processes or nets


def never_stop() -> None:
    """No stop was asked for."""


def square(number: int) -> int:
    return number * number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse_two(number: int) -> int:
    if number == 2:
        raise InputError("two is broken", "leave it out", code="two")
    return number


def thread_caps(_: int) -> tuple[str | None, int]:
    import cv2

    return os.environ.get("OMP_NUM_THREADS"), cv2.getNumThreads()


def write_pid_and_wait(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def test_results_come_in_order() -> None:
    results = map_in_processes(square, range(20), processes=2, check_stop=never_stop)
    assert list(results) == [n * n for n in range(20)]


def test_a_dead_worker_is_an_error_not_a_missing_result() -> None:
    with pytest.raises(StageError, match="worker process died"):
        list(map_in_processes(die_at_three, range(8), processes=2, check_stop=never_stop))


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_worker_keeps_its_remedy_and_code(processes: int) -> None:
    with pytest.raises(InputError, match="two is broken") as caught:
        list(map_in_processes(refuse_two, range(5), processes=processes, check_stop=never_stop))
    assert (caught.value.remedy, caught.value.code) == ("leave it out", "two")


def test_a_stop_ends_the_work_early() -> None:
    taken = []

    def stop_after_five() -> None:
        if len(taken) >= 5:
            raise Stopped

    with pytest.raises(Stopped):
        for result in map_in_processes(
            square, range(10_000), processes=2, check_stop=stop_after_five
        ):
            taken.append(result)
    assert len(taken) < 50


def test_libraries_in_workers_run_one_thread() -> None:
    [caps] = map_in_processes(thread_caps, [0], processes=2, check_stop=never_stop)
    assert caps == ("1", 1)


def engine_like(folder: str) -> None:
    list(map_in_processes(write_pid_and_wait, [folder, folder], processes=2, check_stop=never_stop))


def test_workers_die_with_a_killed_engine(tmp_path: Path) -> None:
    import multiprocessing

    engine = multiprocessing.get_context("spawn").Process(target=engine_like, args=(str(tmp_path),))
    engine.start()
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        psutil.Process().cpu_percent(interval=0.05)
    workers = [psutil.Process(int(path.name)) for path in tmp_path.iterdir()]
    assert engine.pid is not None and len(workers) == 2
    os.kill(engine.pid, signal.SIGKILL)
    engine.join()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_workers_that_were_told_to_stop_with_the_engine_are_a_stop_not_a_failure() -> None:
    looks = []

    def stop_after_the_work_was_given_out() -> None:
        looks.append(None)
        if len(looks) > 2:  # once before handing the item over, once before waiting for it
            raise Stopped

    check_stop = stop_after_the_work_was_given_out
    with pytest.raises(Stopped):
        list(map_in_processes(die_at_three, [3], processes=2, check_stop=check_stop))
