"""Saving beside training: the trainer copies its state, a thread writes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from engine.protocol.errors import InputError
from engine.train.generations import Generations, Manifest, State


class Saver:
    """Writes generations one at a time in a thread of its own. Use as a context.

    warn: hears (text, remedy), from that thread, if old saves cannot be removed; once.
    """

    def __init__(
        self, generations: Generations, last_iteration: int, warn: Callable[[str, str], None]
    ) -> None:
        self.generations = generations
        self.last_iteration = last_iteration  # of the newest good save; 0 if there is none
        self._warn = warn
        self._told_of_pruning = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="saver")
        self._running: tuple[int, Future[Path]] | None = None

    def __enter__(self) -> Saver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)

    @property
    def busy(self) -> bool:
        """A save is being written, or was and nobody has heard of it yet."""
        return self._running is not None

    def begin(self, manifest: Manifest, state: State, *, keep: int) -> None:
        """Start writing; `state` must not change any more. Only when not `busy`. keep: how many of
        the newest saves stay, besides the best."""
        if self._running is not None:
            raise RuntimeError("a save is under way")
        written = self._pool.submit(self._write, manifest, state, keep)
        self._running = (manifest.iteration, written)

    def finished(self, *, wait: bool = False) -> tuple[int, Path] | None:
        """(iteration, folder) of a save that has become good since the last call, else None.

        Raises `InputError` if it could not be written; older ones are as they were.
        """
        if self._running is None or not (wait or self._running[1].done()):
            return None
        (iteration, written), self._running = self._running, None
        path = written.result()
        self.last_iteration = iteration
        return iteration, path

    def _write(self, manifest: Manifest, state: State, keep: int) -> Path:
        path = self.generations.write(manifest, state)
        try:
            self.generations.prune(keep)
        except InputError as error:  # the new save is good: no reason to end training
            if not self._told_of_pruning:
                self._told_of_pruning = True
                self._warn(error.message, error.remedy)
        return path
