from __future__ import annotations

import multiprocessing
from functools import partial
from pathlib import Path

import pytest

from engine.protocol.errors import InputError
from engine.protocol.frame_marks import (
    BY_HAND,
    KEEP,
    NO_FACE,
    FrameMark,
    Marks,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
    set_reason,
)
from engine.protocol.workspace import Workspace


def test_marks_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = marks_path(Workspace(tmp_path), "dst")
    marks = {
        "00001.png": FrameMark(frozenset({NO_FACE})),
        "ünï 2.png": FrameMark(frozenset({BY_HAND}), note='hand "over" the mouth'),
        "00003.png": FrameMark(strength=0.25),
    }
    change_marks(path, lambda _: marks)
    assert read_marks(path) == marks


def test_without_a_file_there_are_no_marks(tmp_path: Path) -> None:
    assert read_marks(tmp_path / "dst.json") == {}


def test_marks_that_say_nothing_leave_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dst.json"
    change_marks(path, lambda _: {"1.png": FrameMark(frozenset({KEEP}))})
    change_marks(path, lambda marks: {name: FrameMark() for name in marks})
    assert read_marks(path) == {}


def test_a_reason_is_set_anew_only_among_the_frames_that_were_looked_at() -> None:
    marks = {name: FrameMark(frozenset({NO_FACE})) for name in ("1.png", "2.png", "3.png")}
    changed = set_reason(marks, NO_FACE, {"2.png": ""}, among=("1.png", "2.png", "4.png"))
    assert frames_with(changed, NO_FACE) == ["2.png", "3.png"]


def test_taking_a_reason_away_leaves_the_others() -> None:
    mark = FrameMark(frozenset({NO_FACE, BY_HAND}), note="turned away")
    assert mark.without_reason(NO_FACE) == FrameMark(frozenset({BY_HAND}), note="turned away")


def test_a_long_note_is_cut_short_so_that_the_file_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "dst.json"
    change_marks(path, lambda marks: set_reason(marks, BY_HAND, {"1.png": "x" * 999}, ["1.png"]))
    assert len(read_marks(path)["1.png"].note) == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"kind": "facewright frame marks", "version": 2, "frames": {}}',
        b'{"kind": "facewright frame marks", "version": 1, "frames": {"../x": {"reasons": []}}}',
        b'{"kind": "facewright frame marks", "version": 1, "frames": {"x": {"reasons": ["?"]}}}',
        b'{"kind": "facewright frame marks", "version": 1, "frames": {"x": {"reasons": [[]]}}}',
        b'{"kind": "facewright frame marks", "version": 1,'
        b' "frames": {"x": {"reasons": [], "strength": 7}}}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dst.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"dst\.json"):
        change_marks(path, lambda _: {"1.png": FrameMark(frozenset({KEEP}))})
    assert path.read_bytes() == content


def test_nothing_is_lost_when_several_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "dst.json"
    spawned = multiprocessing.get_context("spawn")
    writers = [spawned.Process(target=_mark_ten, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(read_marks(path)) == 30


def _mark_ten(path: Path, number: int) -> None:
    for frame in range(10):
        change_marks(path, partial(_with_mark, f"{number}-{frame}.png"))


def _with_mark(name: str, marks: Marks) -> Marks:
    return set_reason(marks, BY_HAND, {name: ""}, among=(name,))
