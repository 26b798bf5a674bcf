"""The stage `consent-record`: who agreed to what, written down, changed, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.consent import (
    Consent,
    Entry,
    Record,
    append_entry,
    consent_path,
    new_entry,
    now,
    read_entries,
    records_of,
)
from engine.protocol.consent_judgement import UNSTATED, standing_of
from engine.protocol.errors import UsageError
from engine.protocol.hashing import file_sha256
from engine.protocol.stage import StageContext
from engine.stages.consent_choice import wanted_record
from engine.stages.consent_record.spec import ADD, AS_IT_WAS, CHANGE, CLEARED

_TEXTS = ("name", "exception", "scope_note", "territory", "contact", "note")
_DAYS = {"from": "valid_from", "until": "valid_until"}


def record_consent(context: StageContext) -> None:
    """Write the entry. Raises `UsageError` for fields that are missing or do not go together and
    for a record that is not there, `InputError` for a document or records that cannot be read."""
    options = context.options
    records = records_of(read_entries(context.workspace))
    standing = [record for record in records if not record.withdrawn]
    if options["action"] == ADD:
        entry = _added(options)
    elif options["action"] == CHANGE:
        entry = _changed(options, wanted_record(options, standing).consent)
    else:
        consent, reason = wanted_record(options, standing).consent, options["note"]
        entry = Entry(at=now(), did="withdrawn", consent=consent, reason=reason)
    append_entry(context.workspace, entry)
    _report(context, entry)


def _added(options: Mapping[str, Any]) -> Entry:
    said = _said(options)
    for field, flag in (("name", "--name"), ("basis", "--basis"), ("scopes", "--scope")):
        if field not in said:
            raise UsageError(f"{flag} is not given", "say who agreed, why, and for what")
    with _refusing():
        return new_entry(options["side"], **said)


def _changed(options: Mapping[str, Any], before: Consent) -> Entry:
    with _refusing():
        consent = msgspec.convert(msgspec.structs.asdict(before) | _said(options), Consent)
    return Entry(at=now(), did="changed", consent=consent)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except msgspec.ValidationError as error:
        raise UsageError(f"this cannot be recorded: {error}", "correct the fields") from error


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The consent's fields that the options give. Raises `UsageError`, `InputError`."""
    said: dict[str, Any] = {name: _text(options[name]) for name in _TEXTS if options[name]}
    said |= {field: _day(options, name) for name, field in _DAYS.items() if options[name]}
    if options["basis"] != AS_IT_WAS:
        said["basis"] = options["basis"]
    if options["scope"]:
        said["scopes"] = [scope.strip() for scope in options["scope"].split(",")]
    if options["document"]:
        said["document_sha256"] = file_sha256(Path(options["document"]))
    return said


def _text(given: str) -> str:
    return "" if given == CLEARED else given


def _day(options: Mapping[str, Any], name: str) -> date | None:
    if options[name] == CLEARED:
        return None
    try:
        return date.fromisoformat(options[name])
    except ValueError:
        raise UsageError(
            f"--{name} {options[name]}: there is no such day", "for example 2026-11-30"
        ) from None


def _report(context: StageContext, entry: Entry) -> None:
    consent, withdrawn = entry.consent, entry.did == "withdrawn"
    record = Record(consent=consent, changed_at=entry.at, withdrawn=withdrawn, entries=1)
    context.result(
        id=consent.id,
        side=consent.side,
        did=entry.did,
        standing=str(standing_of(record, UNSTATED, date.today())),
        document_sha256=consent.document_sha256 or None,
        file=str(consent_path(context.workspace)),
    )
