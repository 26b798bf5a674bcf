"""Shots are looked for once per set of frames, while one works already."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from engine.media.shots import shots_of
from engine.protocol.errors import FacewrightError, Stopped
from engine.stages.merge_session.frame_store import Wake

# Pictures that somebody waits for come first.
NICENESS = 10


class ShotSearch:
    """Looks at all frames in a thread of its own, and wakes the session at the end."""

    def __init__(self, paths: Sequence[Path], cache: Path, wake: Wake) -> None:
        self._paths = paths
        self._cache = cache
        self._wake = wake
        self._ends = threading.Event()
        self._is_done = threading.Event()
        self._found: tuple[int, ...] | None = None
        self._error: FacewrightError | None = None
        self._thread = threading.Thread(target=self._search, name="shots", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the search; it begins anew with the next session."""
        self._ends.set()
        self._thread.join()

    def take(self) -> tuple[int, ...] | None:
        """The first frames of all shots but the first, once, when they are found. Raises
        `InputError` if they could not be kept."""
        if not self._is_done.is_set():
            return None
        found, self._found = self._found, None
        error, self._error = self._error, None
        if error is not None:
            raise error
        return found

    def _search(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # a courtesy that not all systems know
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            self._found = tuple(shots_of(self._paths, self._cache, self._told))
        except Stopped:
            return
        except FacewrightError as error:
            self._error = error
        self._is_done.set()
        self._wake()

    def _told(self, _: int) -> None:
        if self._ends.is_set():
            raise Stopped
