"""A picture with a title in its border."""

from __future__ import annotations

from tuiapp.graphics.view import PixelView


class Picture(PixelView):
    """A `PixelView` in a thin frame that carries its title and, below, a caption."""

    DEFAULT_CSS = """
    Picture { border: round $panel; }
    Picture:focus { border: round $accent; }
    """

    def set_title(self, title: str, caption: str = "") -> None:
        """Both are shown as they are; nothing in them is read as markup."""
        self.border_title = title.replace("[", r"\[")
        self.border_subtitle = caption.replace("[", r"\[")
