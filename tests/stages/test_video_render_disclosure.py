"""The disclosure sheet: which frames were altered, by what, under which consents; of whom not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.protocol.consent import consent_path
from engine.protocol.workspace import Workspace
from engine.stages.merge.ledger import Ledger, Rendered
from tests.support.consent import agree_by
from tests.support.results import merge_masks, merge_numbers, render

pytestmark = pytest.mark.slow

BY_SAEHD: dict[str, Any] = {
    "model": "a" * 64,
    "settings": "b" * 64,
    "model_class": "saehd",
    "iteration": 250_000,
}


def merge_with(root: Path, faces: list[int | None]) -> None:
    """Merged frames with so many faces each; None: the ledger does not know the frame."""
    merge_numbers(root, range(len(faces)))
    workspace = Workspace(root)
    ledger = Ledger.of(workspace)
    ledger.begin([], [])
    with ledger:
        for path, count in zip(sorted(workspace.dst.merged.iterdir()), faces, strict=True):
            if count is not None:
                by = BY_SAEHD if count else {}
                size_bytes = path.stat().st_size
                ledger.add(Rendered(path.stem, "key", size_bytes, 0, faces=count, **by))


def sheet(root: Path, name: str = "result.mp4") -> dict[str, Any]:
    read: dict[str, Any] = json.loads((root / f"{name}.disclosure.json").read_bytes())
    return read


def spans(root: Path) -> list[tuple[int, int, str]]:
    return [(row["first"], row["last"], row["state"]) for row in sheet(root)["ranges"]]


def test_the_sheet_says_which_frames_were_altered_and_when_they_are_shown(tmp_path: Path) -> None:
    merge_with(tmp_path, [0, 0, 1, 2, 0, None])
    render(tmp_path, end_card=0.08)
    assert spans(tmp_path) == [
        (1, 2, "untouched"),
        (3, 4, "face replaced"),
        (5, 5, "untouched"),
        (6, 6, "not recorded"),
        (7, 8, "end card"),
    ]
    replaced = sheet(tmp_path)["ranges"][1]
    assert (replaced["from_s"], replaced["until_s"]) == (0.08, 0.16)
    assert (
        "| 3-4 | 0.080 s - 0.160 s | face replaced |"
        in (tmp_path / "result.mp4.disclosure.md").read_text()
    )


@pytest.mark.parametrize(
    ("faces", "says"),
    [([0, 1], "Faces in this video were"), ([None, 0], "may have been"), ([0, 0], "No face was")],
)
def test_the_sheets_first_line_says_no_more_than_is_known(
    tmp_path: Path, faces: list[int | None], says: str
) -> None:
    merge_with(tmp_path, faces)
    render(tmp_path)
    assert says in (tmp_path / "result.mp4.disclosure.md").read_text().splitlines()[2]


def test_a_range_is_told_in_the_results_own_count_of_frames(tmp_path: Path) -> None:
    merge_with(tmp_path, [0, 0, 1, 1])
    render(tmp_path, first="2")
    assert spans(tmp_path) == [(1, 1, "untouched"), (2, 3, "face replaced")]


def test_a_frame_that_was_changed_after_merging_is_not_recorded(tmp_path: Path) -> None:
    merge_with(tmp_path, [1, 1])
    changed = tmp_path / "data_dst" / "merged" / "00002.png"
    changed.write_bytes(changed.read_bytes() + b" ")
    render(tmp_path)
    assert spans(tmp_path) == [(1, 1, "face replaced"), (2, 2, "not recorded")]


@pytest.mark.parametrize(
    ("kind", "name"), [("mp4", "result.mp4"), ("ffv1", "result.mkv"), ("png-sequence", "result")]
)
def test_the_sheet_has_the_hash_of_the_very_file_that_was_signed(
    tmp_path: Path, kind: str, name: str
) -> None:
    merge_with(tmp_path, [1, 0])
    context = render(tmp_path, kind=kind)
    result = tmp_path / name
    data = result.read_bytes() if result.is_file() else listed(result)
    assert sheet(tmp_path, name)["sha256"] == hashlib.sha256(data).hexdigest()
    assert sheet(tmp_path, name)["marking"] == context.facts["marking"]
    assert Path(context.facts["disclosure"]).is_file()


def listed(folder: Path) -> bytes:
    """What `sha256sum *` prints."""
    rows = [
        f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n"
        for one in sorted(folder.iterdir())
    ]
    return "".join(rows).encode()


def test_the_sheet_says_by_which_model_and_names_consents_by_their_ids_alone(
    tmp_path: Path,
) -> None:
    merge_with(tmp_path, [1, 1, 0])
    consent_path(Workspace(tmp_path)).unlink()
    personal = {"contact": "anna@example.org", "note": "aunt of Bert", "territory": "Ruritania"}
    src = agree_by(tmp_path, "src", "Anna Example", scopes=["film"], **personal)
    dst = agree_by(tmp_path, "dst", "Bert Example", basis="own-likeness")
    render(tmp_path, purpose="film", label="bottom-left")
    facts = sheet(tmp_path)
    (method,) = facts["methods"]
    assert (method["model_class"], method["iteration"], method["frames"]) == ("saehd", 250_000, 2)
    assert (method["model_sha256"], facts["settings_sha256"]) == ("a" * 64, "b" * 64)
    assert [side["records"][0]["id"] for side in facts["consents"]] == [src, dst]
    assert (facts["purpose"], facts["label"]) == ("film", "bottom-left")
    for suffix in (".json", ".md"):
        text = (tmp_path / f"result.mp4.disclosure{suffix}").read_text()
        for word in ("Anna", "Bert", "example.org", "Ruritania", str(tmp_path)):
            assert word not in text
        assert src in text and dst in text and "saehd" in text


def test_a_new_results_sheet_takes_the_earlier_ones_place_which_goes_to_the_trash(
    tmp_path: Path,
) -> None:
    merge_with(tmp_path, [1])
    render(tmp_path)
    first = (tmp_path / "result.mp4.disclosure.json").read_bytes()
    render(tmp_path, confirmed=True, label="top-right")
    assert sheet(tmp_path)["label"] == "top-right"
    (kept,) = (tmp_path / ".facewright" / "trash").glob("*/result.mp4.disclosure.json")
    assert kept.read_bytes() == first


@pytest.mark.parametrize(
    "forged",
    [
        {"model_class": "saehd\n\n# No face was replaced\n"},
        {"model": "<b>Anna</b>"},
    ],
)
def test_what_no_merge_wrote_into_the_ledger_is_not_said_in_a_sheet(
    tmp_path: Path, forged: dict[str, str]
) -> None:
    merge_with(tmp_path, [1])
    ledger = Ledger.of(Workspace(tmp_path))
    (line,) = ledger.rendered.values()
    ledger.path.write_bytes(msgspec.json.encode(msgspec.structs.replace(line, **forged)) + b"\n")
    render(tmp_path)
    assert spans(tmp_path) == [(1, 1, "not recorded")]
    (text,) = forged.values()
    assert text.splitlines()[-1] not in (tmp_path / "result.mp4.disclosure.md").read_text()


def test_the_merge_ledger_is_read_once_a_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge_with(tmp_path, [1])
    readings: list[Workspace] = []
    read = Ledger.of
    monkeypatch.setattr(Ledger, "of", lambda of: (readings.append(of), read(of))[1])
    render(tmp_path)
    assert len(readings) == 1


def test_a_draft_has_no_sheet(tmp_path: Path) -> None:
    merge_with(tmp_path, [1])
    merge_masks(tmp_path, 1)
    context = render(tmp_path, draft=True)
    assert not list(tmp_path.glob("*.disclosure.*"))
    assert context.facts["disclosure"] is None
