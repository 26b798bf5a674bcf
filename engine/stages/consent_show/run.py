"""The stage `consent-show`: the workspace's consent records and how they stand today."""

from __future__ import annotations

from datetime import date

import msgspec

from engine.protocol.consent import Record, consent_path, read_entries, records_of
from engine.protocol.consent_judgement import WHO, judge, standing_of
from engine.protocol.stage import StageContext
from engine.protocol.workspace import SIDES


def show_consent(context: StageContext) -> None:
    """Note every record. Raises `InputError` for records that cannot be read."""
    purpose, today = context.options["purpose"], date.today()
    records = records_of(read_entries(context.workspace))
    for record in records:
        standing = str(standing_of(record, purpose, today))
        say = _json if context.options["as_json"] else _words
        context.note(say(record, standing))
    context.result(
        records=len(records),
        **{side: str(judge(records, side, purpose, today).standing) for side in SIDES},
        file=str(consent_path(context.workspace)),
    )


def _json(record: Record, standing: str) -> str:
    row = {"standing": standing, **msgspec.to_builtins(record)}
    return msgspec.json.encode(row).decode()


def _words(record: Record, standing: str) -> str:
    consent = record.consent
    said = {
        "under": consent.exception,
        "in words": consent.scope_note,
        "in": consent.territory,
        "from": consent.valid_from,
        "until": consent.valid_until,
        "document sha256": consent.document_sha256,
        "contact": consent.contact,
        "note": consent.note,
    }
    more = "".join(f"; {what} {value}" for what, value in said.items() if value)
    who = f"{consent.id} {consent.name} ({consent.side}, {WHO[consent.side]})"
    return f"{standing}: {who}: {consent.basis}; for {', '.join(consent.scopes)}{more}"
