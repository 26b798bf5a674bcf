"""How much memory this process may still take: what the machine has free, or what the container
that it runs in is still allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


def available_bytes(cgroups: Path = _CGROUPS, own_groups: Path = _OWN_GROUPS) -> int:
    """Bytes that can be had without swapping or being killed. Pages of files that the kernel would
    give up count as free."""
    free = int(psutil.virtual_memory().available)
    return max(0, min([free, *_left_in_groups(cgroups, own_groups)]))


def _left_in_groups(cgroups: Path, own_groups: Path) -> Iterator[int]:
    """What each control group around this process leaves it, for both versions of the interface
    (https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html)."""
    for line in _text(own_groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_up_to(cgroups / "memory", path, *names)
        elif not controllers:
            yield from _left_up_to(cgroups, path, "memory.max", "memory.current", "inactive_file")


def _left_up_to(root: Path, path: str, limit: str, used: str, cached: str) -> Iterator[int]:
    """From the group itself up to the root: each may have a limit. In a container the path may be
    that of the host, where nothing is then; the root is what counts."""
    own = root / path.lstrip("/")
    for folder in (own, *(parent for parent in own.parents if parent.is_relative_to(root))):
        most, taken = _text(folder / limit).strip(), _text(folder / used).strip()
        if most.isdecimal() and taken.isdecimal():
            yield int(most) - int(taken) + _cached_bytes(folder / "memory.stat", cached)


def _cached_bytes(path: Path, name: str) -> int:
    facts = dict(line.split(" ", 1) for line in _text(path).splitlines())
    return int(facts.get(name, 0))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""  # another system, or a group without limits
