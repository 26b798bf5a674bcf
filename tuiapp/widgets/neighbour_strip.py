"""The frames or faces before and after the shown one, small, with their numbers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engine.protocol.events import LabelsStrip, MergeStrip
from tuiapp.widgets.merge_picture import SessionPicture

NONE_MARKED: frozenset[int] = frozenset()


class NeighbourStrip(Vertical):
    """Shows what a session tells of neighbours; hidden until it is wanted."""

    DEFAULT_CSS = """
    NeighbourStrip {
        height: 5;
        display: none;
        & > Static { height: 1; text-wrap: nowrap; }
    }
    """

    def compose(self) -> ComposeResult:
        yield SessionPicture(id="neighbours")
        yield Static("", id="numbers", markup=False)

    def box_px(self) -> tuple[int, int]:
        """See `SessionPicture.box_px`."""
        return self.query_one(SessionPicture).box_px()

    def show(
        self, strip: MergeStrip | LabelsStrip, at: int, marked: frozenset[int] = NONE_MARKED
    ) -> None:
        """at: the shown one; marked: those that get a dot."""
        picture = self.query_one(SessionPicture)
        if not all(picture.box_px()):
            return
        picture.show_file(strip.path, strip.width, strip.height)
        left, width = picture.span_cells(strip.width, strip.height)
        words = numbers(range(strip.first, strip.first + strip.count), at, left, width, marked)
        self.query_one("#numbers", Static).update(words, layout=False)


def numbers(
    shown: range, at: int, left: float, width: float, marked: frozenset[int] = NONE_MARKED
) -> Content:
    """The numbers, from 1, of those that are shown, each in the middle of its picture. left, width:
    of the pictures together, in cells."""
    parts: list[str | tuple[str, str]] = []
    written = 0
    for place, one in enumerate(shown):
        text = f"{one + 1}{'•' if one in marked else ''}"
        start = round(left + (place + 0.5) * width / len(shown) - len(text) / 2)
        if start < 0 or (written and start <= written):
            continue  # no room
        style = "bold reverse $accent" if one == at else "dim"
        parts += [" " * (start - written), (text, style)]
        written = start + len(text)
    return Content.assemble(*parts)
