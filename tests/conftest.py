from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def memory_of_nets_given_back() -> Iterator[None]:
    """Models and their graphs are cycles that hold each other, and what they leave free lies among
    what lives: 110 to 180 MB of each tiny model. (60 MB more stay for good: XLA never forgets a
    program that it compiled, such as each optimizer's.)"""
    yield
    if "tensorflow" in sys.modules:
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library
        if trim is not None:
            trim(0)
