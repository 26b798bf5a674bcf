"""The line of keys at the bottom: whole ones only."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer

from tuiapp.graphics.textual_hooks import FooterKey

PALETTE = "-command-palette"
# These give way first, in this order: they are the same on every screen, and in the palette.
FIRST_TO_GO = ("leave", "help")


class KeyFooter(Footer):
    """A footer that leaves out the keys that it has no room for, instead of cutting them off."""

    def __init__(self) -> None:
        super().__init__(compact=True)
        self._made_for = 0

    def compose(self) -> ComposeResult:
        self._made_for = self.app.size.width
        yield from fitting(list(super().compose()), self._made_for)

    def on_resize(self, _: events.Resize) -> None:
        if self.app.size.width != self._made_for:
            self.call_after_refresh(self.recompose)


def fitting(keys: list[Widget], width: int) -> list[Widget]:
    """Those that fit side by side into so many cells: the last ones go, after `FIRST_TO_GO`; the
    palette stays, for it has all."""
    kept = list(keys)
    going = [key for name in FIRST_TO_GO for key in keys if _does(key, name)]
    going += [key for key in reversed(keys) if key not in going and not key.has_class(PALETTE)]
    for key in going:
        if sum(map(_width, kept)) <= width:
            break
        kept.remove(key)
    return kept


def _does(key: Widget, name: str) -> bool:
    return isinstance(key, FooterKey) and key.action.rpartition(".")[2] == name


def _width(key: Widget) -> int:
    """In cells: the key, its word, and a gap after each; before the palette's there is a line."""
    if not isinstance(key, FooterKey):
        return 0
    return cell_len(key.key_display) + cell_len(key.description) + 2
