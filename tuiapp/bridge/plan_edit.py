"""Changing a training plan as data: each function gives a new plan, or says why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.protocol.options import (
    Flag,
    Integer,
    Number,
    Option,
    Text,
    Unless,
    When,
    complete_values,
)
from engine.protocol.spec import ModelSpec
from engine.protocol.training_plan import (
    MOST_ITERATIONS,
    Flat,
    Phase,
    Plan,
    Reset,
    parsed_changes,
)

_FLAT = Flat()
# A phase's own fields as rows; the prefix keeps them apart from the model's options.
PHASE_OPTIONS = (
    Option(
        "phase_name",
        "Name",
        Text(r"\S(.{0,58}\S)?", "1 to 60 characters, no blanks around them"),
        "phase",
        "What the phase is called, in the plan and under the losses. Each has a name of its own.",
    ),
    Option(
        "phase_at_most",
        "Ends after",
        Integer(0, MOST_ITERATIONS),
        0,
        "The phase ends after this many iterations at the latest; 0: their number does not end it.",
        unit="iterations",
    ),
    Option(
        "phase_flat",
        "Ends when flat",
        Flag(),
        False,
        "The phase ends, too, when the loss no longer falls.",
    ),
    Option(
        "phase_window",
        "Flat over",
        Integer(10, 1_000_000),
        _FLAT.window,
        "The loss counts as flat by a straight line through so many of the last iterations.",
        unit="iterations",
        applies=When("phase_flat", (True,)),
    ),
    Option(
        "phase_percent",
        "Flat below",
        Number(0, 50),
        _FLAT.percent,
        "... which sinks, from its one end to the other, by less than this part of the mean.",
        unit="percent",
        applies=When("phase_flat", (True,)),
    ),
    Option(
        "phase_at_least",
        "Not before",
        Integer(0, MOST_ITERATIONS),
        0,
        "A flat loss does not end the phase before so many iterations.",
        unit="iterations",
        applies=When("phase_flat", (True,)),
    ),
    Option(
        "phase_nets",
        "Reset nets",
        Text(r"(\w+( +\w+)*)?", "names of nets with blanks between them"),
        "",
        "Nets that get fresh weights again and again, such as inter_AB for RTM models.",
    ),
    Option(
        "phase_every",
        "Reset every",
        Integer(1, MOST_ITERATIONS),
        500_000,
        "... each time so many iterations of the phase were made.",
        unit="iterations",
        applies=Unless("phase_nets", ("",)),
    ),
)


def moved(plan: Plan, number: int, direction: int) -> Plan:
    """The phase one place later (1) or earlier (-1); the same plan at its ends."""
    other = number + direction
    if not 0 <= other < len(plan.phases):
        return plan
    phases = list(plan.phases)
    phases[number], phases[other] = phases[other], phases[number]
    return _with_phases(plan, phases)


def without(plan: Plan, number: int) -> Plan:
    """The plan without a phase; the last one that is left stays."""
    if len(plan.phases) == 1:
        return plan
    return _with_phases(plan, [p for n, p in enumerate(plan.phases) if n != number])


def with_phase(plan: Plan, number: int, phase: Phase) -> Plan:
    """`phase` in the place of the one of that number."""
    phases = list(plan.phases)
    phases[number] = phase
    return _with_phases(plan, phases)


def with_new_phase(plan: Plan, number: int) -> Plan:
    """A phase more, after the one of that number, with a name that no other has."""
    names = {phase.name for phase in plan.phases}
    free = next(name for n in range(len(names) + 1) if (name := f"phase {n + 1}") not in names)
    phases = list(plan.phases)
    phases.insert(number + 1, Phase(name=free, at_most=10_000))
    return _with_phases(plan, phases)


def values_before(
    plan: Plan, number: int, spec: ModelSpec, current: Mapping[str, Any]
) -> dict[str, Any]:
    """The model's options when the phase of that number begins, if they are `current` before the
    plan (others at their defaults). Raises `UsageError` for changes the model does not know."""
    names = {option.name for option in spec.options}
    values = complete_values(spec.options, {n: v for n, v in current.items() if n in names})
    for phase in plan.phases[:number]:
        values |= parsed_changes(phase, spec)
    return values


def fields_of(phase: Phase) -> dict[str, Any]:
    """The phase's own fields as values of `PHASE_OPTIONS`."""
    flat, reset = phase.flat or _FLAT, phase.reset
    return {
        "phase_name": phase.name,
        "phase_at_most": phase.at_most,
        "phase_flat": phase.flat is not None,
        "phase_window": flat.window,
        "phase_percent": float(flat.percent),
        "phase_at_least": phase.at_least,
        "phase_nets": " ".join(reset.nets) if reset else "",
        "phase_every": reset.every if reset else 500_000,
    }


def phase_of(
    fields: Mapping[str, Any], changes: Mapping[str, Any], before: Mapping[str, Any], old: Phase
) -> Phase:
    """A phase from its fields and the model's options as they are to be (those in `changes` differ
    from `before`). What the old phase says expressly, though it changes nothing, stays."""
    kept = {
        name: value
        for name, value in old.changes.items()
        if name not in changes and before.get(name) == value
    }
    is_flat, nets = fields["phase_flat"], tuple(fields["phase_nets"].split())
    return Phase(
        name=fields["phase_name"],
        changes={**kept, **changes},
        at_most=fields["phase_at_most"],
        at_least=fields["phase_at_least"] if is_flat else 0,
        flat=Flat(window=fields["phase_window"], percent=fields["phase_percent"])
        if is_flat
        else None,
        reset=Reset(nets=nets, every=fields["phase_every"]) if nets else None,
    )


def _with_phases(plan: Plan, phases: list[Phase]) -> Plan:
    return msgspec.structs.replace(plan, phases=tuple(phases))
