"""Sessions as runs of their own: viewers and engines that are killed between any two keys."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.protocol.commands import Stop
from engine.protocol.events import AnyEvent, LabelsKept, LabelsShown
from engine.protocol.label_commands import (
    LabelCommand,
    LabelPolygon,
    LabelsGo,
    LabelsSet,
    LabelsView,
    Polygons,
    labels_stamp,
)
from engine.protocol.wire import decode_event, encode
from engine.protocol.workspace import Workspace, list_images
from engine.runtime import client
from engine.runtime.client.steer import control_socket_path
from engine.runtime.run_folder import RunFolder
from engine.stages.label_session.label_file import read_label_file
from tests.stages.facesets import faceset

pytestmark = pytest.mark.slow  # starts processes

WITHIN_S = 90
FACES = ["00000_0.jpg", "00001_0.jpg", "00002_0.jpg"]
NAME = FACES[1]
KILLS = 6


class Connection:
    """A viewer at the run's socket."""

    def __init__(self, run: RunFolder) -> None:
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
                time.sleep(0.02)  # the engine's process is just beginning

    def send(self, *commands: LabelCommand | Stop) -> None:
        self._socket.sendall(b"".join(map(encode, commands)))

    def close(self) -> None:
        self._socket.close()

    def events(self) -> list[AnyEvent]:
        """What was told since; [] also when the engine is gone."""
        try:
            data = self._socket.recv(1 << 16)
        except OSError:
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [decode_event(line) for line in lines]

    def shown(self) -> LabelsShown:
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            for event in self.events():
                if isinstance(event, LabelsShown) and event.name == NAME:
                    return event
        raise AssertionError("the face was not shown")


@contextmanager
def session(root: Path) -> Iterator[tuple[RunFolder, Connection]]:
    """A session in a process of its own, and a viewer of it that sees the face; stopped at the
    end, where it was not killed."""
    run = client.start_run(Workspace(root), "label-session", {"side": "src"})
    connection = Connection(run)
    try:
        connection.send(LabelsView(), LabelsGo(1))
        yield run, connection
    finally:
        process = run.process()
        if process is not None and process.alive():
            with contextlib.suppress(OSError):
                connection.send(Stop())
            until = time.monotonic() + WITHIN_S
            while process.alive() and time.monotonic() < until:
                time.sleep(0.05)  # it ends by itself


def drawings() -> list[tuple[Polygons, LabelPolygon | None]]:
    """What a hand draws key by key: four triangles, point by point."""
    made: list[tuple[Polygons, LabelPolygon | None]] = []
    closed: Polygons = ()
    for n in range(4):
        points = ((1.25 + n, 2.0), (40.5, 3.75 + n), (20.0, 50.5 - n))
        begun = [LabelPolygon(True, points[:count]) for count in (1, 2, 3)]
        made += [(closed, one) for one in begun]
        closed = (*closed, begun[-1])
        made.append((closed, None))
    return made


def commands_of(there: Polygons) -> list[LabelsSet]:
    """The commands of a viewer that draws all of it, beginning with what is there."""
    commands, over = [], labels_stamp(there)
    for seq, (polygons, begun) in enumerate(drawings(), start=1):
        commands.append(LabelsSet(NAME, polygons, begun, over, seq))
        over = labels_stamp(polygons)
    return commands


def in_file(root: Path) -> Polygons:
    return read_label_file(Workspace(root).src.aligned / NAME).polygons


def test_an_engine_killed_at_any_moment_has_kept_all_that_it_acknowledged(tmp_path: Path) -> None:
    faceset(tmp_path)
    chance = random.Random(6)
    there: Polygons = ()
    for _ in range(KILLS):
        with session(tmp_path) as (run, viewer):
            shown = viewer.shown()
            assert shown.polygons == there
            commands = commands_of(there)
            viewer.send(*commands)
            wanted = chance.randrange(len(commands))
            acknowledged = 0
            until = time.monotonic() + WITHIN_S
            while acknowledged < wanted:
                assert time.monotonic() < until
                kept = [event for event in viewer.events() if isinstance(event, LabelsKept)]
                acknowledged = max([acknowledged, *(event.command_seq for event in kept)])
            time.sleep(chance.random() * 0.01)  # any moment
            process = run.process()
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            while process.alive():
                time.sleep(0.01)
        there = in_file(tmp_path)
        drawn = [polygons for polygons, _ in drawings()]
        assert there in drawn[max(0, acknowledged - 1) :] or (acknowledged == 0 and there == ())
        folder = Workspace(tmp_path).src.aligned
        # Besides these there may be a hidden file that was being written.
        assert [path.name for path in list_images(folder)] == FACES
        there = _emptied(tmp_path)
        assert sorted(path.name for path in folder.iterdir()) == FACES


def _shown_when(viewer: Connection, wanted: tuple[Polygons, LabelPolygon | None]) -> LabelsShown:
    """What is shown once that is drawn: what one viewer sent may be read after another's."""
    until = time.monotonic() + WITHIN_S
    while True:
        viewer.send(LabelsView())
        shown = viewer.shown()
        if (shown.polygons, shown.open) == wanted:
            return shown
        assert time.monotonic() < until, shown


def _emptied(root: Path) -> Polygons:
    """The next round begins without labels."""
    with session(root) as (_, viewer):
        shown = viewer.shown()
        viewer.send(LabelsSet(NAME, (), over=labels_stamp(shown.polygons), seq=1))
    return in_file(root)


def test_a_viewer_killed_at_any_moment_has_lost_nothing_that_it_sent(tmp_path: Path) -> None:
    faceset(tmp_path)
    for count in (1, 3, 6, 11, 16):
        with session(tmp_path) as (run, viewer):
            commands = commands_of(viewer.shown().polygons)[:count]
            viewer.send(*commands)
            viewer.close()  # without having read a single answer
            other = Connection(run)
            shown = _shown_when(other, drawings()[count - 1])
            other.send(LabelsSet(NAME, (), over=labels_stamp(shown.polygons), seq=1), Stop())
        assert in_file(tmp_path) == ()
