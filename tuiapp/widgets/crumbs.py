"""The line at the top: program, workspace, where one is."""

from __future__ import annotations

from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from tuiapp.bridge.wording import plain_text

_SEPARATOR = " > "


class Crumbs(Static):
    """`Facewright > ~/swap > Train`; a long workspace path loses its beginning, not its end."""

    def __init__(self, workspace: Path, place: str) -> None:
        super().__init__(markup=False)
        self._workspace = workspace
        self._place = place

    def render(self) -> Content:
        name, place = "Facewright", plain_text(self._place)
        room = self.size.width - len(name) - len(place) - 2 * len(_SEPARATOR) - 2
        return Content.assemble(
            (name, "bold $primary"),
            (_SEPARATOR, "dim"),
            short_path(self._workspace, max(room, 8)),
            (_SEPARATOR, "dim"),
            (place, "bold"),
        )


def short_path(path: Path, width: int) -> str:
    """The path in at most `width` cells: the home folder as ~, the beginning cut if need be."""
    home = Path.home()
    text = str(path)
    if path != home and path.is_relative_to(home):
        text = f"~/{path.relative_to(home)}"
    text = plain_text(text)
    return text if len(text) <= width else "…" + text[len(text) - width + 1 :]
