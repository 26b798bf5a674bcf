"""All frames on a line: what is rendered, where keys and shots are, where one is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from textual.content import Content
from textual.widgets import Static

from engine.protocol.events import KeyMark, MergeState

DONE, PARTLY, NOT_DONE = "━", "╍", "─"
KEY_SIGNS = {"hold": "◆", "linear": "╱", "smooth": "∿"}
SHOT = "┊"
CURSOR = "▲"


@dataclass(frozen=True)
class Rows:
    """The cells of both rows, and the cell that the frame lies in."""

    done: str
    marks: str
    cursor: int


class MergeTimeline(Static):
    """Two rows as wide as the widget."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._text = Content("")

    def show(self, state: MergeState | None, frame: int, track: str) -> None:
        """frame: where the user is, which the session may not know yet. track: whose keys stand
        out."""
        width = self.content_size.width
        if state is None or width < 1 or not state.frames:
            return
        text = drawn(rows_of(state, frame, track, width))
        if not text.is_same(self._text):  # not !=, which compares no colours
            self._text = text
            self.update(text, layout=False)


def rows_of(state: MergeState, frame: int, track: str, width: int) -> Rows:
    """What each of `width` cells says of its frames."""
    counts = done_by_cell(state.done, state.frames, width)
    done = "".join(
        NOT_DONE if not made else DONE if made >= total else PARTLY for made, total in counts
    )
    marks = [" "] * width
    for shot in state.shots[1:]:
        marks[cell_of(shot, state.frames, width)] = SHOT
    for key in sorted(state.keys, key=lambda key: _stands_out(key, track)):
        marks[cell_of(key.frame, state.frames, width)] = KEY_SIGNS.get(key.goes_on, "◆")
    return Rows(done, "".join(marks), cell_of(frame, state.frames, width))


def cell_of(frame: int, frames: int, width: int) -> int:
    """The cell in which a frame lies; the first frame is in the first cell, the last in the last
    one."""
    if frames <= 1:
        return 0
    return min(width - 1, max(0, frame * (width - 1) // (frames - 1)))


def done_by_cell(done: tuple[int, ...], frames: int, width: int) -> list[tuple[int, int]]:
    """(rendered, all) frames of each cell; a cell without a frame of its own is like the one
    before it. done: see `MergeState`."""
    edges = list(accumulate(done, initial=0))
    ranges = [pair for number, pair in enumerate(pairwise(edges)) if number % 2]
    firsts = _first_frames(frames, width)
    cells: list[tuple[int, int]] = []
    for first, end in pairwise([*firsts, frames]):
        if first == end and cells:
            cells.append(cells[-1])
            continue
        made = sum(max(0, min(end, stop) - max(first, start)) for start, stop in ranges)
        cells.append((made, end - first))
    return cells


def _first_frames(frames: int, width: int) -> list[int]:
    """The first frame of each cell, as `cell_of` counts."""
    if width <= 1 or frames <= 1:
        return [0] * width
    return [-(-cell * (frames - 1) // (width - 1)) for cell in range(width)]


def drawn(rows: Rows) -> Content:
    at = rows.cursor
    return Content.assemble(
        (rows.done[:at], "$success"),
        (rows.done[at], "reverse $accent"),
        (rows.done[at + 1 :], "$success"),
        "\n",
        (rows.marks[:at], "$warning"),
        (CURSOR if rows.marks[at] == " " else rows.marks[at], "bold $accent"),
        (rows.marks[at + 1 :], "$warning"),
    )


def _stands_out(key: KeyMark, track: str) -> bool:
    return key.track == track
