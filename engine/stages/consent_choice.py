"""Which consent record a stage is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.protocol.consent import Record
from engine.protocol.errors import UsageError
from engine.protocol.options import Option, Text

RECORD = Option(
    "id",
    "Record",
    Text(r"((src|dst)-[0-9a-f]{6})?", "empty, or an id such as src-1a2b3c"),
    "",
    "Which record. Empty: the side's only one.",
)


def wanted_record(options: Mapping[str, Any], records: Sequence[Record]) -> Record:
    """That of `records` with the id that the options name, or the side's only one. Raises
    `UsageError`."""
    of_side = [record for record in records if record.consent.side == options["side"]]
    named = [record for record in records if record.consent.id == options["id"]]
    found = named if options["id"] else of_side
    if len(found) != 1:
        known = ", ".join(f"{r.consent.id} ({r.consent.name})" for r in of_side) or "none"
        wanted = options["id"] or f"which of {len(of_side)} records"
        raise UsageError(
            f"--side {options['side']} --id {wanted}: not one record fits",
            f"give --id one of these: {known}",
            code="no-record",
        )
    return found[0]
