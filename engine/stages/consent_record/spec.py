"""The stage consent-record as data."""

from __future__ import annotations

from dataclasses import replace

from engine.protocol.consent import BASES, EXCEPTION_WANTED, PRINTABLE, SCOPES
from engine.protocol.options import Choice, FilePath, Option, Text, When
from engine.protocol.spec import SIDE, StageSpec
from engine.stages.consent_choice import RECORD

ADD, CHANGE, WITHDRAW = "add", "change", "withdraw"
AS_IT_WAS = "unstated"
CLEARED = "-"
_SAID = When("action", (ADD, CHANGE))
_LINE = Text(rf"{PRINTABLE}{{0,200}}", "one line of at most 200 characters")
_DAY = Text(r"(\d{4}-\d\d-\d\d|-)?", "empty, or a day such as 2026-11-30")
_SCOPE = "|".join(SCOPES)

CONSENT_RECORD = StageSpec(
    id="consent-record",
    title="Record consent",
    group="Consent",
    summary="Write down who agreed to this, for what and until when; change or withdraw it",
    code="engine.stages.consent_record.run:record_consent",
    needs=("writable",),
    resources=("consent",),
    help="A final render wants a consent for both sides: src, whose face is put in, and dst, whose"
    " face is replaced. Records are kept in .facewright/consent.json of the workspace; what a"
    " record said before it was changed or withdrawn stays there, until it is erased"
    " (consent-erase). Nothing of it leaves the workspace but the record's id.",
    options=(
        replace(SIDE, default="src", help="Whose consent it is."),
        Option(
            "action",
            "What to do",
            Choice(
                (
                    (ADD, "a new record"),
                    (CHANGE, "say something else from now on; empty fields stay, - empties one"),
                    (WITHDRAW, "the person no longer agrees"),
                )
            ),
            ADD,
            "Add, change or withdraw.",
        ),
        replace(
            RECORD,
            help="Which record to change or withdraw. Empty: the side's only one.",
            applies=When("action", (CHANGE, WITHDRAW)),
        ),
        Option(
            "name",
            "Name or alias",
            Text(rf"{PRINTABLE}{{0,80}}", "one line of at most 80 characters"),
            "",
            "Who agreed. An alias will do, if you know whose it is.",
            applies=_SAID,
        ),
        Option(
            "basis",
            "Basis",
            Choice(((AS_IT_WAS, "not said yet; when changing: as it was"), *BASES.items())),
            AS_IT_WAS,
            "Why you may use this face.",
            applies=_SAID,
        ),
        Option(
            "exception",
            "Exception or licence",
            _LINE,
            "",
            "Needed for a public figure (which exception) and for test media (licence, source).",
            applies=When("basis", (AS_IT_WAS, *EXCEPTION_WANTED)),
        ),
        Option(
            "scope",
            "Good for",
            Text(rf"(({_SCOPE})(, ?({_SCOPE}))*)?", f"of {', '.join(SCOPES)}, with commas between"),
            "",
            "What the result may be used for: "
            + "; ".join(f"{name}: {words}" for name, words in SCOPES.items())
            + ".",
            applies=_SAID,
        ),
        Option(
            "scope_note",
            "In words",
            _LINE,
            "",
            "The scope as the document says it.",
            applies=_SAID,
        ),
        Option(
            "territory",
            "Territory",
            _LINE,
            "",
            "Where the result may be shown. Empty: everywhere.",
            applies=_SAID,
        ),
        Option("from", "From", _DAY, "", "The first day. Empty: from ever.", applies=_SAID),
        Option("until", "Until", _DAY, "", "The last day. Empty: without an end.", applies=_SAID),
        Option(
            "document",
            "Document",
            FilePath(),
            "",
            "The signed paper as a file: its SHA-256 is written down, the file is not copied.",
            applies=_SAID,
        ),
        Option(
            "contact",
            "Contact",
            _LINE,
            "",
            "How to reach the person. It stays in the workspace.",
            applies=_SAID,
        ),
        Option(
            "note",
            "Note",
            _LINE,
            "",
            "A line for yourself; when withdrawing: the reason.",
        ),
    ),
)
