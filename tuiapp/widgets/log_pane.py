"""The end of a log file, read on without holding up the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tuiapp.bridge.log_tail import LogTail
from tuiapp.widgets.tail import Tail

LINES_KEPT = 20_000


class LogPane(Tail):
    """Shows the end of a log file and what is added to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(max_lines=LINES_KEPT)
        self._tail = LogTail(path)

    def read_on(self) -> None:
        """Read what is new, in a thread; a reading that still goes on is let finish."""
        if not any(worker.group == "log" and not worker.is_finished for worker in self.workers):
            self.run_worker(self._read(), group="log")

    async def _read(self) -> None:
        lines = await asyncio.to_thread(self._tail.new_lines)
        if lines:
            self.add_lines(lines)
