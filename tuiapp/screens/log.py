"""A run's whole engine log."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from engine.runtime.client import RunFolder
from tuiapp.keymap import bindings
from tuiapp.screens.framed import FramedScreen
from tuiapp.widgets.log_pane import LogPane


class LogScreen(FramedScreen):
    """The log of one run, followed as it grows."""

    CSS_PATH = "log.tcss"
    BINDINGS = bindings("log")
    context = "log"
    AUTO_FOCUS = "LogPane"

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.place = f"Log of {folder.id}"
        self._folder = folder

    def body(self) -> ComposeResult:
        yield LogPane(self._folder.log_path)
        yield Static("", id="state", markup=False)

    def paint(self) -> None:
        pane = self.query_one(LogPane)
        pane.read_on()
        following = "following" if pane.auto_scroll else "not following"
        self.query_one("#state", Static).update(
            f"{pane.line_count} lines, {following}  {self._folder.log_path}"
        )

    def action_follow(self) -> None:
        self.query_one(LogPane).follow(not self.query_one(LogPane).auto_scroll)
        self.paint()

    def action_top(self) -> None:
        self.query_one(LogPane).follow(False)
        self.query_one(LogPane).scroll_home(animate=False)

    def action_end(self) -> None:
        self.query_one(LogPane).follow(True)

    def action_down(self) -> None:
        self.query_one(LogPane).scroll_down(animate=False)

    def action_up(self) -> None:
        self.query_one(LogPane).follow(False)
        self.query_one(LogPane).scroll_up(animate=False)
