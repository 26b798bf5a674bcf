"""Notes and warnings of a run."""

from __future__ import annotations

from tuiapp.bridge.run_view import RunView
from tuiapp.widgets.run_summary import notes_text
from tuiapp.widgets.tail import Tail


class NotesPane(Tail):
    """Every note that is kept, the newest at the end; invisible while there is none."""

    def __init__(self) -> None:
        super().__init__(max_lines=1000)
        self._shown: list[str] = []
        self.display = False

    def show(self, view: RunView) -> None:
        lines = notes_text(view)
        if lines == self._shown:
            return
        if lines[: len(self._shown)] == self._shown:
            new = lines[len(self._shown) :]
        else:  # old ones were dropped
            self.clear()
            new = lines
        self._shown = lines
        self.display = True
        self.add_lines(new)
