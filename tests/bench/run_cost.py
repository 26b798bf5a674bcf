"""What a run of the command costs, the detached engine and its workers included."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """wall_s depends on what else the machine does; cpu_s, over all processes, hardly does."""

    wall_s: float
    cpu_s: float


def cost_of_run(root: Path, stage: str, *words: str) -> Cost:
    """Run a stage to its end as users do; orphans become this process's, so that their time is
    counted here (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    command = [sys.executable, "-m", "tuiapp", "run", stage, "-w", str(root), "--json", *words]
    cpu_before_s, began = _children_cpu_s(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    wall_s = time.perf_counter() - began
    _wait_for_orphans()
    return Cost(wall_s, _children_cpu_s() - cpu_before_s)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait_for_orphans() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return
