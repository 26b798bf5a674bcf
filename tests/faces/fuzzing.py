"""Mutations of good files, and a process of little memory to read them in."""

from __future__ import annotations

import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable

import cv2
import numpy as np

_OPCODES = np.frombuffer(b"(.0123FINKJMLRTUVXabcdeghijlopqrstu})]GBC\x80\x85\x86\x87\x93\x94", "u1")
_EXTREME = (0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def mutated(good: bytes, random: np.random.Generator, most: int = 8) -> bytes:
    """One to `most` changes: bytes, opcodes of pickles, lengths; cut, inserted, left out, again."""
    data = bytearray(good)
    for _ in range(random.integers(1, most + 1)):
        _mutate(data, int(random.integers(len(data) or 1)), random)
    if random.random() < 0.05:
        del data[random.integers(len(data) + 1) :]
    return bytes(data)


def _mutate(data: bytearray, at: int, random: np.random.Generator) -> None:
    match int(random.integers(6)):
        case 0:
            data[at : at + 1] = random.bytes(1)
        case 1:
            data[at : at + 1] = bytes([random.choice(_OPCODES)])
        case 2:
            data[at:at] = bytes(random.choice(_OPCODES, 3))
        case 3:
            del data[at : at + int(random.integers(1, 20))]
        case 4:
            data[at:at] = data[at : at + int(random.integers(1, 60))]
        case _:
            value = _EXTREME[random.integers(len(_EXTREME))] + int(random.integers(-3, 4))
            data[at : at + 8] = (value % 2**64).to_bytes(8, "little")


def survives_in_little_memory(function: Callable[[], None], more_bytes: int) -> bool:
    """Whether `function` ends well in a process that may take so much more memory than this one,
    told by the system: nothing can allocate more, whether by Python or not."""
    assert threading.active_count() == 1, "forking needs a process without threads"
    cv2.setNumThreads(1)
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            limit = _virtual_bytes() + more_bytes
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            function()
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def _virtual_bytes() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - no file of ours
        return int(file.read().split()[0]) * resource.getpagesize()
