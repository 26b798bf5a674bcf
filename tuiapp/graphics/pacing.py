"""Fences: a question put behind each frame, whose answer says that the terminal has taken it.

The cursor is moved to a cell of its own before its position is asked for, so that each answer names
its frame: late answers, lost ones, and F3 with a modifier (which looks like an answer for row 1)
cannot be taken for another's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Owner = TypeVar("Owner")

MAX_IN_FLIGHT = 2
TIMEOUT_S = 2.0
_FIRST_ROW = 2  # answers for row 1 look like F3 with a modifier


@dataclass(frozen=True)
class Fence(Generic[Owner]):
    """`row` and `column` count from 1, as in the terminal's own sequences."""

    row: int
    column: int
    owner: Owner
    sent_at_s: float

    @property
    def sequence(self) -> str:
        return f"\x1b7\x1b[{self.row};{self.column}H\x1b[6n\x1b8"


@dataclass(frozen=True)
class Acknowledged(Generic[Owner]):
    """A frame that has been shown, or given up after the timeout (`lost`)."""

    owner: Owner
    milliseconds: float
    lost: bool = False


class Pacer(Generic[Owner]):
    """At most two frames on their way; frames acknowledge in the order they were sent."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fences: list[Fence[Owner]] = []
        self._count = 0

    @property
    def in_flight(self) -> int:
        return len(self._fences)

    def may_send(self) -> bool:
        return len(self._fences) < MAX_IN_FLIGHT

    def issue(self, owner: Owner, columns: int, rows: int) -> Fence[Owner]:
        """A new fence for a screen of this many cells."""
        usable_rows = max(1, rows - _FIRST_ROW + 1)
        row = _FIRST_ROW + self._count % usable_rows
        column = 1 + self._count // usable_rows % max(1, columns)
        self._count += 1
        fence = Fence(row, column, owner, self._clock())
        self._fences.append(fence)
        return fence

    def answer(self, row: int, column: int) -> list[Acknowledged[Owner]]:
        """What an answer for this cell acknowledges: its frame and those sent before it."""
        places = [(fence.row, fence.column) for fence in self._fences]
        if (row, column) not in places:
            return []
        taken = places.index((row, column)) + 1
        done, self._fences = self._fences[:taken], self._fences[taken:]
        return [self._acknowledged(fence) for fence in done]

    def expire(self) -> list[Acknowledged[Owner]]:
        """Gives up frames that were not answered in time."""
        limit = self._clock() - TIMEOUT_S
        lost = [fence for fence in self._fences if fence.sent_at_s <= limit]
        self._fences = [fence for fence in self._fences if fence.sent_at_s > limit]
        return [self._acknowledged(fence, lost=True) for fence in lost]

    def _acknowledged(self, fence: Fence[Owner], *, lost: bool = False) -> Acknowledged[Owner]:
        return Acknowledged(fence.owner, (self._clock() - fence.sent_at_s) * 1000, lost)
