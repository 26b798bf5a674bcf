"""A training plan: phases in order, each a set of option changes with an end.

A model's own plan is `plan.json` in its folder. A plan is data: reading one executes nothing, its
size is bounded, and `check_plan` holds it against the option rows of the model class.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from engine.protocol.errors import InputError, UsageError
from engine.protocol.files import write_atomically
from engine.protocol.options import Life, complete_values, unknown_option
from engine.protocol.spec import ModelSpec

FORMAT = 1
PLAN_NAME = "plan.json"
LARGEST_PLAN_BYTES = 1 << 18
MOST_ITERATIONS = 100_000_000

Iterations = Annotated[int, msgspec.Meta(ge=0, le=MOST_ITERATIONS)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")]
Text = Annotated[str, msgspec.Meta(max_length=1000)]
Value = bool | int | float | Annotated[str, msgspec.Meta(max_length=1000)]


class Flat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The loss no longer falls: a straight line laid through the losses' sum of the last `window`
    iterations sinks, from its one end to the other, by less than `percent` of their mean."""

    window: Annotated[int, msgspec.Meta(ge=10, le=1_000_000)] = 10_000
    percent: Annotated[float, msgspec.Meta(ge=0, le=50)] = 1.0


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fresh weights for `nets` each time so many iterations of the phase were made."""

    nets: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=20)]
    every: Annotated[int, msgspec.Meta(ge=1, le=MOST_ITERATIONS)]


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes when the phase begins, and when it ends.

    at_most: iterations after which it ends; 0 if their number does not end it. flat: ends it, too,
    but not before `at_least` iterations. A phase with neither goes on for ever.
    """

    name: Name
    changes: Annotated[dict[Name, Value], msgspec.Meta(max_length=100)] = {}
    at_least: Iterations = 0
    at_most: Iterations = 0
    flat: Flat | None = None
    reset: Reset | None = None

    @property
    def ends(self) -> bool:
        return bool(self.at_most or self.flat)

    def end_text(self) -> str:
        """When it ends, in words."""
        ways = []
        if self.flat:
            earliest = f", after {self.at_least} iterations or more" if self.at_least else ""
            ways.append(f"when the loss no longer falls{earliest}")
        if self.at_most:
            ways.append(f"after {self.at_most} iterations")
        return ", at the latest ".join(ways) or "never"


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Phases in order. stop: the run ends, saved, when the last of them has. origin: the preset
    that it was made from, "" if from none."""

    title: Name
    phases: Annotated[tuple[Phase, ...], msgspec.Meta(min_length=1, max_length=50)]
    note: Text = ""
    stop: bool = False
    origin: Annotated[str, msgspec.Meta(max_length=60)] = ""
    format: int = FORMAT

    def phase_number(self, name: str) -> int | None:
        """Which phase, from 0, has that name."""
        return next((n for n, phase in enumerate(self.phases) if phase.name == name), None)


def plan_path(model_folder: Path) -> Path:
    """Where a model's own plan lies."""
    return model_folder / PLAN_NAME


def read_plan(path: Path) -> Plan:
    """The plan in `path`, of sound form; `check_plan` tells whether a model can follow it. Raises
    `InputError` saying what is wrong with the file, and where in it."""
    try:
        with path.open("rb") as file:
            encoded = file.read(LARGEST_PLAN_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read the plan {path}: {error.strerror or error}",
            "write one with the stage model-plan",
            code="no-plan",
        ) from error
    if len(encoded) > LARGEST_PLAN_BYTES:
        raise InputError(
            f"{path} is too long for a plan", f"{LARGEST_PLAN_BYTES} bytes are the most"
        )
    try:
        plan = msgspec.json.decode(encoded, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is no training plan: {error}",
            "correct it there, or write a new one with the stage model-plan",
            code="plan-damaged",
        ) from error
    if plan.format > FORMAT:
        raise InputError(f"{path} has format {plan.format}", "update Facewright")
    return plan


def write_plan(path: Path, plan: Plan) -> None:
    """Replace `path` by the plan, in one step. Raises `InputError` if the disk does not take it."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")


def check_plan(plan: Plan, spec: ModelSpec, values: Mapping[str, Any] | None = None) -> None:
    """Raise `UsageError`, naming phase and option, where models of that class cannot follow it.

    values: the model's options as they are when the plan begins; defaults if not given.
    """
    _check_form(plan)
    current = complete_values(spec.options, {}) | dict(values or {})
    for phase in plan.phases:
        current |= parsed_changes(phase, spec)
        if spec.check:
            try:
                spec.check(current)
            except UsageError as error:
                raise _in_phase(phase, error) from error


def parsed_changes(phase: Phase, spec: ModelSpec) -> dict[str, Any]:
    """The phase's changes as option values. Raises `UsageError` naming phase and option."""
    rows = {option.name: option for option in spec.options}
    changes = {}
    for name, raw in phase.changes.items():
        row = rows.get(name)
        try:
            if row is None:
                raise unknown_option(name, tuple(rows))
            if row.life is not Life.RUNNING:
                raise UsageError(f"{row.flag} cannot be changed while training", "leave it out")
            changes[name] = row.parse(raw)
        except UsageError as error:
            raise _in_phase(phase, error) from error
    return changes


def phase_text(plan: Plan, number: int) -> str:
    """What a run says of itself while it is in the phase of that number, from 0."""
    return f"phase {number + 1} of {len(plan.phases)}: {plan.phases[number].name}"


def scaled(plan: Plan, factor: float) -> Plan:
    """The plan with all numbers of iterations multiplied; none becomes 0 that was not."""

    def times(count: int, least: int = 1) -> int:
        return min(MOST_ITERATIONS, max(least, round(count * factor))) if count else 0

    def stretched(phase: Phase) -> Phase:
        changed: dict[str, Any] = {
            "at_least": times(phase.at_least),
            "at_most": times(phase.at_most),
        }
        if phase.flat:
            window = min(1_000_000, times(phase.flat.window, 10))
            changed["flat"] = msgspec.structs.replace(phase.flat, window=window)
        if phase.reset:
            changed["reset"] = msgspec.structs.replace(phase.reset, every=times(phase.reset.every))
        return msgspec.structs.replace(phase, **changed)

    return msgspec.structs.replace(plan, phases=tuple(stretched(phase) for phase in plan.phases))


def _check_form(plan: Plan) -> None:
    names = [phase.name for phase in plan.phases]
    for number, phase in enumerate(plan.phases):
        if names.index(phase.name) != number:
            raise UsageError(
                f"two phases are named {phase.name!r}",
                "give each a name of its own",
                code="plan",
            )
        if not phase.ends and number + 1 < len(plan.phases):
            raise UsageError(
                f"phase {phase.name!r} never ends, so {names[number + 1]!r} would never begin",
                "give it an end: at_most iterations, or flat",
                code="plan",
            )
        if phase.at_most and phase.at_least > phase.at_most:
            raise UsageError(
                f"phase {phase.name!r} lasts at least {phase.at_least} iterations and at most"
                f" {phase.at_most}",
                "let at_least be the smaller one",
                code="plan",
            )
    if plan.stop and not plan.phases[-1].ends:
        raise UsageError(
            f"phase {names[-1]!r} never ends, so the plan would never stop the run",
            "give it an end, or take stop away",
            code="plan",
        )


def _in_phase(phase: Phase, error: UsageError) -> UsageError:
    return UsageError(f"phase {phase.name!r}: {error.message}", error.remedy, code="plan")
