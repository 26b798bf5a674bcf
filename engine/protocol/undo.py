"""Undo and redo, for any state that is a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

State = TypeVar("State")


@dataclass(frozen=True)
class History(Generic[State]):
    """A state, those before it and those that were undone (the last one undone at the end).

    There is no limit: states share what they have in common (a timeline of 1,000 keys takes 8 KB
    for each state).
    """

    present: State
    past: tuple[State, ...] = ()
    undone: tuple[State, ...] = ()

    def changed(self, state: State, *, is_same_step: bool = False) -> History[State]:
        """After an edit. is_same_step: it belongs to the edit before, and is undone with it (a key
        that is held). A state equal to the present one is no edit."""
        if state == self.present:
            return self
        joins = is_same_step and self.past and not self.undone
        past = self.past if joins else (*self.past, self.present)
        return History(state, past)

    def amended(self, change: Callable[[State], State]) -> History[State]:
        """The present state replaced by one that is no edit: nothing is undone or redone by it."""
        return History(change(self.present), self.past, self.undone)

    def undo(self) -> History[State]:
        """One edit back; the same if there is none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.undone, self.present))

    def redo(self) -> History[State]:
        """One undone edit forth; the same if there is none."""
        if not self.undone:
            return self
        return History(self.undone[-1], (*self.past, self.present), self.undone[:-1])
