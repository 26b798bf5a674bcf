"""How training goes on after a collapse: from which save, with which remedy, and how often. What
to do about too little memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from engine.protocol.errors import InputError, StageError
from engine.protocol.files import disk_error
from engine.protocol.memory_advice import memory_remedy
from engine.train.generations import Generation, Generations, read_generation
from engine.train.guard import Collapse

# A model that collapses again and again needs somebody's eyes: so many rollbacks within so long.
MOST_ROLLBACKS = 3
WITHIN_SECONDS = 3600.0
# A save from which no more steps than this could be made was ruined already when it was made.
FEWEST_SOUND_STEPS = 20

_CLIPPED: Mapping[str, Any] = {"clipgrad": True}
_GENTLE: Mapping[str, Any] = {
    **_CLIPPED,
    "gan_power": 0.0,
    "true_face_power": 0.0,
    "face_style_power": 0.0,
    "bg_style_power": 0.0,
}
# What is changed after a rollback, by the value of the option `remedy`; a model that lacks one of
# these options goes without.
REMEDIES: Mapping[str, Mapping[str, Any]] = {"none": {}, "clipgrad": _CLIPPED, "gentle": _GENTLE}


def remedy_changes(remedy: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The option changes of that remedy which the model knows."""
    return {name: value for name, value in REMEDIES[remedy].items() if name in options}


def smaller_batch(error: StageError, options: Mapping[str, Any]) -> int:
    """Half the batch size, to try after a step for which the device had too little memory. Raises
    the error, saying what may help, if it is another one or that is not wanted or possible."""
    if error.code != "out-of-memory":
        raise error
    size = options.get("batch_size", 1)
    if size < 2 or not options["retry_smaller_batch"]:
        raise too_little_memory(error, options) from error
    return int(size) // 2


def with_advice(error: StageError, options: Mapping[str, Any]) -> StageError:
    """The error; if the device has too little memory, with the options that may help."""
    return too_little_memory(error, options) if error.code == "out-of-memory" else error


def too_little_memory(error: StageError, options: Mapping[str, Any]) -> StageError:
    """The error, with the options that may help."""
    return StageError(error.message, memory_remedy(options), code=error.code)


class Rollbacks:
    """Chooses the save to go back to. warn: hears (text, remedy) of saves that are passed over."""

    def __init__(self, generations: Generations, warn: Callable[[str, str], None]) -> None:
        self._generations = generations
        self._warn = warn
        self._made_at: deque[float] = deque(maxlen=MOST_ROLLBACKS)
        self._last: int | None = None  # the iteration gone back to last

    def choose(self, collapse: Collapse, iteration: int) -> Generation:
        """The newest save that may be sound, of a model that collapsed at `iteration`; newer ones
        are put aside. Raises `StageError` (code "collapsed") if there is none, or this has happened
        too often, `InputError` if the disk refuses."""
        self._check_how_often(collapse, iteration)
        saved = self._newest_sound(collapse, iteration)
        if saved is None:
            raise _collapsed(collapse, iteration, "there is no good save to go back to")
        self._last = saved.manifest.iteration
        try:
            aside = self._generations.put_aside_after(self._last, "collapsed")
        except OSError as error:
            raise disk_error(error, self._generations.folder) from error
        for path in aside:
            self._warn(f"a save of the collapse was put aside: {path}", "delete it when you like")
        try:
            self._generations.forget_collapsed()
        except InputError as error:  # no reason not to go on
            self._warn(error.message, error.remedy)
        return saved

    def _check_how_often(self, collapse: Collapse, iteration: int) -> None:
        now = time.monotonic()
        if len(self._made_at) == MOST_ROLLBACKS and now - self._made_at[0] < WITHIN_SECONDS:
            raise _collapsed(
                collapse, iteration, f"going back {MOST_ROLLBACKS} times has not helped"
            )
        self._made_at.append(now)

    def _newest_sound(self, collapse: Collapse, iteration: int) -> Generation | None:
        latest = iteration if collapse.sound_until is None else collapse.sound_until
        there = self._generations.iterations()
        found = [number for number in there if number <= latest] or there[:1]
        if self._last is not None and iteration - self._last < FEWEST_SOUND_STEPS:
            older = [number for number in found if number < self._last]
            found = older or found  # the only one there is gets another chance, with other faces
        for number in reversed(found):
            try:
                return read_generation(self._generations.path(number))
            except InputError as error:
                self._warn(
                    f"the save of iteration {number} is damaged: {error.message}", error.remedy
                )
        return None


def _collapsed(collapse: Collapse, iteration: int, why_not: str) -> StageError:
    return StageError(
        f"the model collapsed after iteration {iteration}: {collapse.reason}; {why_not}",
        "the good saves are all there: look at the previews, then start again with float32, without"
        " styles and GAN, or from a backup",
        code="collapsed",
    )
