"""The timeline's file: what is written is read back, and what cannot be used is told."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol.errors import InputError
from engine.protocol.look import Look
from engine.protocol.timeline import Key, Timeline, look_at
from engine.protocol.timeline_edits import save_name, set_cuts, set_look, visit
from engine.protocol.timeline_file import (
    read_timeline,
    timeline_path,
    timeline_text,
    write_timeline,
)
from engine.protocol.workspace import Workspace
from tests.protocol.test_timeline import looks
from tests.protocol.test_timeline_edits import FRAMES, all_edits, edited

STEMS = [f"{number:05d}" for number in range(1, FRAMES + 1)]
EDITED = set_look(set_cuts(visit(Timeline(), 0, 4), [6]), 2, {"mode": "seamless"})


def reread(tmp_path: Path, timeline: Timeline, stems: list[str] = STEMS) -> Timeline | None:
    path = tmp_path / "merge" / "it.timeline.toml"
    write_timeline(path, timeline, stems)
    return read_timeline(path, stems)


def parsed(tmp_path: Path, text: str) -> Timeline:
    path = tmp_path / "it.timeline.toml"
    path.write_text(text)
    timeline = read_timeline(path, STEMS)
    assert timeline is not None
    return timeline


@settings(deadline=None, max_examples=60)
@given(edits=st.lists(all_edits, max_size=12), default=looks, named=looks)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[Any, ...]],
    default: Look,
    named: Look,
) -> None:
    timeline = save_name(Timeline(default=default), 'night, "soft" \\ ü\N{GRINNING FACE}', named)
    for edit in edits:
        timeline = edited(timeline, edit)
    assert reread(tmp_path_factory.mktemp("file"), timeline) == timeline


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_frames_may_have_any_name(names: list[str]) -> None:
    stems = sorted(names, key=lambda name: f"{name}.")
    text = timeline_text(Timeline((Key(len(stems) - 1, "", Look(mode="raw-rgb")),)), stems)
    assert tomllib.loads(text)["key"][0]["frame"] == stems[-1]


def test_the_file_lies_with_the_merging_of_its_model(tmp_path: Path) -> None:
    path = timeline_path(Workspace(tmp_path), "new", "SAEHD")
    assert path == tmp_path / ".facewright" / "merge" / "new_SAEHD.timeline.toml"


def test_without_a_file_there_is_no_timeline(tmp_path: Path) -> None:
    assert read_timeline(tmp_path / "none.toml", STEMS) is None


def test_a_changed_value_is_a_changed_line() -> None:
    timeline = set_look(EDITED, 2, {"erode_mask_modifier": 5})
    other = set_look(timeline, 2, {"erode_mask_modifier": 6})
    texts = [timeline_text(one, STEMS).splitlines() for one in (timeline, other)]
    changes = [line for line in difflib.ndiff(*texts) if line[0] in "+-"]
    assert changes == ["- erode_mask_modifier = 5", "+ erode_mask_modifier = 6"]


def test_a_key_says_only_what_is_not_the_default() -> None:
    block = timeline_text(EDITED, STEMS).split("[[key]]")[1]
    assert block.split("\n") == ["", 'frame = "00003"', 'mode = "seamless"', "", ""]


def test_the_default_is_written_whole_so_that_later_versions_read_the_same() -> None:
    assert tomllib.loads(timeline_text(Timeline(), STEMS))["default"] == vars(Look())


def test_a_changed_default_changes_all_keys_that_do_not_say_otherwise(tmp_path: Path) -> None:
    text = timeline_text(EDITED, STEMS).replace("blur_mask_modifier = 0", "blur_mask_modifier = 9")
    assert look_at(parsed(tmp_path, text), 2) == Look(mode="seamless", blur_mask_modifier=9)


def test_keys_of_frames_that_are_away_are_kept_and_hold_from_the_next_frame(tmp_path: Path) -> None:
    path = tmp_path / "it.timeline.toml"
    timeline = set_look(EDITED, 3, {"mode": "raw-rgb"}, "a")
    write_timeline(path, timeline, STEMS)
    fewer = [stem for stem in STEMS if stem not in ("00003", "00004", "00007")]
    without = read_timeline(path, fewer)
    assert without is not None
    assert look_at(without, 2) == look_at(timeline, 4)
    changed = set_look(without, 0, {"blur_mask_modifier": 3})
    write_timeline(path, changed, fewer)
    again = read_timeline(path, STEMS)
    assert again is not None
    assert again.cuts == timeline.cuts
    assert set(timeline.keys) <= set(again.keys)
    assert [look_at(again, frame) for frame in range(2, 9)] == [
        look_at(timeline, frame) for frame in range(2, 9)
    ]


def test_frames_away_at_the_end_keep_their_keys_too(tmp_path: Path) -> None:
    path = tmp_path / "it.timeline.toml"
    write_timeline(path, set_cuts(EDITED, [10]), STEMS)
    few = read_timeline(path, STEMS[:2])
    assert few is not None
    write_timeline(path, few, STEMS[:2])
    again = read_timeline(path, STEMS)
    assert again is not None
    assert (again.keys, again.cuts) == (EDITED.keys, (10,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('version = 1\n[[key]]\nframe = "00003"\nblur_mask_modifier = 900',
         "key at frame 00003: blur_mask_modifier 900 must be 0 to 400"),
        ('version = 1\n[[key]]\nframe = "00003"\ntrack = "b"\nmode = "pretty"',
         "key at frame 00003, track b: mode 'pretty' must be one of original,"),
        ('version = 1\n[[key]]\nframe = "00003"\nerode = 3',
         "key at frame 00003: 'erode' is nothing that a look has"),
        ('version = 1\n[[key]]\nframe = "00003"\ngoes_on = "jumps"',
         "key at frame 00003: goes_on 'jumps' must be one of hold, linear, smooth"),
        ('version = 1\n[[key]]\nframe = "00003"\ntrack = "A"', "key at frame 00003: track 'A'"),
        ('version = 1\n[[key]]\nmode = "overlay"', "key: None is not the name of a frame"),
        ('version = 1\n[[key]]\nframe = "1"\n[[key]]\nframe = "1"', "frame 1: there are two"),
        ("version = 1\n[default]\nmode = 3", "default: mode 3 must be one of"),
        ('version = 1\n[named."a"]\nmode = 3', "named 'a': mode 3 must be one of"),
        ("version = 1\nnamed = 3", "named must be a table"),
        ("version = 1\nkey = 3", "key must be a list"),
        ("version = 1\ncuts = [3]", "cuts: 3 is not the name of a frame"),
        ('version = 1\nseen = ["00001"]', "seen: '00001' is not a pair"),
        ("version = 1\nkeys = 3", "'keys' is nothing that a timeline has"),
        ("version = 2", "its version is 2, known is 1"),
        ("", "its version is None"),
        ("version = ", "it is not TOML: Invalid value"),
        ("version = 1\nkey = " + "[" * 100_000, "it is not TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_by_frame_and_field_and_left_as_it_is(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "it.timeline.toml"
    with pytest.raises(InputError) as refused:
        parsed(tmp_path, text)
    assert message in refused.value.message
    assert str(path) in refused.value.message
    assert path.read_text() == text


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "it.timeline.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not TOML"):
        read_timeline(path, STEMS)


def test_a_file_of_no_bounds_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "it.timeline.toml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(InputError, match="1073741824 bytes are more than any timeline has"):
        read_timeline(path, STEMS)
