"""Results that stay for the next look: what a setting has no part in is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Kept:
    """The newest result of each step, and what it was made from. Not for several threads at once.

    One result per step, so that memory stays flat however long a setting is turned.
    """

    def __init__(self) -> None:
        self._results: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, step: Hashable, made_from: Hashable, make: Callable[[], Result]) -> Result:
        """The step's result: the kept one if it was made from the same, else a new one."""
        found = self._results.get(step)
        if found is not None and found[0] == made_from:
            kept: Result = found[1]
            return kept
        result = make()
        self._results[step] = (made_from, result)
        return result
