"""The one training loop. It owns time: what comes due, what was asked for, when to end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.protocol.commands import Preview, Save, SetOption
from engine.protocol.errors import InputError, StageError, Stopped, UsageError
from engine.protocol.history import LossPoint
from engine.protocol.options import Option
from engine.protocol.stage import StageContext
from engine.train.batches import Batch, BatchStream
from engine.train.generations import Manifest
from engine.train.history import HistoryWriter
from engine.train.previews import write_previews
from engine.train.saver import Saver
from engine.train.trainable import Trainable

# After a save that failed (a full disk, say) the next is tried so much later, not at once.
RETRY_SECONDS = 60.0
PREVIEW_ROWS = 4
# A step cannot be broken off, and whoever stops a run should not wait for more than about 10 s.
SLOW_STEP_SECONDS = 5.0


class TrainingLoop:
    """Trains until the target, the time limit or a stop request, and saves whatever the end is.

    running_options: those whose value may change in the middle, by name.
    """

    def __init__(
        self,
        context: StageContext,
        model: Trainable,
        batches: BatchStream,
        history: HistoryWriter,
        saver: Saver,
        *,
        model_folder: Path,
        model_class: str,
        running_options: Mapping[str, Option],
    ) -> None:
        self.context = context
        self.model = model
        self.batches = batches
        self.history = history
        self.saver = saver
        self.model_folder = model_folder
        self.model_class = model_class
        self.running_options = running_options
        self.options: dict[str, Any] = dict(context.options)
        self.begun_at = time.monotonic()
        self.begun_iteration = model.iteration
        self.timed_steps = 0  # all but the run's first, which compiles the step
        self.timed_s = 0.0
        self.last_losses: tuple[float, ...] = ()
        self._save_at = self.begun_at
        self._preview_at = self.begun_at
        self._preview_first = 0  # number of the first sample shown
        self._warned: set[str] = set()

    def run(self) -> None:
        """Train. Raises `Stopped` after saving if a stop was asked for, `StageError` for losses
        that are no numbers, `InputError` if no face can be read any more (after saving) or the
        last state cannot be saved."""
        self._plan_next_save()
        try:
            self._train()
        except InputError:  # of the faces: the weights are sound, and hours of work perhaps
            self._save_at_the_end()
            raise
        self._save_at_the_end()
        if self.context.stop_requested:
            raise Stopped

    def _train(self) -> None:
        while not self._ended():
            self._step()
            self._do_what_is_due()
            self._obey_commands()

    def _ended(self) -> bool:
        if self.context.stop_requested:
            return True
        target, minutes = self.options["target_iter"], self.options["max_minutes"]
        if target and self.model.iteration >= target:
            return True
        return bool(minutes and time.monotonic() - self.begun_at >= minutes * 60)

    def _step(self) -> None:
        begun = time.perf_counter()
        result = self.model.train_step(self.batches)
        step_s = time.perf_counter() - begun
        losses = result.losses
        if not result.applied:
            raise StageError(
                f"the losses are no numbers any more after iteration {self.model.iteration}:"
                f" {losses}; this step was not applied",
                "start again to go on from the last save; if it happens again, train in float32",
                code="collapsed",
            )
        if self.model.iteration > self.begun_iteration + 1:
            self.timed_steps += 1
            self.timed_s += step_s
            self._tell_if_slow(step_s)
        self.last_losses = losses
        iteration = self.model.iteration
        self.history.add(LossPoint(iteration, time.time(), step_s * 1000, losses))
        self.context.losses(iteration, step_s * 1000, losses)
        self.context.progress(
            iteration,
            self.options["target_iter"] or None,
            unit="iterations",
            skipped=self.begun_iteration,
        )

    def _tell_if_slow(self, step_s: float) -> None:
        if step_s > SLOW_STEP_SECONDS:
            text = f"one iteration takes {step_s:.0f} s, and a stop has to wait for its end"
            self._warn_once("slow", InputError(text, "a smaller batch size makes both quicker"))

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        first = self.model.iteration == self.begun_iteration + 1
        if self.history.commit_due:
            self._commit_history()
        self._hear_of_saves()
        if self.context.stop_requested:
            return  # the end saves; a preview would keep whoever stopped it waiting
        if now >= self._save_at or self.model.iteration == 1:
            self.save()
            self.preview()
        elif first or (self.options["preview_seconds"] and now >= self._preview_at):
            self.preview()

    def _obey_commands(self) -> None:
        for command in self.context.commands():
            match command:
                case Save():
                    self.save()
                case Preview(redraw=redraw):
                    if redraw:
                        self._preview_first += PREVIEW_ROWS
                    self.preview()
                case SetOption(name=name, value=value):
                    self._set_option(name, value)

    def _set_option(self, name: str, value: object) -> None:
        option = self.running_options.get(name)
        if option is None:
            known = ", ".join(self.running_options)
            self.context.warn(f"{name} cannot be changed while training", f"these can: {known}")
            return
        try:
            self.options[name] = option.parse(value)
        except UsageError as error:
            self.context.warn(error.message, error.remedy)
            return
        self.context.option_changed(name, self.options[name])
        if name == "save_minutes":
            self._plan_next_save()

    def save(self) -> None:
        """Begin to save the model as it is now; training goes on while it is written."""
        self._plan_next_save()
        if self.saver.busy or self.model.iteration == self.saver.last_iteration:
            return
        self._commit_history()
        self.saver.begin(self._manifest(), self.model.state(), keep=self.options["keep"])

    def preview(self) -> None:
        """Make and announce the preview pictures."""
        self._preview_at = time.monotonic() + self.options["preview_seconds"]
        pages = self.model.preview_pages(self._preview_batch())
        try:
            paths = write_previews(pages, self.context.run_dir, self.model_folder)
        except InputError as error:
            self._warn_once("preview", error)
            return
        for page, path in paths.items():
            self.context.preview(page, path, self.model.iteration)

    def _preview_batch(self) -> Batch:
        count = min(PREVIEW_ROWS, self.batches.batch_size)
        return self.batches.make(self._preview_first, count).unwarped()

    def _hear_of_saves(self, *, wait: bool = False) -> None:
        """Announce a save that has become good; warn of one that could not be written."""
        try:
            saved = self.saver.finished(wait=wait)
        except InputError as error:
            last = self.saver.last_iteration
            self.context.warn(
                f"the model could not be saved ({error.message}); the last good save is that of"
                f" iteration {last}; training goes on",
                error.remedy,
            )
            self._save_at = time.monotonic() + RETRY_SECONDS
            return
        if saved:
            self.context.saved(*saved)

    def _save_at_the_end(self) -> None:
        self._commit_history()
        self._hear_of_saves(wait=True)
        if self.model.iteration == self.saver.last_iteration:
            return
        self.saver.begin(self._manifest(), self.model.state(), keep=self.options["keep"])
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
            self.context.saved(*saved)

    def _commit_history(self) -> None:
        try:
            self.history.commit()
        except InputError as error:
            self._warn_once("history", error)

    def _warn_once(self, subject: str, error: InputError) -> None:
        """A run of days must not fill its journal with the same warning."""
        if subject not in self._warned:
            self._warned.add(subject)
            self.context.warn(error.message, error.remedy)

    def _plan_next_save(self) -> None:
        self._save_at = time.monotonic() + self.options["save_minutes"] * 60

    def _manifest(self) -> Manifest:
        return Manifest(
            model_class=self.model_class,
            iteration=self.model.iteration,
            seed=self.model.seed,
            drawn=self.batches.drawn,
            options=dict(self.model.options),
            smoothed_loss=self.history.smoothed_loss,
        )
