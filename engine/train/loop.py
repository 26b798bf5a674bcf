"""The one training loop. It owns time: what comes due, what was asked for, when to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.protocol.errors import FacewrightError, StageError, Stopped, UsageError
from engine.protocol.history import LossPoint, Mark
from engine.protocol.options import Option
from engine.protocol.stage import StageContext
from engine.train.bad_steps import BadSteps
from engine.train.batches import BatchStream
from engine.train.companions import Companion, carried_by, status_of
from engine.train.feed import Feed
from engine.train.generations import Generation, Manifest
from engine.train.guard import Collapse, Guard
from engine.train.history import HistoryWriter
from engine.train.live_options import LiveOptions
from engine.train.pretrained import PRETRAINING_ENDED, keep_pretrained
from engine.train.previewing import Previewing
from engine.train.recovery import (
    Rollbacks,
    remedy_changes,
    smaller_batch,
    too_little_memory,
    with_advice,
)
from engine.train.requests import obey
from engine.train.saver import Saver
from engine.train.saving import Saving
from engine.train.step_times import StepTimes, sample_figures
from engine.train.told_once import ToldOnce
from engine.train.trainable import StepResult, Trainable

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
        self.previewing = Previewing(context, model, feed, model_folder)
        self.live = LiveOptions(context, model, feed, running_options)
        self.companions = companions
        self.guard = Guard(history.smoothed_loss)
        self.rollbacks = Rollbacks(saver.generations, context.warn)
        self.begun_at = time.monotonic()
        self.begun_iteration = model.iteration
        self.times = StepTimes()
        self.bad_steps = BadSteps(self._tell_of_bad_step)
        self.last_losses: tuple[float, ...] = ()
        self._finished = False
        self._has_collapsed = False  # and has not gone back yet
        self._is_half_changed = False
        self._restarts = saver.last_iteration > model.iteration  # it has left its pretraining
        self.told_once = ToldOnce(context.warn)

    @property
    def iteration(self) -> int:
        """See `Training.iteration`."""
        return self.model.iteration

    @property
    def options(self) -> dict[str, Any]:
        """See `Training.options`."""
        return self.live.values

    @property
    def batches(self) -> BatchStream:
        """The stream that is trained on now."""
        return self.feed.batches

    @property
    def may_save(self) -> bool:
        """The model is sound as it is now."""
        is_sound = self.guard.is_sound or not self.options["collapse_guard"]
        is_whole = not (self._has_collapsed or self._is_half_changed)
        return is_sound and is_whole and not self._restarts

    def run(self) -> None:
        """Train. Raises `Stopped` after saving if a stop was asked for; `StageError` if the model
        has collapsed for good (its good saves are there), or the device has too little memory
        (after saving); `InputError` if no face can be read any more (after saving) or the last
        state cannot be saved."""
        self._plan_next_save()
        with ExitStack() as going_along:
            for companion in self.companions:
                going_along.enter_context(companion)
            try:
                self.each_companion(lambda companion: companion.begun(self))
                self._train()
            except FacewrightError as error:
                if error.code != "collapsed":  # the weights are sound, and hours of work perhaps
                    self._save_at_the_end()
                raise
            self._save_at_the_end()
        if self.context.stop_requested:
            raise Stopped

    def _train(self) -> None:
        while not self._ended():
            if self._restarts:
                self._restart()
            if self.live.wants_trace:
                self._trace()  # and look once more whether to end
                continue
            if self._step():
                self._do_what_is_due()
            for command in self.context.commands():
                obey(self, command)

    def _trace(self) -> None:
        """Compile the changed step by itself: a stop asked for meanwhile needs no step more."""
        self.context.note("the changed options are compiled; a stop waits until that is done")
        self.live.trace()
        if self.context.stop_requested:
            self.context.note("compiled, and stopped at once: the next run begins with them")

    def _ended(self) -> bool:
        if self.options["collapse_guard"] and self.guard.is_undecided:
            return False  # a few steps more tell whether the model can be saved
        if self.context.stop_requested or self._finished:
            return True
        target, minutes = self.options["target_iter"], self.options["max_minutes"]
        if target and self.model.iteration >= target:
            return True
        return bool(minutes and time.monotonic() - self.begun_at >= minutes * 60)

    def _step(self) -> bool:
        """Whether a step was made that stands."""
        drawn = self.batches.drawn
        begun = time.perf_counter()
        try:
            result = self.model.train_step(self.batches, self.guard.loss_limit)
        except StageError as error:
            self._make_room(error)
            return False
        step_s = time.perf_counter() - begun
        if not result.applied:
            self.bad_steps.add(self.model.iteration, result, self.guard.loss_limit)
            if self.batches.drawn == drawn:
                self.batches.next()  # a model that repeats batches must not repeat this one
        collapse = self.guard.judge(self.model.iteration, result, self._target_masks)
        if collapse and self.options["collapse_guard"]:
            self._roll_back(collapse)
            return False
        if collapse:
            self.guard.give_in()
        if result.applied:
            has_compiled = self.times.add(step_s)
            if not has_compiled:
                self._tell_if_slow(step_s)
            self._record(result, step_s, has_compiled=has_compiled)
        return result.applied

    def _tell_of_bad_step(self, text: str) -> None:
        self.mark("skipped", text)
        self.context.note(text)

    def _target_masks(self) -> dict[str, float]:
        batch = self.batches.previous()
        return batch.mask_means() if batch else {}

    def _roll_back(self, collapse: Collapse) -> None:
        """Go on from an earlier save, with other faces and the chosen remedy."""
        self._has_collapsed = True
        self.saving.hear(wait=True)
        collapsed_at = self.model.iteration
        saved = self.rollbacks.choose(collapse, collapsed_at)
        self._restore(saved)
        why = f"back from iteration {collapsed_at}: {collapse.reason}"
        self.mark("rollback", why)
        self.context.warn(
            f"the model collapsed and went back to iteration {self.model.iteration} from"
            f" {collapsed_at}: {collapse.reason}",
            "if it happens again, look at the previews, and at what was changed last",
        )
        remedy = remedy_changes(self.options["remedy"], self.model.options)
        try:
            self.change_options(remedy, "remedy for a collapse")
        except UsageError as error:
            self.context.warn(error.message, error.remedy)

    def _restore(self, saved: Generation) -> None:
        """Bring model, options, history and companions back to a save; batches go on."""
        then = saved.manifest
        as_then = self.live.differing(self.live.changeable(then.options))
        self._take(as_then, f"as they were at iteration {then.iteration}")
        self.model.restore(saved)
        self._has_collapsed = False
        self.saving.went_back(then.iteration)
        self.begun_iteration = min(self.begun_iteration, then.iteration)
        with self.told_once.of("history"):
            self.history.rewind(self.model.iteration)
        self.guard.went_back()
        self.each_companion(
            lambda companion: companion.restored(self, then.carried.get(companion.carried_as, {}))
        )
        self._plan_next_save()

    def _make_room(self, error: StageError) -> None:
        """Go on with half the batch if that may help; else raise the error, saying what may."""
        size = smaller_batch(error, self.options)
        try:  # without a save before: that wants memory
            self._change(self.live.differing({"batch_size": size}), "too little memory")
        except UsageError as refused:  # such as a batch that several devices cannot share
            raise too_little_memory(error, self.options) from refused
        self.context.warn(f"{error.message}; training goes on with a batch of {size}")

    def _record(self, result: StepResult, step_s: float, *, has_compiled: bool) -> None:
        iteration = self.model.iteration
        self.last_losses = result.losses
        point = LossPoint(iteration, time.time(), step_s * 1000, result.losses)
        self.history.add(point)
        self.context.losses(iteration, point.step_ms, point.losses)
        self.context.progress(
            iteration,
            self.options["target_iter"] or None,
            unit="iterations",
            note=status_of(self.companions),
            skipped=self.begun_iteration,
            figures=sample_figures(self.times, self.batches),
            rate_anew=has_compiled,
        )
        self.each_companion(lambda companion: companion.stepped(self, point))

    def _tell_if_slow(self, step_s: float) -> None:
        if step_s > SLOW_STEP_SECONDS:
            text = f"one iteration takes {step_s:.0f} s, and a stop has to wait for its end"
            self.told_once.tell("slow", text, "a smaller batch size makes both quicker")

    def _do_what_is_due(self) -> None:
        if self.history.commit_due:
            self._commit_history(wait=False)
        self.saving.hear()
        if self.context.stop_requested:
            return  # the end saves; a preview would keep whoever stopped it waiting
        save_due = self.saving.is_due or self.model.iteration == 1
        preview_due = self.previewing.is_due(self.options["preview_seconds"])
        if save_due:
            self.save()
        if save_due or preview_due or self.times.made == 1:
            self.preview()

    def change_options(self, changes: Mapping[str, Any], why: str) -> None:
        """See `Training.change_options`."""
        changed = self.live.differing(changes)
        if self.live.are_of_model(changed):
            self._save_now()  # of before: what follows may want more memory than there is
        self._change(changed, why)

    def _change(self, changed: Mapping[str, Any], why: str) -> None:
        before = self.model.iteration
        self._take(changed, why)
        self._restarts = self._restarts or self.model.iteration < before

    def _take(self, changed: Mapping[str, Any], why: str) -> None:
        if not changed:
            return
        try:
            compiles = self.live.take(changed)
        except StageError as error:
            self._is_half_changed = True
            raise with_advice(error, {**self.options, **changed}) from error
        if compiles:
            self.times.compiles = True
            self._expect_other_losses()
        words = ", ".join(f"{name} {value}" for name, value in changed.items())
        self.mark("option", f"{why}: {words}")
        if "save_minutes" in changed:
            self._plan_next_save()
        self.each_companion(lambda companion: companion.changed(self, changed))

    def _restart(self) -> None:
        """The model has left its pretraining: it begins at iteration 0, its saves and history too.

        Its first save is there before the old ones go, so that a kill leaves one to go on from.
        Raises `InputError` if the disk does not take it; the old ones are there then.
        """
        self.begun_iteration = self.model.iteration
        with self.told_once.of("history"):
            self.history.begin_again()
        self.saving.begin_anew(self._manifest(), self.model.state())
        keep_pretrained(self.saving.saver.generations)
        self._restarts = False
        self.mark("restart", PRETRAINING_ENDED)
        self.context.note(PRETRAINING_ENDED)
        self.each_companion(lambda companion: companion.restarted(self))

    def reset_nets(self, names: Sequence[str], why: str) -> None:
        """See `Training.reset_nets`."""
        self.model.reset_nets(names)
        self._expect_other_losses()
        self.mark("reset", f"{why}: fresh weights for {', '.join(names)}")

    def _expect_other_losses(self) -> None:
        self.guard.begin_anew()
        self.history.begin_anew(self.model.iteration)

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
        if not self.may_save or not self.saving.can_begin(self.model.iteration):
            return
        self._commit_history()
        self.saving.begin(self._manifest(), self.model.state(), keep=self.options["keep"])

    def _save_now(self) -> None:
        self.saving.hear(wait=True)
        self.save()
        self.saving.hear(wait=True)

    def preview(self) -> None:
        """Make and announce the preview pictures."""
        with self.told_once.of("preview"):
            self.previewing.make()

    def preview_pages(self, first: int) -> dict[str, NDArray[np.uint8]]:
        """See `Training.preview_pages`."""
        return self.previewing.pages(first)

    def _save_at_the_end(self) -> None:
        self._commit_history()
        if self._restarts:
            self._restart()
        if not self.may_save:
            self.saving.hear(wait=True)
            self.saving.tell_unsound()
            return
        self.saving.at_the_end(self._manifest(), self.model.state, keep=self.options["keep"])

    def _commit_history(self, *, wait: bool = True) -> None:
        with self.told_once.of("history"):
            self.history.commit(wait=wait)

    def each_companion(self, tell: Callable[[Companion], None]) -> None:
        """What one cannot do is told once."""
        for companion in self.companions:
            with self.told_once.of(type(companion).__name__):
                tell(companion)

    def _tell_of_save(self, iteration: int, path: Path) -> None:
        self.each_companion(lambda companion: companion.saved(self, iteration, path))

    def _plan_next_save(self) -> None:
        self.saving.plan_next(self.options["save_minutes"])

    def _manifest(self) -> Manifest:
        return Manifest(
            model_class=self.model_class,
            iteration=self.model.iteration,
            seed=self.model.seed,
            drawn=self.batches.drawn,
            options=dict(self.model.options),
            smoothed_loss=self.history.comparable_loss,
            carried=carried_by(self.companions),
        )
