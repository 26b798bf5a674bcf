"""The one training loop. It owns time: what comes due, what was asked for, when to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.protocol.commands import Command, Preview, Save, SetOption
from engine.protocol.errors import FacewrightError, InputError, StageError, Stopped, UsageError
from engine.protocol.history import LossPoint, Mark
from engine.protocol.options import Option
from engine.protocol.stage import StageContext
from engine.train.batches import BatchStream
from engine.train.companions import Companion
from engine.train.feed import Feed
from engine.train.generations import Manifest
from engine.train.history import HistoryWriter
from engine.train.previews import write_previews
from engine.train.saver import Saver
from engine.train.saving import Saving
from engine.train.trainable import StepResult, Trainable

PREVIEW_ROWS = 4
PREVIEW_HEIGHT_PX = 800
# A step cannot be broken off, and whoever stops a run should not wait for more than about 10 s.
SLOW_STEP_SECONDS = 5.0


class TrainingLoop:
    """Trains until the target, the time limit or a stop request, and saves whatever the end is.

    running_options: those whose value may change in the middle, by name; the model's and the run's.
    companions: what goes along (`engine.train.companions`).
    """

    def __init__(
        self,
        context: StageContext,
        model: Trainable,
        feed: Feed,
        history: HistoryWriter,
        saver: Saver,
        *,
        model_folder: Path,
        model_class: str,
        running_options: Mapping[str, Option],
        companions: Sequence[Companion] = (),
    ) -> None:
        self.context = context
        self.model = model
        self.feed = feed
        self.history = history
        self.saving = Saving(context, saver, self._tell_of_save)
        self.model_folder = model_folder
        self.model_class = model_class
        self.running_options = running_options
        self.companions = companions
        self.options: dict[str, Any] = {**context.options, **model.options}
        self.begun_at = time.monotonic()
        self.begun_iteration = model.iteration
        self.steps_made = 0
        self.timed_steps = 0  # all but those that compile the step
        self.timed_s = 0.0
        self.last_losses: tuple[float, ...] = ()
        self._compiles = True
        self._finished = False
        self._preview_at = self.begun_at
        self._preview_first = 0  # number of the first sample shown
        self._warned: set[str] = set()

    @property
    def iteration(self) -> int:
        """Steps made so far."""
        return self.model.iteration

    @property
    def batches(self) -> BatchStream:
        """The stream that is trained on now."""
        return self.feed.batches

    def run(self) -> None:
        """Train. Raises `Stopped` after saving if a stop was asked for, `StageError` for losses
        that are no numbers, `InputError` if no face can be read any more (after saving) or the
        last state cannot be saved."""
        self._plan_next_save()
        with ExitStack() as going_along:
            for companion in self.companions:
                going_along.enter_context(companion)
            try:
                self._each_companion(lambda companion: companion.begun(self))
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
        if self.context.stop_requested or self._finished:
            return True
        target, minutes = self.options["target_iter"], self.options["max_minutes"]
        if target and self.model.iteration >= target:
            return True
        return bool(minutes and time.monotonic() - self.begun_at >= minutes * 60)

    def _step(self) -> None:
        begun = time.perf_counter()
        result = self.model.train_step(self.batches)
        step_s = time.perf_counter() - begun
        if not result.applied:
            raise StageError(
                f"the losses are no numbers any more after iteration {self.model.iteration}:"
                f" {result.losses}; this step was not applied",
                "start again to go on from the last save; if it happens again, train in float32",
                code="collapsed",
            )
        self._time(step_s)
        self._record(result, step_s)

    def _time(self, step_s: float) -> None:
        self.steps_made += 1
        if not self._compiles:
            self.timed_steps += 1
            self.timed_s += step_s
            self._tell_if_slow(step_s)
        self._compiles = False

    def _record(self, result: StepResult, step_s: float) -> None:
        iteration = self.model.iteration
        self.last_losses = result.losses
        point = LossPoint(iteration, time.time(), step_s * 1000, result.losses)
        self.history.add(point)
        self.context.losses(iteration, point.step_ms, point.losses)
        self.context.progress(
            iteration,
            self.options["target_iter"] or None,
            unit="iterations",
            note=", ".join(filter(None, (companion.status() for companion in self.companions))),
            skipped=self.begun_iteration,
        )
        self._each_companion(lambda companion: companion.stepped(self, point))

    def _tell_if_slow(self, step_s: float) -> None:
        if step_s > SLOW_STEP_SECONDS:
            text = f"one iteration takes {step_s:.0f} s, and a stop has to wait for its end"
            self._warn_once("slow", InputError(text, "a smaller batch size makes both quicker"))

    def _do_what_is_due(self) -> None:
        if self.history.commit_due:
            self._commit_history(wait=False)
        self.saving.hear()
        if self.context.stop_requested:
            return  # the end saves; a preview would keep whoever stopped it waiting
        preview_due = self.options["preview_seconds"] and time.monotonic() >= self._preview_at
        if self.saving.is_due or self.model.iteration == 1:
            self.save()
            self.preview()
        elif self.steps_made == 1 or preview_due:
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
                case _:
                    self._pass_on(command)

    def _pass_on(self, command: Command) -> None:
        self._each_companion(lambda companion: companion.asked(self, command))

    def _set_option(self, name: str, value: object) -> None:
        try:
            self.change_options({name: value}, "on request")
        except FacewrightError as error:
            self.context.warn(error.message, error.remedy)

    def change_options(self, changes: Mapping[str, Any], why: str, *, kind: str = "option") -> None:
        """See `Training.change_options`."""
        changed = self._changed(changes)
        if not changed:
            return
        of_model = {name: value for name, value in changed.items() if name in self.model.options}
        if of_model:
            self.feed.check({**self.model.options, **of_model})
            self.model.change_options(of_model)
            self._compiles = True
            self.feed.follow(self.model.options, self.model.sampling())
        self.options.update(changed)
        for name, value in changed.items():
            self.context.option_changed(name, value)
        words = ", ".join(f"{name} {value}" for name, value in changed.items())
        self.mark(kind, f"{why}: {words}")
        if "save_minutes" in changed:
            self._plan_next_save()

    def _changed(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values of those options that would differ. Raises `UsageError`."""
        parsed = {}
        for name, value in changes.items():
            option = self.running_options.get(name)
            if option is None:
                known = ", ".join(self.running_options)
                raise UsageError(f"{name} cannot be changed while training", f"these can: {known}")
            parsed[name] = option.parse(value)
        return {name: value for name, value in parsed.items() if value != self.options[name]}

    def reset_nets(self, names: Sequence[str], why: str) -> None:
        """See `Training.reset_nets`."""
        self.model.reset_nets(names)
        self.mark("reset", f"{why}: fresh weights for {', '.join(names)}")

    def mark(self, kind: str, text: str) -> None:
        """See `Training.mark`."""
        self.history.mark(Mark(self.model.iteration, time.time(), kind, text))

    def finish(self, why: str) -> None:
        """See `Training.finish`."""
        self.context.note(why)
        self._finished = True

    def save(self) -> None:
        """Begin to save the model as it is now; training goes on while it is written."""
        self._plan_next_save()
        if not self.saving.can_begin(self.model.iteration):
            return
        self._commit_history()
        self.saving.begin(self._manifest(), self.model.state(), keep=self.options["keep"])

    def preview(self) -> None:
        """Make and announce the preview pictures."""
        self._preview_at = time.monotonic() + self.options["preview_seconds"]
        pages = self.preview_pages(self._preview_first)
        try:
            paths = write_previews(pages, self.context.run_dir, self.model_folder)
        except InputError as error:
            self._warn_once("preview", error)
            return
        for page, path in paths.items():
            self.context.preview(page, path, self.model.iteration)

    def preview_pages(self, first: int) -> dict[str, NDArray[np.uint8]]:
        """See `Training.preview_pages`."""
        fitting = max(1, PREVIEW_HEIGHT_PX // self.feed.sampling.kind.side_px)
        count = min(PREVIEW_ROWS, self.batches.batch_size, fitting)
        return self.model.preview_pages(self.batches.make(first, count).unwarped())

    def _save_at_the_end(self) -> None:
        self._commit_history()
        self.saving.at_the_end(self._manifest(), self.model.state, keep=self.options["keep"])

    def _commit_history(self, *, wait: bool = True) -> None:
        try:
            self.history.commit(wait=wait)
        except InputError as error:
            self._warn_once("history", error)

    def _each_companion(self, tell: Callable[[Companion], None]) -> None:
        for companion in self.companions:
            try:
                tell(companion)
            except InputError as error:
                self._warn_once(type(companion).__name__, error)

    def _tell_of_save(self, iteration: int, path: Path) -> None:
        self._each_companion(lambda companion: companion.saved(self, iteration, path))

    def _warn_once(self, subject: str, error: InputError) -> None:
        """A run of days must not fill its journal with the same warning."""
        if subject not in self._warned:
            self._warned.add(subject)
            self.context.warn(error.message, error.remedy)

    def _plan_next_save(self) -> None:
        self.saving.plan_next(self.options["save_minutes"])

    def _manifest(self) -> Manifest:
        return Manifest(
            model_class=self.model_class,
            iteration=self.model.iteration,
            seed=self.model.seed,
            drawn=self.batches.drawn,
            options=dict(self.model.options),
            smoothed_loss=self.history.smoothed_loss,
            carried={
                companion.carried_as: dict(companion.carried())
                for companion in self.companions
                if companion.carried_as
            },
        )
