"""When a training run saves, and what is said about it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.train.generations import Manifest, State
from engine.train.save_folders import forget_save
from engine.train.saver import Saver

# After a save that failed (a full disk, say) the next is tried so much later, not at once.
RETRY_SECONDS = 60.0


class Saving:
    """Saves by the clock, on request and at the end. `heard`: called with (iteration, folder) of
    each save that has become good."""

    def __init__(
        self, context: StageContext, saver: Saver, heard: Callable[[int, Path], None]
    ) -> None:
        self.saver = saver
        self._context = context
        self._heard = heard
        self._due_at = float("inf")
        self._failed_at = float("-inf")

    def plan_next(self, minutes: float) -> None:
        """The next timed save is due in so many minutes."""
        self._due_at = time.monotonic() + minutes * 60

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due_at

    def can_begin(self, iteration: int) -> bool:
        """No save is under way, none has failed just now, and that iteration is not the one saved
        last."""
        has_just_failed = time.monotonic() - self._failed_at < RETRY_SECONDS
        is_saved = iteration == self.saver.last_iteration
        return not self.saver.busy and not has_just_failed and not is_saved

    def try_again(self) -> None:
        """Somebody asks for a save: not to be put off because one has failed just now."""
        self._failed_at = float("-inf")

    def begin(self, manifest: Manifest, state: State, *, keep: int) -> None:
        """Start writing; training goes on meanwhile. keep: how many of the newest saves stay."""
        self.saver.begin(manifest, state, keep=keep)

    def tell_unsound(self, remedy: str = "") -> None:
        """Warn that what there is now is not saved."""
        self._context.warn(
            "the model is not saved as it is now, since it is not sound; the last good save"
            f" is that of iteration {self.saver.last_iteration}",
            remedy,
        )

    def went_back(self, iteration: int) -> None:
        """The model is that of the save of this iteration again."""
        self.saver.last_iteration = iteration

    def begin_anew(self, manifest: Manifest, state: State) -> None:
        """Save at once, besides all that is there, what later saves go on from. Raises `InputError`
        if that cannot be written."""
        self.hear(wait=True)
        generations = self.saver.generations
        saved = generations.iterations()
        if manifest.iteration in saved[:-1]:  # that of an earlier beginning
            forget_save(generations.path(manifest.iteration))
        path = generations.write(manifest, state)
        self.saver.last_iteration = manifest.iteration
        self._announce(manifest.iteration, path)

    def hear(self, *, wait: bool = False) -> None:
        """Announce a save that has become good; warn of one that could not be written."""
        try:
            saved = self.saver.finished(wait=wait)
        except InputError as error:
            last = self.saver.last_iteration
            self._context.warn(
                f"the model could not be saved ({error.message}); the last good save is that of"
                f" iteration {last}; training goes on",
                error.remedy,
            )
            self._failed_at = time.monotonic()
            self._due_at = self._failed_at + RETRY_SECONDS
            return
        if saved:
            self._announce(*saved)

    def at_the_end(self, manifest: Manifest, take_state: Callable[[], State], *, keep: int) -> None:
        """Wait for a save under way, then save what it has not. Raises `InputError` naming the last
        good save if that cannot be written."""
        self.hear(wait=True)
        if manifest.iteration == self.saver.last_iteration:
            return
        self.saver.begin(manifest, take_state(), keep=keep)
        try:
            saved = self.saver.finished(wait=True)
        except InputError as error:
            raise InputError(
                f"the model could not be saved at the end: {error.message}; the last good save is"
                f" that of iteration {self.saver.last_iteration}",
                error.remedy,
                code=error.code,
            ) from error
        if saved:
            self._announce(*saved)

    def _announce(self, iteration: int, path: Path) -> None:
        self._context.saved(iteration, path)
        self._heard(iteration, path)
