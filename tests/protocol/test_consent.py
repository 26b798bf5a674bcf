"""Consent records: how they stand on a day for a purpose, and files that cannot be used."""

from __future__ import annotations

import json
import os
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.protocol.consent import (
    LARGEST_BYTES,
    Entry,
    append_entry,
    consent_path,
    new_entry,
    now,
    read_entries,
    records_of,
)
from engine.protocol.consent_judgement import UNSTATED, Judgement, Standing, judge
from engine.protocol.errors import InputError
from engine.protocol.workspace import Workspace

DAY = date(2026, 11, 21)
LATER, EARLIER = DAY + timedelta(days=1), DAY - timedelta(days=1)


def consent(name: str = "Anna", side: str = "src", **said: Any) -> Entry:
    return new_entry(side, **{"name": name, "basis": "written-consent", "scopes": ["film"], **said})


def judged(*entries: Entry, purpose: str = UNSTATED) -> Judgement:
    return judge(records_of(entries), "src", purpose, DAY)


def withdrawn(entry: Entry) -> Entry:
    return Entry(at=now(), did="withdrawn", consent=entry.consent)


@pytest.mark.parametrize(
    ("said", "purpose", "standing"),
    [
        ({}, UNSTATED, Standing.VALID),
        ({"valid_from": DAY, "valid_until": DAY}, "film", Standing.VALID),
        ({"scopes": ["any"]}, "advertising", Standing.VALID),
        ({}, "advertising", Standing.WRONG_SCOPE),
        ({"valid_until": EARLIER}, UNSTATED, Standing.EXPIRED),
        ({"valid_from": LATER}, UNSTATED, Standing.NOT_YET),
        ({"side": "dst"}, UNSTATED, Standing.NONE),
    ],
)
def test_a_consent_stands_by_its_days_and_scopes(
    said: dict[str, Any], purpose: str, standing: Standing
) -> None:
    assert judged(consent(**said), purpose=purpose).standing is standing


def test_a_withdrawn_consent_allows_nothing_and_says_so() -> None:
    entry = consent()
    judgement = judged(entry, withdrawn(entry))
    assert not judgement.allows_final
    assert f"Anna ({entry.consent.id}) was withdrawn on" in judgement.words


def test_the_best_of_one_persons_records_counts_and_every_other_person_is_named() -> None:
    old, renewed = consent(valid_until=EARLIER), consent("anna")
    other = consent("Bert", valid_until=EARLIER)
    judgement = judged(old, renewed, other)
    assert judgement.standing is Standing.VALID
    (warning,) = judgement.warnings
    assert "Bert" in warning and "expired after 2026-11-20" in warning


def test_what_a_record_said_before_stays_in_the_file(tmp_path: Path) -> None:
    workspace, entry = Workspace(tmp_path), consent()
    changed = msgspec.structs.replace(entry.consent, contact="by letter")
    for one in (entry, Entry(at=now(), did="changed", consent=changed), withdrawn(entry)):
        append_entry(workspace, one)
    assert [one.did for one in read_entries(workspace)] == ["added", "changed", "withdrawn"]
    assert json.loads(consent_path(workspace).read_text())["version"] == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"basis": "public-figure"}, "exception"),
        ({"basis": "test-media", "exception": "a test clip"}, "test and internal only"),
        ({"valid_from": LATER, "valid_until": DAY}, "before it begins"),
        ({"name": " "}, "needs a name"),
        ({"name": "An\x1b[2Jna"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["world"]}, "scopes"),
    ],
)
def test_what_does_not_go_together_is_no_consent(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        consent(**said)


def test_an_entry_that_cannot_follow_is_refused_and_the_file_stays_good(tmp_path: Path) -> None:
    workspace, entry = Workspace(tmp_path), consent()
    append_entry(workspace, entry)
    append_entry(workspace, withdrawn(entry))
    for late in (entry, Entry(at=now(), did="changed", consent=entry.consent)):
        with pytest.raises(InputError, match=entry.consent.id):
            append_entry(workspace, late)
    assert len(read_entries(workspace)) == 2


def good_file() -> dict[str, Any]:
    entry = msgspec.to_builtins(consent())
    return {"kind": "facewright consent", "version": 1, "entries": [entry]}


HOSTILE: dict[str, bytes] = {
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "nested deeply": b"[" * 100_000,
    "another kind": json.dumps(good_file() | {"kind": "marks"}).encode(),
    "another version": json.dumps(good_file() | {"version": 2}).encode(),
    "a field too much": json.dumps(good_file() | {"run": "rm"}).encode(),
    "twice the same record": json.dumps(
        good_file() | {"entries": good_file()["entries"] * 2}
    ).encode(),
    "withdrawn before it was added": json.dumps(good_file()).replace("added", "withdrawn").encode(),
    "an escape sequence in a name": json.dumps(good_file()).replace("Anna", "\\u001b[2J").encode(),
    "an id that is a path": json.dumps(good_file()).replace("src-", "src-../").encode(),
    "too large": b" " * (LARGEST_BYTES + 1),
}


def test_a_pipe_in_the_place_of_the_records_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    consent_path(workspace).parent.mkdir()
    os.mkfifo(consent_path(workspace))
    with pytest.raises(InputError, match="it is no file"):
        read_entries(workspace)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_refused_with_a_remedy_and_never_written_over(
    tmp_path: Path, name: str
) -> None:
    workspace = Workspace(tmp_path)
    path = consent_path(workspace)
    path.parent.mkdir()
    path.write_bytes(HOSTILE[name])
    for use in (lambda: read_entries(workspace), lambda: append_entry(workspace, consent())):
        with pytest.raises(InputError, match="cannot be used") as refused:
            use()
        assert refused.value.code == "bad-consent"
        assert "mend the file" in refused.value.remedy
    assert path.read_bytes() == HOSTILE[name]


def test_nobody_else_can_read_who_agreed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name in ("Anna", "Bert"):
        said = {"name": name, "basis": "own-likeness", "scopes": ["any"]}
        append_entry(workspace, new_entry("src", **said))
        assert stat.S_IMODE(consent_path(workspace).stat().st_mode) == 0o600
