"""Sessions as runs of their own, served over the socket, killed, compared with `merge`; with a real
model where its numbers matter."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.protocol.commands import Stop
from engine.protocol.events import AnyEvent, Failed, Finished, MergeShown, MergeState
from engine.protocol.merge_commands import (
    MergeCommand,
    MergeEdit,
    MergeGo,
    MergeKey,
    MergeProcess,
    MergeView,
)
from engine.protocol.timeline import look_at
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.protocol.workspace import Workspace
from engine.runtime import client
from engine.runtime.journal import last_events
from engine.runtime.run_folder import RunFolder
from engine.stages.merge import chosen_nets
from engine.stages.merge.run import run as merge
from engine.train.generations import Generations
from tests.merge.fakes import round_predictor
from tests.merge.workspace import merge_workspace
from tests.models.tiny_saehd import saved_by, tiny_saehd
from tests.stages.merge_session.viewing import ROOT, WITHIN_S, SocketViewer, quick_session
from tests.support.context import context_for
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # starts processes and nets

MODEL = {"model": "tiny", "model_class": "saehd"}
VIEW = MergeView(width=240, height=160)


def frames_of(root: Path, frames: int) -> Workspace:
    """Frames with a face each, two of them without."""
    return merge_workspace(root, frames=frames, without_face=[2, 5])


@contextmanager
def session(workspace: Workspace) -> Iterator[SocketViewer]:
    """A session with a real model in a process of its own, and a viewer of it; stopped at the
    end."""
    run = client.start_run(workspace, "merge-session", MODEL)
    viewer = SocketViewer(run)
    viewer.send(VIEW)
    yield viewer
    viewer.send(Stop())
    assert isinstance(end_of(run), Finished)


def done(viewer: SocketViewer, count: int) -> int:
    """Waits until so many frames are done, or more; how many."""
    state = viewer.first(MergeState, lambda state: sum(state.done[1::2]) >= count)
    return sum(state.done[1::2])


def merged(workspace: Workspace) -> dict[str, str]:
    return {**tree(workspace.dst.merged), **tree(workspace.dst.merged_mask)}


def merge_facts(workspace: Workspace, **options: object) -> dict[str, object]:
    """Of the stage `merge`, run in this process."""
    context = context_for(workspace.root, "merge", **options)
    merge(context)
    return context.facts


EDITS: tuple[MergeCommand, ...] = (
    MergeEdit(frame=0, changes={"erode_mask_modifier": 20, "blur_mask_modifier": 30}),
    MergeKey(frame=2, action="add", goes_on="linear"),
    MergeEdit(frame=7, changes={"output_face_scale": -20, "motion_blur_power": 50}),
    MergeEdit(frame=8, changes={"mode": "hist-match", "color_transfer_mode": "lct"}),
    MergeEdit(frame=9, changes={"mode": "seamless", "sharpen_mode": "box"}),
    MergeEdit(frame=10, changes={"image_denoise_power": 30, "blursharpen_amount": -7}),
    MergeEdit(frame=11, changes={"mode": "raw-rgb", "mask_mode": "dst"}),
)


def test_frames_of_a_session_are_merges_own_byte_for_byte(tmp_path: Path) -> None:
    here, there = (frames_of(tmp_path / name, 12) for name in ("here", "there"))
    saved = saved_by(tiny_saehd())
    for workspace in (here, there):
        Generations(workspace.model("tiny", "saehd")).write(saved.manifest, saved.state)
    with session(here) as viewer:
        viewer.send(*EDITS)
        for frame in (7, 11):  # shown and rendered one by one
            viewer.send(MergeGo(frame=frame))
            viewer.first(MergeShown, lambda shown, frame=frame: shown.frame == frame)
        done(viewer, 1)
        viewer.send(MergeProcess(on=True))
        done(viewer, 12)
    path = timeline_path(here, "tiny", "saehd")
    merge_facts(there, timeline=str(path), **MODEL)
    assert merged(here) == merged(there)
    facts = merge_facts(here, **MODEL)
    assert (facts["kept"], facts["rendered"]) == (12, 0)


def test_a_killed_session_keeps_every_look_and_every_rendered_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, whole = (frames_of(tmp_path / name, 16) for name in ("killed", "whole"))
    path = timeline_path(killed, "new", "quick96")
    with quick_session(killed) as quick:
        viewer = SocketViewer(quick.run)
        viewer.send(VIEW)
        for amount in range(1, 12):
            viewer.send(
                MergeEdit(frame=amount, changes={"erode_mask_modifier": amount}, seq=amount)
            )
            viewer.first(MergeShown, lambda shown, amount=amount: shown.answered == amount)
            kept = read_timeline(path, [f"{number:05d}" for number in range(1, 17)])
            assert kept is not None  # written before it was shown
            assert look_at(kept, amount).erode_mask_modifier == amount
        viewer.send(MergeProcess(on=True))
        told = done(viewer, 3)
        quick.kill()
    with quick_session(killed) as quick:
        viewer = SocketViewer(quick.run)
        viewer.send(VIEW)
        assert sum(viewer.first(MergeState).done[1::2]) >= told
        viewer.send(MergeGo(frame=11))
        shown = viewer.first(MergeShown, lambda shown: shown.frame == 11)
        assert shown.look["erode_mask_modifier"] == 11
        viewer.send(MergeProcess(on=True))
        done(viewer, 16)
    monkeypatch.setattr(chosen_nets, "load_predictor", lambda *_, **__: round_predictor())
    merge_facts(whole, timeline=str(path))
    assert merged(killed) == merged(whole)


def test_merge_cannot_run_beside_a_session_and_no_picture_files_stay(tmp_path: Path) -> None:
    workspace = frames_of(tmp_path, 3)
    with quick_session(workspace) as quick:
        viewer = SocketViewer(quick.run)
        viewer.send(VIEW)
        shown = viewer.first(MergeShown, lambda shown: not shown.proxy)
        assert Path(shown.path).read_bytes().startswith(b"\xff\xd8")
        failed = end_of(client.start_run(workspace, "merge", MODEL))
        assert isinstance(failed, Failed) and failed.code == "busy"
    assert not Path(shown.path).parent.exists() or Path(shown.path).parent == quick.run.path


def test_tensorflow_is_loaded_with_the_model_and_not_before() -> None:
    code = "import sys, engine.stages.merge.run, engine.stages.merge_session.run;"
    code += "print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "False\n", done.stderr


def end_of(run: RunFolder) -> AnyEvent:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        events = last_events(run.journal_path)
        if events and isinstance(events[-1], Finished | Failed):
            return events[-1]
        time.sleep(0.1)
    raise AssertionError(run.log_tail())
