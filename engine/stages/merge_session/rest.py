"""Rendering the rest in the background, through the renderer of `merge`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import closing

from engine.stages.merge.render import Rendering, Unreadable
from engine.stages.merge_session.frame_store import Wake

Renderings = Generator[Rendering | Unreadable]


class Rest:
    """At most one rendering at a time, in a thread of its own. `wake` is called for each frame."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._is_over = threading.Event()
        self._is_over.set()
        self._outcomes: queue.SimpleQueue[Rendering | Unreadable | BaseException] = (
            queue.SimpleQueue()
        )

    @property
    def is_running(self) -> bool:
        return not self._is_over.is_set()

    def start(self, renderings: Renderings) -> None:
        """Begin to render (`Renderer.render`); only when none is running."""
        self._is_over.clear()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._render, args=(renderings, self._stop), name="rest", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End soon: frames that have begun are finished. Does not wait."""
        self._stop.set()

    def close(self) -> None:
        """End, and wait for it."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def outcomes(self) -> list[Rendering | Unreadable]:
        """What was finished since the last call. Raises what the rendering died of."""
        found: list[Rendering | Unreadable] = []
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if isinstance(outcome, BaseException):
                raise outcome
            found.append(outcome)
        return found

    def _render(self, renderings: Renderings, stop: threading.Event) -> None:
        try:
            with closing(renderings):
                for outcome in renderings:
                    self._outcomes.put(outcome)
                    self._wake()
                    if stop.is_set():
                        break
        except BaseException as error:  # noqa: BLE001 - handed to the thread that collects outcomes
            self._outcomes.put(error)
        self._is_over.set()
        self._wake()
