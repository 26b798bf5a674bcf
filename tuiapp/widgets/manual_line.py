"""All frames of a manual extraction on a line: what is done, what is to be done, where one is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from tuiapp.widgets.merge_timeline import cell_of

# What a cell says of its frames, the first that any of them is in.
SIGNS = (
    ("open", "─", "$warning"),
    ("kept", "━", "$success"),
    ("skipped", "╌", "dim"),
    ("known", "━", "dim"),
    ("other", "·", "dim"),
)


class ManualLine(Static):
    """A row as wide as the widget."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._text = Content("")

    def show(self, states: Sequence[str], frame: int) -> None:
        width = self.content_size.width
        if width < 1 or not states:
            return
        text = drawn(states, frame, width)
        if text != self._text:
            self._text = text
            self.update(text, layout=False)


def drawn(states: Sequence[str], frame: int, width: int) -> Content:
    """states: of all frames, see `ManualRun`."""
    cells = cells_of(states, width)
    here = cell_of(frame, len(states), width)
    return Content.assemble(
        *(
            (sign, "reverse $accent" if n == here else style)
            for n, (sign, style) in enumerate(cells)
        )
    )


def cells_of(states: Sequence[str], width: int) -> list[tuple[str, str]]:
    """Sign and style of each cell; one without a frame of its own is like the one before it."""
    held: list[set[str]] = [set() for _ in range(width)]
    for frame, state in enumerate(states):
        held[cell_of(frame, len(states), width)].add(state)
    cells: list[tuple[str, str]] = []
    for states_here in held:
        found = [(sign, style) for state, sign, style in SIGNS if state in states_here]
        cells.append(found[0] if found else cells[-1] if cells else (" ", ""))
    return cells
