"""The list of models as a value: what is there, and which two are to be compared."""

from __future__ import annotations

from collections.abc import Iterable

from engine.protocol.model_cards import ModelCard

MOST_MARKS = 2


class ModelList:
    """Models in the order in which they were trained last. `marks`: keys, oldest mark first."""

    def __init__(self) -> None:
        self.cards: tuple[ModelCard, ...] = ()
        self.marks: tuple[str, ...] = ()

    def replace(self, cards: Iterable[ModelCard]) -> None:
        """Show these from now on; marks of models that are gone go with them."""
        self.cards = tuple(cards)
        self.marks = tuple(key for key in self.marks if self.card(key) is not None)

    def card(self, key: str | None) -> ModelCard | None:
        """The model of that key; None if there is none."""
        return next((card for card in self.cards if card.key == key), None)

    def toggle_mark(self, key: str) -> None:
        """Mark a model or unmark it; the oldest mark gives way to a third."""
        if key in self.marks:
            self.marks = tuple(mark for mark in self.marks if mark != key)
        else:
            self.marks = (*self.marks, key)[-MOST_MARKS:]

    def pair(self, key: str | None) -> tuple[ModelCard, ModelCard] | None:
        """The two to compare: both marked ones, or the marked one and that of `key`; None if these
        are no two models of ours."""
        keys = self.marks if len(self.marks) == MOST_MARKS else (*self.marks, key or "")
        found = [card for card in map(self.card, dict.fromkeys(keys)) if card and card.is_own]
        return (found[0], found[1]) if len(found) == MOST_MARKS else None
