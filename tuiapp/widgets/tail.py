"""Lines of text that grow at the end."""

from __future__ import annotations

from textual.widgets import Log


class Tail(Log):
    """Stays at its end as lines come, unless scrolled away from it or told not to follow."""

    def follow(self, on: bool) -> None:
        self.auto_scroll = on
        if on:
            self.scroll_end(animate=False)

    def add_lines(self, lines: list[str]) -> None:
        self.write_lines([line or " " for line in lines])  # Log drops empty strings

    def on_resize(self) -> None:
        if self.auto_scroll:
            self.scroll_end(animate=False)
