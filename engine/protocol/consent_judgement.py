"""Whether a workspace's consent records allow a final render today, for a purpose."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from engine.protocol.consent import Record, read_entries, records_of
from engine.protocol.errors import InputError
from engine.protocol.workspace import SIDES, Side, Workspace

UNSTATED = "unstated"  # a purpose that nobody named: scopes are not compared
NO_CONSENT = "no-consent"  # the code of the error that a final render ends with
WHO = {"src": "whose face is put in", "dst": "whose face is replaced"}


class Standing(StrEnum):
    """How a consent stands, the best first."""

    VALID = "valid"
    WRONG_SCOPE = "wrong scope"
    EXPIRED = "expired"
    NOT_YET = "not yet"
    WITHDRAWN = "withdrawn"
    NONE = "none"


_ORDER = tuple(Standing)
_RENDERED_WITH_A_WARNING = (Standing.WRONG_SCOPE, Standing.EXPIRED)


@dataclass(frozen=True)
class PersonStanding:
    """The best record of one person, and what to say of it."""

    record: Record
    standing: Standing
    words: str

    @property
    def short(self) -> str:
        """The name, and the last day."""
        consent = self.record.consent
        return consent.name + (f" to {consent.valid_until}" if consent.valid_until else "")


@dataclass(frozen=True)
class Judgement:
    """One side: how its best record stands, and every person's standing."""

    side: str
    standing: Standing
    people: tuple[PersonStanding, ...]

    @property
    def allows_final(self) -> bool:
        """Whether a final render is made, perhaps with `warnings`."""
        return self.standing is Standing.VALID or self.standing in _RENDERED_WITH_A_WARNING

    @property
    def words(self) -> str:
        """One line for people."""
        if not self.people:
            return f"{self.side}: no consent of the person {WHO[self.side]}"
        return f"{self.side}: " + "; ".join(person.words for person in self.people)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of each person whose consent is not valid."""
        return tuple(
            f"{self.side}: {person.words}"
            for person in self.people
            if person.standing is not Standing.VALID
        )


@dataclass(frozen=True)
class ConsentGlance:
    """One side in few words, for overviews. allows_final: see `Judgement`."""

    words: str
    allows_final: bool


def judge(records: Sequence[Record], side: str, purpose: str, today: date) -> Judgement:
    """How the side's consents stand for the purpose (of `SCOPES`, or `UNSTATED`)."""
    best: dict[str, PersonStanding] = {}
    for record in records:
        if record.consent.side != side:
            continue
        standing = standing_of(record, purpose, today)
        found = PersonStanding(record, standing, _words(record, standing, purpose))
        name = record.consent.name.casefold()
        if name not in best or _rank(standing) < _rank(best[name].standing):
            best[name] = found
    people = tuple(best.values())
    standing = min((person.standing for person in people), key=_rank, default=Standing.NONE)
    return Judgement(side, standing, people)


def standing_of(record: Record, purpose: str, today: date) -> Standing:
    """How that one record stands."""
    consent = record.consent
    if record.withdrawn:
        return Standing.WITHDRAWN
    if consent.valid_until and consent.valid_until < today:
        return Standing.EXPIRED
    if consent.valid_from and consent.valid_from > today:
        return Standing.NOT_YET
    if purpose != UNSTATED and not {purpose, "any"} & set(consent.scopes):
        return Standing.WRONG_SCOPE
    return Standing.VALID


def judge_workspace(workspace: Workspace, purpose: str, today: date) -> tuple[Judgement, ...]:
    """Both sides, src first. Raises `InputError` for records that cannot be read."""
    records = records_of(read_entries(workspace))
    return tuple(judge(records, side, purpose, today) for side in SIDES)


def require_consent(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Raises `InputError` where a final render (not `draft`) has no consent for both sides."""
    if options["draft"]:
        return
    refuse_without(workspace, judge_workspace(workspace, options["purpose"], date.today()))


def consent_glance(side: Side) -> ConsentGlance:
    """How a side's consents stand today, those that want looking at first; never raises."""
    try:
        records = records_of(read_entries(Workspace(side.root)))
    except InputError:
        return ConsentGlance("the records cannot be read: see consent-show", False)
    judgement = judge(records, side.name, UNSTATED, date.today())
    names: dict[Standing, list[str]] = {}
    for person in sorted(judgement.people, key=lambda one: _rank(one.standing), reverse=True):
        names.setdefault(person.standing, []).append(person.short)
    words = "; ".join(f"{standing}: {', '.join(named)}" for standing, named in names.items())
    return ConsentGlance(words or "none", judgement.allows_final)


def refuse_without(workspace: Workspace, judgements: Iterable[Judgement]) -> None:
    """Raises `InputError` naming the sides without a consent that allows a final render."""
    missing = [judgement for judgement in judgements if not judgement.allows_final]
    if missing:
        words = "; ".join(judgement.words for judgement in missing)
        raise InputError(
            f"a final render needs a consent record for both sides; {words}",
            f"facewright run consent-record -w {shlex.quote(str(workspace.root))} --side"
            f" {missing[0].side} --name NAME --basis BASIS --scope SCOPE, or render a draft, which"
            " says so in every frame: --draft",
            code=NO_CONSENT,
        )


def _rank(standing: Standing) -> int:
    return _ORDER.index(standing)


def _words(record: Record, standing: Standing, purpose: str) -> str:
    consent = record.consent
    who = f"the consent of {consent.name} ({consent.id})"
    match standing:
        case Standing.EXPIRED:
            return f"{who} expired after {consent.valid_until}"
        case Standing.NOT_YET:
            return f"{who} begins only on {consent.valid_from}"
        case Standing.WITHDRAWN:
            return f"{who} was withdrawn on {record.changed_at.date()}"
        case Standing.WRONG_SCOPE:
            return f"{who} is for {', '.join(consent.scopes)}, not for {purpose}"
    until = f" until {consent.valid_until}" if consent.valid_until else ""
    return f"{who} is valid{until}"
