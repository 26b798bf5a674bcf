"""Keeps the timeline's file as the session has it: at once after every change, for a kill; and
safe from a power cut when it rests."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.protocol.timeline import Timeline
from engine.protocol.timeline_file import write_timeline


class TimelineKeeper:
    """Writes in a thread of its own, so that a large timeline or a busy disk holds up no picture.

    Use as a context manager: leaving it writes what is not safe yet.
    """

    def __init__(self, path: Path, stems: Sequence[str], on_disk: Timeline | None) -> None:
        self._path = path
        self._stems = stems
        self._written = on_disk
        self._safe = on_disk
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="timeline")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.shutdown()

    def keep(self, timeline: Timeline, *, durable: bool = False) -> None:
        """Begin to write the timeline, unless it is there (or safe, if `durable`) already."""
        if timeline == (self._safe if durable else self._written):
            return
        self._written = timeline
        self._safe = timeline if durable else self._safe
        self._writing = self._writer.submit(
            write_timeline, self._path, timeline, self._stems, durable=durable
        )

    def wait(self) -> None:
        """Until the file is as told last. Raises `InputError` if it could not be written; the next
        `keep` tries again."""
        if self._writing is None:
            return
        try:
            self._writing.result()
        except Exception:
            self._written = self._safe = None
            raise
        finally:
            self._writing = None
