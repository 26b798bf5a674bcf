"""Sessions in processes of their own that begin fast, and viewers at their sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from engine import catalog
from engine.protocol.commands import Command
from engine.protocol.events import AnyEvent, Event
from engine.protocol.options import complete_values
from engine.protocol.wire import decode_event, encode
from engine.protocol.workspace import Workspace
from engine.runtime.client.steer import control_socket_path
from engine.runtime.run_folder import Job, RunFolder, create_run, engine_process

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 90
Kind = TypeVar("Kind", bound=Event)


@dataclass
class QuickSession:
    """A session whose engine can be killed."""

    run: RunFolder
    engine: subprocess.Popen[bytes]

    def kill(self) -> None:
        """By SIGKILL; returns when it is gone."""
        os.kill(self.engine.pid, signal.SIGKILL)
        self.engine.wait()


@contextmanager
def quick_session(workspace: Workspace) -> Iterator[QuickSession]:
    """A session with a model that is there at once; stopped at the end, unless it was killed."""
    spec = catalog.stage("merge-session")
    options = complete_values(catalog.options_of(spec, None), {})
    run = create_run(workspace, Job(spec.id, str(workspace.root.resolve()), options, False))
    with run.log_path.open("wb") as log:
        module = "tests.stages.merge_session.quick_engine"
        engine = subprocess.Popen(
            [sys.executable, "-m", module, str(run.path)], stdout=log, stderr=log, cwd=ROOT
        )
    run.write_process(engine_process(engine.pid))
    try:
        yield QuickSession(run, engine)
    finally:
        engine.terminate()
        engine.wait(WITHIN_S)


class SocketViewer:
    """A viewer at a run's socket. heard: all events so far."""

    def __init__(self, run: RunFolder) -> None:
        self.heard: list[AnyEvent] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = b""
        until = time.monotonic() + WITHIN_S
        while True:
            try:
                self._socket.connect(control_socket_path(run))
                return
            except OSError:
                assert time.monotonic() < until, run.log_tail()
                time.sleep(0.02)  # it is not there yet, and tells nobody when it is

    def close(self) -> None:
        self._socket.close()

    def send(self, *commands: Command) -> None:
        self._socket.sendall(b"".join(map(encode, commands)))

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Hear events for so long, until something is true or the engine is gone; whether it is."""
        ends_at = time.monotonic() + seconds
        while not until():
            left = ends_at - time.monotonic()
            if left <= 0 or not self._hear(left):
                return False
        return True

    def first(
        self, kind: type[Kind], where: Callable[[Kind], bool] = lambda _: True, since: int = 0
    ) -> Kind:
        """The first event of that kind of those heard since then; waits for it."""

        def found() -> list[Kind]:
            return [
                event for event in self.heard[since:] if isinstance(event, kind) and where(event)
            ]

        assert self.listen(WITHIN_S, lambda: bool(found())), (kind, self.heard[since:])
        return found()[0]

    def _hear(self, at_most_s: float) -> bool:
        self._socket.settimeout(max(0.001, at_most_s))
        try:
            data = self._socket.recv(1 << 16)
        except TimeoutError:
            return True
        except OSError:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self.heard += [decode_event(line) for line in lines]
        return bool(data)
