"""Stages that are computed twice need less memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def measured(recompute: str) -> tuple[float, float]:
    """MiB, and a number that tells gradients apart."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.nets.peak_memory", recompute],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    mib, size = found.stdout.split()
    return float(mib), float(size)


@pytest.mark.slow
def test_recomputing_takes_much_less_memory_for_the_same_gradients():
    kept_mib, kept_size = measured("0")
    recomputed_mib, recomputed_size = measured("1")
    assert recomputed_mib < 0.8 * kept_mib
    assert recomputed_size == pytest.approx(kept_size, rel=1e-6)
