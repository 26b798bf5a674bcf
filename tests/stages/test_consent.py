"""Consents from the shell: recorded, shown, and asked for by a final render."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import STAGES
from engine.media.images import write_image
from engine.protocol.consent import consent_path, read_entries, records_of
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.workspace import Workspace
from engine.stages.consent_erase.run import erase_consent
from engine.stages.consent_record.run import record_consent
from engine.stages.consent_show.run import show_consent
from tests.support.clips import listing, numbered_frame
from tests.support.command import facewright
from tests.support.consent import agree_by
from tests.support.context import RecordingContext, context_for

pytestmark = pytest.mark.slow  # starts processes

YESTERDAY = date.today() - timedelta(days=1)
ANNA = {"name": "Anna", "basis": "written-consent", "scope": "film, social"}


def record(root: Path, **said: Any) -> RecordingContext:
    context: RecordingContext = context_for(root, "consent-record", **said)
    record_consent(context)
    return context


def erase(root: Path, *, confirmed: bool = False, **said: Any) -> RecordingContext:
    context: RecordingContext = context_for(root, "consent-erase", confirmed=confirmed, **said)
    erase_consent(context)
    return context


def merged(root: Path) -> Path:
    """A merged frame, and nobody asked."""
    folder = root / "data_dst" / "merged"
    folder.mkdir(parents=True)
    write_image(folder / "00001.png", numbered_frame(0))
    return root


def test_a_final_render_without_consents_ends_with_3_names_both_ways_and_changes_nothing(
    tmp_path: Path,
) -> None:
    before = listing(merged(tmp_path))
    done = facewright("run", "video-render", "-w", tmp_path)
    assert done.status == 3
    assert "src: no consent of the person whose face is put in" in done.stderr
    assert "dst: no consent of the person whose face is replaced" in done.stderr
    assert f"consent-record -w {tmp_path} --side src" in done.stderr and "--draft" in done.stderr
    assert listing(tmp_path) == before


def test_consents_of_both_sides_recorded_in_the_shell_allow_a_final_render(tmp_path: Path) -> None:
    merged(tmp_path)
    for side in ("src", "dst"):
        words = ["--side", side, "--name", "Anna", "--basis", "own-likeness", "--scope", "any"]
        assert facewright("run", "consent-record", "-w", tmp_path, *words).status == 0
    done = facewright("run", "video-render", "-w", tmp_path)
    assert done.status == 0, done.stderr
    assert "warning" not in done.stderr
    assert (tmp_path / "result.mp4").is_file()


def test_expired_and_wrong_scope_are_warned_of_by_name_and_rendered(tmp_path: Path) -> None:
    merged(tmp_path)
    expired = agree_by(tmp_path, "src", "Anna", valid_until=YESTERDAY)
    for_film = agree_by(tmp_path, "dst", "Bert", scopes=["film"])
    done = facewright("run", "video-render", "-w", tmp_path, "--purpose", "advertising")
    assert done.status == 0, done.stderr
    assert f"warning: src: the consent of Anna ({expired}) expired after {YESTERDAY}" in done.stderr
    assert f"warning: dst: the consent of Bert ({for_film}) is for film, not for" in done.stderr


def test_a_withdrawn_consent_is_none(tmp_path: Path) -> None:
    merged(tmp_path)
    agree_by(tmp_path, "src", "Anna")
    agree_by(tmp_path, "dst", "Bert")
    record(tmp_path, side="dst", action="withdraw", note="no more")
    done = facewright("run", "video-render", "-w", tmp_path)
    assert done.status == 3
    assert "Bert" in done.stderr and "was withdrawn on" in done.stderr
    assert "Anna" not in done.stderr


def test_a_record_is_named_by_its_id_whichever_side_it_is_of(tmp_path: Path) -> None:
    first = agree_by(tmp_path, "dst", "Anna")
    agree_by(tmp_path, "dst", "Bert")
    with pytest.raises(UsageError, match="which of 2 records"):
        record(tmp_path, side="dst", action="withdraw")
    assert record(tmp_path, action="withdraw", id=first).facts["standing"] == "withdrawn"


def test_records_that_cannot_be_read_refuse_a_final_render(tmp_path: Path) -> None:
    merged(tmp_path)
    path = consent_path(Workspace(tmp_path))
    path.parent.mkdir()
    path.write_text("{")
    done = facewright("run", "video-render", "-w", tmp_path)
    assert done.status == 3
    assert "consent.json cannot be used" in done.stderr
    assert path.read_text() == "{"


def test_a_draft_is_made_even_of_records_that_cannot_be_read(tmp_path: Path) -> None:
    merged(tmp_path)
    path = consent_path(Workspace(tmp_path))
    path.parent.mkdir()
    path.write_text("{")
    done = facewright("run", "video-render", "-w", tmp_path, "--draft")
    assert done.status == 0, done.stderr
    assert (tmp_path / "result_draft.mp4").is_file()


def test_nothing_but_the_final_render_asks_for_consents() -> None:
    assert [spec.id for spec in STAGES if "consent" in spec.needs] == ["video-render"]


def test_a_document_is_kept_as_its_hash_alone(tmp_path: Path) -> None:
    paper = tmp_path / "release.pdf"
    paper.write_bytes(b"signed")
    context = record(tmp_path, **ANNA, document=str(paper))
    assert context.facts["document_sha256"] == hashlib.sha256(b"signed").hexdigest()
    assert {path.name for path in (tmp_path / ".facewright").iterdir()} == {"consent.json", "runs"}


def test_a_change_keeps_what_is_not_said_and_a_dash_clears(tmp_path: Path) -> None:
    record(tmp_path, **ANNA, until="2030-01-01", territory="EU")
    record(tmp_path, action="change", until="-", basis="own-likeness")
    (now,) = records_of(read_entries(Workspace(tmp_path)))
    assert (now.consent.name, now.consent.territory, now.consent.valid_until) == (
        "Anna",
        "EU",
        None,
    )
    assert (now.consent.basis, now.entries) == ("own-likeness", 2)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"basis": "own-likeness", "scope": "any"}, "--name"),
        ({"name": "Anna", "scope": "any"}, "--basis"),
        ({"name": "Anna", "basis": "own-likeness"}, "--scope"),
        ({**ANNA, "basis": "public-figure"}, "exception"),
        ({**ANNA, "until": "2026-02-30"}, "no such day"),
        ({"action": "change", "id": "src-123456"}, "src-123456"),
        ({"action": "withdraw"}, "which of 0 records"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_nothing_is_written(
    tmp_path: Path, said: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        record(tmp_path, **said)
    assert not consent_path(Workspace(tmp_path)).exists()


def test_a_document_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.pdf"):
        record(tmp_path, **ANNA, document=str(tmp_path / "nothing.pdf"))
    with pytest.raises(InputError, match="/dev/zero"):
        record(tmp_path, **ANNA, document="/dev/zero")


def test_an_erased_record_is_in_no_file_but_the_trash_and_others_stay(tmp_path: Path) -> None:
    words = ["--name", "Anna Example", "--basis", "own-likeness", "--scope", "any"]
    facewright("run", "consent-record", "-w", tmp_path, *words, "--contact", "by letter")
    bert = agree_by(tmp_path, "src", "Bert")
    facewright("run", "consent-show", "-w", tmp_path)
    anna = next(one.consent.id for one in read_entries(Workspace(tmp_path)))
    record(tmp_path, action="withdraw", id=anna, note="no more")
    before = listing(tmp_path)
    with pytest.raises(ConfirmationNeeded, match=r"2 entries\) and 2 runs"):
        erase(tmp_path, id=anna)
    assert listing(tmp_path) == before
    context = erase(tmp_path, id=anna, confirmed=True)
    assert (context.facts["entries"], context.facts["runs"]) == (2, 2)
    trash = Path(context.facts["trash"])
    assert f"{trash} still holds what was erased" in context.notes[0]
    named = [path for path in tmp_path.rglob("*") if path.is_file() and holds_anna(path)]
    assert {path.name for path in named} == {"consent.json", "events.jsonl", "job.json"}
    assert all(path.is_relative_to(trash) for path in named)
    (left,) = records_of(read_entries(Workspace(tmp_path)))
    assert left.consent.id == bert
    with pytest.raises(UsageError, match=anna):
        erase(tmp_path, id=anna, confirmed=True)


def holds_anna(path: Path) -> bool:
    return b"Anna" in path.read_bytes() or b"by letter" in path.read_bytes()


def test_an_erasure_that_was_killed_can_be_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree_by(tmp_path, "src", "Anna")
    folders = [tmp_path / ".facewright" / "runs" / name for name in ("1", "2")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "job.json").write_text('{"stage":"consent-record","options":{"name":"Anna"}}')
    rename, left = Path.rename, iter(folders[:1])

    def killing(path: Path, target: Path) -> Path:
        next(left)  # ends with the second one
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killing)
    with pytest.raises(StopIteration):
        erase(tmp_path, confirmed=True)
    monkeypatch.undo()
    assert erase(tmp_path, confirmed=True).facts["runs"] == 1
    assert not any(folder.exists() for folder in folders)
    assert read_entries(Workspace(tmp_path)) == ()


def test_records_are_shown_with_their_standing_in_words_and_as_json(tmp_path: Path) -> None:
    id = agree_by(tmp_path, "src", "Anna", valid_until=YESTERDAY, contact="by letter")
    words = context_for(tmp_path, "consent-show")
    show_consent(words)
    assert words.notes[0].startswith(f"expired: {id} Anna (src, whose face is put in)")
    assert "contact by letter" in words.notes[0]
    assert (words.facts["src"], words.facts["dst"]) == ("expired", "none")
    rows = context_for(tmp_path, "consent-show", as_json=True)
    show_consent(rows)
    row = json.loads(rows.notes[0])
    assert (row["standing"], row["consent"]["contact"]) == ("expired", "by letter")
