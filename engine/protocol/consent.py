"""Who agreed to what: a workspace's consent records, `.facewright/consent.json`.

The file is a list of entries that only grows: a record is added, changed, withdrawn, and what it
said before stays readable, unless the person wants it erased. It names people and is meant for
whoever made the workspace; what leaves the house (disclosure sheets, manifests) names records by
their ids alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from engine.protocol.errors import InputError
from engine.protocol.files import write_atomically
from engine.protocol.hashing import Digest
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
LARGEST_BYTES = 1 << 22  # an entry takes some 500 bytes
LONGEST_TEXT = 200
PRINTABLE = r"[^\x00-\x1f\x7f]"
_KIND = "facewright consent"

Basis = Literal[
    "own-likeness",
    "written-consent",
    "licensed-performer",
    "public-figure",
    "synthetic-person",
    "test-media",
]
BASES: dict[str, str] = {
    "own-likeness": "the person is you",
    "written-consent": "the person agreed in writing",
    "licensed-performer": "a performer under a contract that covers this",
    "public-figure": "a public figure, under an exception that must be stated (satire, news ...)",
    "synthetic-person": "nobody: the face is made up",
    "test-media": "published test material; its licence or source must be stated",
}
# These stand on nothing unless it is said what they stand on.
EXCEPTION_WANTED = ("public-figure", "test-media")

Scope = Literal["test", "internal", "social", "broadcast", "film", "advertising", "any"]
SCOPES: dict[str, str] = {
    "test": "trying things out",
    "internal": "shown within the house only",
    "social": "social media and the web",
    "broadcast": "television and streaming",
    "film": "cinema",
    "advertising": "advertising of any kind",
    "any": "whatever it is used for",
}
_TEST_MEDIA_SCOPES = {"test", "internal"}

Line = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT, pattern=rf"\A{PRINTABLE}*\Z")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=rf"\A{PRINTABLE}*\Z")]
RecordId = Annotated[str, msgspec.Meta(pattern=r"\A(src|dst)-[0-9a-f]{6}\Z")]


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's consent for one side.

    name: or an alias. exception: under which a public figure is used, or test media's licence or
    source. scopes: what it is good for; scope_note: in the document's own words. territory: "" for
    everywhere. valid_from, valid_until: both days included; None for no limit. document_sha256: of
    the signed paper's file, which stays where it is.
    Raises `ValueError` where values that are each allowed do not go together.
    """

    id: RecordId
    side: Literal["src", "dst"]
    name: Name
    basis: Basis
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=len(SCOPES))]
    exception: Line = ""
    scope_note: Line = ""
    territory: Line = ""
    valid_from: date | None = None
    valid_until: date | None = None
    document_sha256: Digest = ""
    contact: Line = ""
    note: Line = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("a consent needs a name or an alias")
        if self.basis in EXCEPTION_WANTED and not self.exception.strip():
            raise ValueError(f"the basis {self.basis} needs a text in exception that says why")
        if self.basis == "test-media" and not set(self.scopes) <= _TEST_MEDIA_SCOPES:
            raise ValueError("test-media is good for the scopes test and internal only")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError(f"it ends ({self.valid_until}) before it begins ({self.valid_from})")
        if not self.id.startswith(self.side):
            raise ValueError(f"the id {self.id} is not one of {self.side}")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done at that time. consent: as it is from then on. reason: of a withdrawal."""

    at: datetime
    did: Literal["added", "changed", "withdrawn"]
    consent: Consent
    reason: Line = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A consent as it stands now: the last entry of its id, and how many there were."""

    consent: Consent
    changed_at: datetime
    withdrawn: bool
    entries: int


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    version: int
    entries: tuple[Entry, ...]


_decoder = msgspec.json.Decoder(_File)


def consent_path(workspace: Workspace) -> Path:
    """Where the workspace's consent records lie."""
    return workspace.state / "consent.json"


def read_entries(workspace: Workspace) -> tuple[Entry, ...]:
    """All entries, oldest first; () if there is no file. Raises `InputError` for a file that cannot
    be used, which is left as it is."""
    path = consent_path(workspace)
    if path.exists() and not path.is_file():
        raise _unusable(path, "it is no file")  # opening a pipe would never end
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if len(data) > LARGEST_BYTES:
        raise _unusable(path, f"it is larger than {LARGEST_BYTES} bytes")
    try:
        content = _decoder.decode(data)
        _require_order(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    return content.entries


def new_entry(side: str, **said: Any) -> Entry:
    """A consent that is added now, under a new id. Raises `msgspec.ValidationError` naming the
    field that cannot be."""
    consent = msgspec.convert(
        {**said, "id": f"{side}-{secrets.token_hex(3)}", "side": side}, Consent
    )
    return Entry(at=now(), did="added", consent=consent)


def now() -> datetime:
    """The time as entries say it: to a second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def append_entry(workspace: Workspace, entry: Entry) -> None:
    """Write the entry behind those that there are, in one step. Raises `InputError` when it cannot
    follow these, the file cannot be used or would become too large, or the disk is full: the file
    is then as it was."""
    write_entries(consent_path(workspace), (*read_entries(workspace), entry))


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Replace the file by one of these entries, in one step. Raises as `append_entry`."""
    content = _File(kind=_KIND, version=VERSION, entries=tuple(entries))
    try:
        _require_order(content)
    except ValueError as error:
        raise InputError(str(error), "see what is recorded (consent-show) and try again") from error
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path} is full", "move it away to begin anew, and keep it", code="full")
    make_folder(path.parent)
    write_atomically(path, data, private=True)


def records_of(entries: Sequence[Entry]) -> tuple[Record, ...]:
    """How each record stands, those added first first."""
    by_id: dict[str, list[Entry]] = {}
    for entry in entries:
        by_id.setdefault(entry.consent.id, []).append(entry)
    return tuple(
        Record(
            consent=of_one[-1].consent,
            changed_at=of_one[-1].at,
            withdrawn=of_one[-1].did == "withdrawn",
            entries=len(of_one),
        )
        for of_one in by_id.values()
    )


def _require_order(content: _File) -> None:
    """Raises `ValueError` where entries cannot have come about one after another."""
    if content.kind != _KIND:
        raise ValueError("it holds no consent records")
    if content.version != VERSION:
        raise ValueError(f"it is of version {content.version}, this is version {VERSION}")
    open_ids: dict[str, bool] = {}  # by id: whether it can still change
    for entry in content.entries:
        id = entry.consent.id
        if (entry.did == "added") == (id in open_ids) or not open_ids.get(id, True):
            raise ValueError(f"the record {id} cannot be {entry.did} there")
        open_ids[id] = entry.did != "withdrawn"


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"the consent records in {path} cannot be used: {reason}",
        "mend the file, or move it away (and keep it) to begin anew",
        code="bad-consent",
    )
