"""Follows a training plan: changes options when a phase begins, sees when it ends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.protocol.errors import FacewrightError, UsageError
from engine.protocol.history import HISTORY_NAME, LossPoint, read_history
from engine.protocol.spec import ModelSpec
from engine.protocol.training_plan import (
    Flat,
    Phase,
    Plan,
    check_plan,
    parsed_changes,
    phase_text,
    plan_path,
    read_plan,
)
from engine.train.companions import Companion, Training

# How often the plan's file is looked at for a change, and a flat loss is looked for: so many times
# in a window, since fitting a line at every step would cost more than the smallest models' steps.
LOOK_SECONDS = 5.0
LOOKS_PER_WINDOW = 20


class Place(msgspec.Struct, frozen=True):
    """Where in a plan a model stands. begun: the iteration at which the phase did."""

    phase: str
    number: int
    begun: int
    ended: bool = False


class Phases(Companion):
    """Switches from phase to phase of the model's own plan; also of one that is written, or
    changed, while it trains. carried: of the save that training goes on from."""

    carried_as = "plan"

    def __init__(self, model_folder: Path, spec: ModelSpec, carried: Mapping[str, Any]) -> None:
        self.plan: Plan | None = None
        self.place: Place | None = None
        self._path = plan_path(model_folder)
        self._spec = spec
        self._carried = carried
        self._seen: tuple[int, int] | None = None  # time and size of the plan's file
        self._look_at = 0.0
        self._sums: deque[float] = deque(maxlen=0)  # of the losses, as many as `flat` looks at

    def begun(self, training: Training) -> None:
        """See `Companion.begun`. Raises `InputError` or `UsageError` for a plan that cannot be
        followed."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._seen = _file_state(self._path)
        if self._seen is not None:
            self.plan = self._read(training)
            self._take_place(training, self._carried)

    def stepped(self, training: Training, point: LossPoint) -> None:
        """See `Companion.stepped`."""
        if time.monotonic() >= self._look_at:
            self._look(training)
        if self.plan is None or self.place is None or self.place.ended:
            return
        self._sums.append(sum(point.losses))
        phase = self.plan.phases[self.place.number]
        made = point.iteration - self.place.begun
        if self._is_over(phase, made):
            self._enter(training, self.plan, self.place.number + 1)
        elif phase.reset and made and made % phase.reset.every == 0:
            self._reset(training, phase)

    def restored(self, training: Training, carried: Mapping[str, Any]) -> None:
        """See `Companion.restored`."""
        if self.plan is not None:
            self._take_place(training, carried)

    def restarted(self, training: Training) -> None:
        """See `Companion.restarted`."""
        if self.place is not None:
            self.place = msgspec.structs.replace(self.place, begun=0)
            self._sums.clear()

    def carried(self) -> Mapping[str, Any]:
        """See `Companion.carried`."""
        return msgspec.to_builtins(self.place) if self.place else {}

    def status(self) -> str:
        """See `Companion.status`."""
        if self.plan is None or self.place is None:
            return ""
        if self.place.ended:
            return "plan ended"
        return phase_text(self.plan, self.place.number)

    def _read(self, training: Training) -> Plan:
        plan = read_plan(self._path)
        check_plan(plan, self._spec, training.options)
        return plan

    def _look(self, training: Training) -> None:
        """Follow the plan's file if it was written since."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        state = _file_state(self._path)
        if state == self._seen:
            return
        self._seen = state
        if state is None:
            self._leave_plan(training)
            return
        try:
            changed = self._read(training)
        except FacewrightError as error:
            goes_on = "training goes on as before" if self.plan is None else "the old one holds"
            training.context.warn(f"{error.message}; {goes_on}", error.remedy)
            return
        before, self.plan = self.plan, changed
        if before is None or self.place is None:
            self._take_place(training, {})
        else:
            self._follow_changed(training, before, changed, self.place)

    def _leave_plan(self, training: Training) -> None:
        """Somebody took the plan away: options stay as they are."""
        if self.plan is not None:
            training.mark("phase", f"the plan {self.plan.title} was taken away")
        self.plan = self.place = None

    def _follow_changed(self, training: Training, before: Plan, plan: Plan, place: Place) -> None:
        """Stay in the phase of that name, or, where it got another, of that number."""
        named = plan.phase_number(place.phase)
        number = named if named is not None else place.number
        training.mark("phase", f"the plan {plan.title} was changed")
        if place.ended or number >= len(plan.phases):
            self._enter(training, plan, min(number + place.ended, len(plan.phases)))
            return
        phase = plan.phases[number]
        self.place = msgspec.structs.replace(place, phase=phase.name, number=number)
        if phase.changes != before.phases[place.number].changes:
            self._change_options(training, phase)
        self._remember_losses(training, phase)

    def _take_place(self, training: Training, carried: Mapping[str, Any]) -> None:
        """Go on where the save stood in the plan; begin it if that is nowhere."""
        assert self.plan is not None
        place = _place_in(carried)
        number = self.plan.phase_number(place.phase) if place else None
        if place is None or number is None:
            self._enter(training, self.plan, 0)
            return
        self.place = msgspec.structs.replace(place, number=number)
        if place.ended and number + 1 == len(self.plan.phases):
            self._end(training, self.plan)
        elif place.ended:
            self._enter(training, self.plan, number + 1)
        else:
            phase = self.plan.phases[number]
            self._remember_losses(training, phase)
            if self._is_over(phase, training.iteration - place.begun):
                self._enter(training, self.plan, number + 1)  # saved just before that

    def _enter(self, training: Training, plan: Plan, number: int) -> None:
        if number == len(plan.phases):
            self._end(training, plan)
            return
        phase = plan.phases[number]
        training.mark(
            "phase",
            f"phase {number + 1} of {len(plan.phases)}, {phase.name}; it ends {phase.end_text()}",
        )
        self._change_options(training, phase)
        self.place = Place(phase.name, number, training.iteration)
        self._sums = deque(maxlen=phase.flat.window if phase.flat else 0)

    def _change_options(self, training: Training, phase: Phase) -> None:
        try:
            training.change_options(parsed_changes(phase, self._spec), f"phase {phase.name}")
        except UsageError as error:  # of options that somebody has changed meanwhile
            training.context.warn(
                f"phase {phase.name} began without its changes: {error.message}", error.remedy
            )

    def _end(self, training: Training, plan: Plan) -> None:
        last = plan.phases[-1]
        if self.place is None or not self.place.ended:
            training.mark("phase", f"the plan {plan.title} has ended")
        begun = self.place.begun if self.place else training.iteration
        self.place = Place(last.name, len(plan.phases) - 1, begun, ended=True)
        if plan.stop:
            training.finish(f"the plan {plan.title} has ended")

    def _reset(self, training: Training, phase: Phase) -> None:
        assert phase.reset is not None
        try:
            training.reset_nets(phase.reset.nets, f"phase {phase.name}")
        except UsageError as error:
            training.context.warn(f"phase {phase.name}: {error.message}", error.remedy)

    def _is_over(self, phase: Phase, made: int) -> bool:
        if phase.at_most and made >= phase.at_most:
            return True
        return phase.flat is not None and made >= phase.at_least and self._is_flat(phase.flat, made)

    def _is_flat(self, flat: Flat, made: int) -> bool:
        looks_now = made % max(1, flat.window // LOOKS_PER_WINDOW) == 0
        return looks_now and len(self._sums) == flat.window and not falls(self._sums, flat.percent)

    def _remember_losses(self, training: Training, phase: Phase) -> None:
        """What `flat` looks at, as if the run had never ended: from the history."""
        assert self.place is not None
        window = phase.flat.window if phase.flat else 0
        self._sums = deque(maxlen=window)
        if window:
            path = training.model_folder / HISTORY_NAME
            rows = read_history(path, after=self.place.begun, limit=window)
            self._sums.extend(
                sum(row.losses) for row in rows if row.iteration <= training.iteration
            )


def _place_in(carried: Mapping[str, Any]) -> Place | None:
    """None for a save that was in no plan."""
    try:
        return msgspec.convert(carried, Place)
    except msgspec.ValidationError:
        return None


def falls(values: deque[float], percent: float) -> bool:
    """A straight line laid through the values sinks by `percent` of their mean or more."""
    found = np.asarray(values, np.float64)
    steps = np.arange(len(found)) - (len(found) - 1) / 2
    per_step = float(steps @ found) / float(steps @ steps)
    return -per_step * len(found) >= percent / 100 * float(found.mean())


def _file_state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
