"""The end of a log file, read on without holding up the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.widgets import Log

from tuiapp.bridge.log_tail import LogTail

LINES_KEPT = 20_000


class LogPane(Log):
    """Shows what a log file holds and gets; stays at the end unless scrolled away from it."""

    def __init__(self, path: Path) -> None:
        super().__init__(max_lines=LINES_KEPT)
        self._tail = LogTail(path)

    def read_on(self) -> None:
        """Read what is new, in a thread; a reading that still goes on is let finish."""
        if not any(worker.group == "log" and worker.is_running for worker in self.workers):
            self.run_worker(self._read(), group="log")

    def follow(self, on: bool) -> None:
        self.auto_scroll = on
        if on:
            self.scroll_end(animate=False)

    async def _read(self) -> None:
        lines = await asyncio.to_thread(self._tail.new_lines)
        if lines:
            # An empty string would be no line at all to Log.
            self.write_lines([line or " " for line in lines])
