"""Sessions as runs of their own, with a real model: served over the socket, killed, compared with
`merge`."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from engine.protocol.commands import Stop
from engine.protocol.events import AnyEvent, Event, Failed, Finished, MergeShown, MergeState
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
from engine.protocol.wire import decode_event, encode
from engine.protocol.workspace import Workspace
from engine.runtime import client
from engine.runtime.client.steer import control_socket_path
from engine.runtime.journal import last_events
from engine.runtime.run_folder import RunFolder
from engine.train.generations import Generations
from tests.merge.workspace import merge_workspace
from tests.models.tiny_saehd import saved_by, tiny_saehd
from tests.support.tree import tree

pytestmark = pytest.mark.slow  # starts processes and nets

WITHIN_S = 90
MODEL = {"model": "tiny", "model_class": "saehd"}
Kind = TypeVar("Kind", bound=Event)


def workspace_with_model(root: Path, frames: int) -> Workspace:
    """Frames with a face each, two of them without, and a small untrained model."""
    workspace = merge_workspace(root, frames=frames, without_face=[2, 5])
    saved = saved_by(tiny_saehd())
    Generations(workspace.model("tiny", "saehd")).write(saved.manifest, saved.state)
    return workspace


class Connection:
    """A viewer at the run's socket."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(1)
        self._buffer = b""
        until = time.monotonic() + WITHIN_S
        while True:
            try:
                self._socket.connect(control_socket_path(run))
                return
            except OSError:
                assert time.monotonic() < until, run.log_tail()

    def send(self, *commands: MergeCommand | Stop) -> None:
        self._socket.sendall(b"".join(map(encode, commands)))

    def first(self, kind: type[Kind], where: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """The next event of that kind; what came before it is dropped."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            for event in self._events():
                if isinstance(event, kind) and where(event):
                    return event
        raise AssertionError(f"no {kind.__name__}: {last_events(self.run.journal_path)}")

    def done(self, count: int) -> MergeState:
        return self.first(MergeState, lambda state: sum(state.done[1::2]) >= count)

    def _events(self) -> list[AnyEvent]:
        try:
            data = self._socket.recv(1 << 16)
        except TimeoutError:
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [decode_event(line) for line in lines]


@contextmanager
def session(workspace: Workspace) -> Iterator[Connection]:
    """A session in a process of its own, and a viewer of it; stopped at the end."""
    run = client.start_run(workspace, "merge-session", MODEL)
    connection = Connection(run)
    try:
        connection.send(MergeView(width=240, height=160))
        yield connection
    finally:
        process = run.process()
        if process is not None and process.alive():
            with contextlib.suppress(OSError):  # it was killed, and is not gone yet
                connection.send(Stop())
            until = time.monotonic() + WITHIN_S
            while process.alive() and time.monotonic() < until:
                time.sleep(0.05)


def last_event(run: RunFolder) -> AnyEvent:
    return last_events(run.journal_path)[-1]


def merged(workspace: Workspace) -> dict[str, str]:
    return {**tree(workspace.dst.merged), **tree(workspace.dst.merged_mask)}


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
    here, there = (workspace_with_model(tmp_path / name, 12) for name in ("here", "there"))
    with session(here) as viewer:
        viewer.send(*EDITS)
        for frame in (7, 11):  # shown and rendered one by one
            viewer.send(MergeGo(frame=frame))
            viewer.first(MergeShown, lambda shown, frame=frame: shown.frame == frame)
        viewer.done(1)
        viewer.send(MergeProcess(on=True))
        viewer.done(12)
    assert isinstance(last_event(viewer.run), Finished)
    path = timeline_path(here, "tiny", "saehd")
    _merge(there, timeline=str(path))
    assert merged(here) == merged(there)
    facts = _merge(here)
    assert (facts["kept"], facts["rendered"]) == (12, 0)


def test_a_killed_session_keeps_every_look_and_every_rendered_frame(tmp_path: Path) -> None:
    killed, whole = (workspace_with_model(tmp_path / name, 30) for name in ("killed", "whole"))
    path = timeline_path(killed, "tiny", "saehd")
    with session(killed) as viewer:
        for amount in range(1, 12):
            edit = MergeEdit(frame=amount, changes={"erode_mask_modifier": amount}, seq=amount)
            viewer.send(edit)
            viewer.first(MergeShown, lambda shown, amount=amount: shown.answered == amount)
            kept = read_timeline(path, [f"{number:05d}" for number in range(1, 31)])
            assert kept is not None  # written before it was shown
            assert look_at(kept, amount).erode_mask_modifier == amount
        viewer.send(MergeProcess(on=True))
        done = sum(viewer.done(3).done[1::2])
        process = viewer.run.process()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
    with session(killed) as viewer:
        state = viewer.first(MergeState)
        assert sum(state.done[1::2]) >= done
        viewer.send(MergeGo(frame=11))
        shown = viewer.first(MergeShown, lambda shown: shown.frame == 11)
        assert shown.look["erode_mask_modifier"] == 11
        viewer.send(MergeProcess(on=True))
        viewer.done(30)
    _merge(whole, timeline=str(path))
    assert merged(killed) == merged(whole)


def test_merge_cannot_run_beside_a_session_and_no_picture_files_stay(tmp_path: Path) -> None:
    workspace = workspace_with_model(tmp_path, 3)
    with session(workspace) as viewer:
        shown = viewer.first(MergeShown, lambda shown: not shown.proxy)
        assert Path(shown.path).read_bytes().startswith(b"\xff\xd8")
        run = client.start_run(workspace, "merge", MODEL)
        failed = _end_of(run)
        assert isinstance(failed, Failed) and failed.code == "busy"
    assert not Path(shown.path).parent.exists() or Path(shown.path).parent == viewer.run.path


def _merge(workspace: Workspace, **options: object) -> dict[str, object]:
    run = client.start_run(workspace, "merge", {**MODEL, **options})
    end = _end_of(run)
    assert isinstance(end, Finished) and end.exit_status == 0, end
    results = [event for event in last_events(run.journal_path) if hasattr(event, "facts")]
    return results[-1].facts


def _end_of(run: RunFolder) -> AnyEvent:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        events = last_events(run.journal_path)
        if events and isinstance(events[-1], Finished | Failed):
            return events[-1]
        time.sleep(0.1)
    raise AssertionError(run.log_tail())
