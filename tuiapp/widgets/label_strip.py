"""The faces before and after the shown one, small, with their numbers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from engine.protocol.events import LabelsStrip
from tuiapp.widgets.merge_picture import SessionPicture


class FaceStrip(Vertical):
    """Shows what a label session tells of neighbours."""

    DEFAULT_CSS = """
    FaceStrip {
        height: 6;
        & > Static { height: 1; text-wrap: nowrap; }
    }
    """

    def compose(self) -> ComposeResult:
        yield SessionPicture(id="neighbours")
        yield Static("", id="numbers", markup=False)

    def box_px(self) -> tuple[int, int]:
        """See `SessionPicture.box_px`."""
        return self.query_one(SessionPicture).box_px()

    def show(self, strip: LabelsStrip, labelled: frozenset[int]) -> None:
        """labelled: the faces that have labels."""
        picture = self.query_one(SessionPicture)
        if not all(picture.box_px()):
            return
        picture.show_file(strip.path, strip.width, strip.height)
        left, width = picture.span_cells(strip.width, strip.height)
        words = numbers(strip, left, width, labelled)
        self.query_one("#numbers", Static).update(words, layout=False)


def numbers(strip: LabelsStrip, left: float, width: float, labelled: frozenset[int]) -> Content:
    """The numbers of the faces, each in the middle of its picture; those with labels have a dot.
    left, width: of the pictures together, in cells."""
    parts: list[str | tuple[str, str]] = []
    written = 0
    for place in range(strip.count):
        face = strip.first + place
        text = f"{face + 1}{'•' if face in labelled else ''}"
        start = round(left + (place + 0.5) * width / strip.count - len(text) / 2)
        if start < 0 or (written and start <= written):
            continue  # no room
        style = "bold reverse $accent" if face == strip.face else "dim"
        parts += [" " * (start - written), (text, style)]
        written = start + len(text)
    return Content.assemble(*parts)
