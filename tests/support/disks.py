"""Small and read-only disks, as real mounts; tests are skipped where mounting is not allowed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(where: Path, size: str) -> Iterator[Path]:
    """A disk of `size` ("4m") mounted on the new folder `where`."""
    where.mkdir()
    with _mounted(["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)], where):
        yield where


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """The folder, not writable by anyone (not even root) for the block."""
    with _mounted(["--bind", str(folder), str(folder)], folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield folder


@contextmanager
def _mounted(arguments: list[str], where: Path) -> Iterator[None]:
    if shutil.which("mount") is None:
        pytest.skip("there is no mount program")
    mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)
