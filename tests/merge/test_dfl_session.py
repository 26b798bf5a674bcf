"""DeepFaceLab's merger sessions become timelines, without running or believing what they hold."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.merge.dfl_session import dfl_session_path, read_dfl_session
from engine.protocol.errors import InputError
from engine.protocol.look import Look
from engine.protocol.look_options import LOOK_OPTIONS
from engine.protocol.options import Choice
from engine.protocol.timeline import Timeline, look_at
from engine.protocol.workspace import Workspace
from tests.support.shared import shared_path

STEMS = [f"{number:05d}" for number in range(1, 8)]
# Classes where DeepFaceLab has them, and a session of three frames of which one was not visited.
OLD_SESSION = """
import enum, pathlib, pickle, sys, types
def module(name):
    sys.modules[name] = types.ModuleType(name)
    return name
module("merger")
class InteractiveMergerSubprocessor:
    class Frame:
        pass
class FrameInfo:
    pass
class MergerConfigMasked:
    pass
InteractiveMergerSubprocessor.__module__ = module("merger.InteractiveMergerSubprocessor")
InteractiveMergerSubprocessor.Frame.__module__ = InteractiveMergerSubprocessor.__module__
FrameInfo.__module__ = module("merger.FrameInfo")
MergerConfigMasked.__module__ = module("merger.MergerConfig")
for kind in (InteractiveMergerSubprocessor, FrameInfo, MergerConfigMasked):
    setattr(sys.modules[kind.__module__], kind.__name__, kind)
frames = []
for number in range(1, 4):
    frame, info = InteractiveMergerSubprocessor.Frame(), FrameInfo()
    info.filepath = pathlib.PureWindowsPath(f"D:/DFL/workspace/data_dst/{number:05d}.png")
    frame.frame_info, frame.cfg = info, None
    if number != 2:
        frame.cfg = MergerConfigMasked()
        frame.cfg.__dict__.update(CONFIG)
    frames.append(frame)
session = {"frames": frames, "frames_idxs": [1, 2], "frames_done_idxs": [0], "model_iter": 7}
sys.stdout.buffer.write(pickle.dumps(session, protocol=PROTOCOL))
"""


def old_session(path: Path, protocol: int, config: dict[str, object]) -> Path:
    source = OLD_SESSION.replace("PROTOCOL", str(protocol)).replace("CONFIG", repr(config))
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True)
    path.write_bytes(run.stdout)
    return path


def written(path: Path, session: object) -> Path:
    path.write_bytes(pickle.dumps(session, protocol=4))
    return path


def frame(name: str, config: object) -> dict[str, object]:
    return {"frame_info": {"filepath": ("data_dst", name)}, "cfg": config}


def expected_look(config: dict[str, Any]) -> Look:
    """The look of a config as the golden data writes it, with numbers for choices."""
    names = {
        option.name: option.kind.values
        for option in LOOK_OPTIONS
        if isinstance(option.kind, Choice) and option.name != "mode"
    }
    left_out = ("face_type", "default_mode")
    return Look(
        **{
            name: names[name][value] if name in names else value
            for name, value in config.items()
            if name not in left_out
        }
    )


@pytest.mark.parametrize("name", ["new", "win"])
def test_a_session_of_either_system_gives_each_visited_frame_its_look(name: str) -> None:
    path = shared_path(f"golden/merge/{name}_SAEHD_merger_session.dat")
    expected = json.loads(shared_path("golden/merge/expected_session.json").read_text())
    session = read_dfl_session(path, STEMS)
    looks = [look_at(session.timeline, number) for number in range(7)]
    configs = [frame["config"] for frame in expected["frames"]]
    assert looks[:5] == [expected_look(config) for config in configs[:5]]
    assert configs[5:] == [None, None]
    assert looks[5:] == [looks[4]] * 2
    assert session.timeline.visited == ((0, 5),)
    assert session.problems == ()


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_sessions_of_all_pythons_are_read(tmp_path: Path, protocol: int) -> None:
    path = old_session(tmp_path / "it.dat", protocol, {"mode": "seamless", "sharpen_mode": 2})
    timeline = read_dfl_session(path, STEMS).timeline
    assert look_at(timeline, 0) == Look(mode="seamless", sharpen_mode="gaussian")
    assert timeline.visited == ((0, 1), (2, 3))
    assert len(timeline.keys) == 1


def test_frames_that_are_away_keep_their_looks(tmp_path: Path) -> None:
    session = {
        "frames": [frame("a.png", {"mode": "raw-rgb"}), frame("b.png", {"mode": "seamless"})]
    }
    timeline = read_dfl_session(written(tmp_path / "it.dat", session), ["b"]).timeline
    assert [(key.frame, key.missing) for key in timeline.keys] == [(0, "a"), (0, "")]
    assert look_at(timeline, 0).mode == "seamless"


def test_values_that_no_look_can_have_are_told_and_left(tmp_path: Path) -> None:
    config = {"mask_mode": 77, "erode_mask_modifier": 999, "blur_mask_modifier": 5, "type": 1}
    session = {"frames": [frame("00001.png", config)]}
    read = read_dfl_session(written(tmp_path / "it.dat", session), STEMS)
    assert look_at(read.timeline, 0) == Look(blur_mask_modifier=5)
    assert "frame 00001: mask_mode 77 must be 0 to" in read.problems[0]
    assert read.problems[1] == "frame 00001: erode_mask_modifier 999 must be -400 to 400"


def test_many_problems_are_told_in_few_words(tmp_path: Path) -> None:
    session = {"frames": [frame(f"{stem}.png", {"mask_mode": -1}) for stem in STEMS]}
    read = read_dfl_session(written(tmp_path / "it.dat", session), STEMS)
    assert len(read.problems) == 6
    assert read.problems[5] == "and 2 more"


def test_a_session_without_visited_frames_is_an_empty_timeline(tmp_path: Path) -> None:
    session = {"frames": [frame("00001.png", None)]}
    read = read_dfl_session(written(tmp_path / "it.dat", session), STEMS)
    assert read.timeline == Timeline()


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        ({"frames": [frame("other.png", {})]}, "none of its frames is there (other is its first"),
        ({"frames": [frame("", {})]}, "one of its frames has no name"),
        ({"frames": [frame("00001.png", 3)]}, "one of its frames has no name or no settings"),
        ({"frames": [7]}, "one of its frames has no name"),
        ({"frames": 7}, "it is no session"),
        (7, "it is no session"),
    ],
)
def test_what_is_no_session_of_these_frames_is_told_and_left_as_it_is(
    tmp_path: Path, session: object, reason: str
) -> None:
    path = written(tmp_path / "it.dat", session)
    before = path.read_bytes()
    with pytest.raises(InputError) as refused:
        read_dfl_session(path, STEMS)
    assert reason in refused.value.message
    assert "nothing is deleted" in refused.value.remedy
    assert path.read_bytes() == before


@pytest.mark.parametrize("end", [0, 1, 100, 500, -1])
def test_a_session_that_is_cut_short_is_told(tmp_path: Path, end: int) -> None:
    path = old_session(tmp_path / "it.dat", 4, {"mode": "seamless"})
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(InputError, match="damaged"):
        read_dfl_session(path, STEMS)


def test_a_missing_session_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_dfl_session(tmp_path / "none.dat", STEMS)


def test_the_session_lies_in_the_models_folder(tmp_path: Path) -> None:
    path = dfl_session_path(Workspace(tmp_path), "new", "SAEHD")
    assert path == tmp_path / "model" / "new_SAEHD_merger_session.dat"
