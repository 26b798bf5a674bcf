"""Words that are asked for often and change seldom."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """Shows text; the same text again repaints nothing."""

    def __init__(self, *, id: str) -> None:
        super().__init__("", id=id, markup=False)
        self._words: Content | None = None

    def show(self, words: Content) -> None:
        """The text from now on; the widget's size is its style's."""
        if words != self._words:
            self._words = words
            self.update(words, layout=False)
