"""A manual extraction served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.detect.detection import PointsXY
from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data
from engine.protocol.events import Event, ManualFace, ManualRefused, ManualShown, ManualState
from engine.protocol.manual_commands import ManualCommand, ManualSquare, ManualView
from engine.protocol.workspace import Workspace
from engine.stages.faces_manual.run import open_session
from tests.support.context import RecordingContext, context_for

WITHIN_S = 30
Kind = TypeVar("Kind", bound=Event)
# Around the face of the clip pairA_dst, which is nearly still: x, y, half side in 480 px.
SQUARE = (241.0, 265.0, 110.0)


@dataclass
class Viewer:
    """Sends commands, and waits for what they bring about."""

    context: Any
    told: list[Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, event: Event, to: int | None = None) -> None:
        """In place of the context's `tell`."""
        with self.changed:
            self.told.append(event)
            self.changed.notify_all()

    def send(self, *sent: ManualCommand) -> int:
        """Send all at once; returns how much was told before, for `first`."""
        with self.changed:
            before = len(self.told)
            self.context.queue = [*self.context.queue, *sent]
        self.context.wake()
        return before

    def first(
        self, kind: type[Kind], since: int = 0, where: Callable[[Kind], bool] = lambda _: True
    ) -> Kind:
        """The first event of that kind since then; waits for it."""
        until = time.monotonic() + WITHIN_S
        with self.changed:
            while True:
                for event in self.told[since:]:
                    if isinstance(event, kind) and where(event):
                        return event
                left_s = until - time.monotonic()
                assert left_s > 0, f"no such {kind.__name__} in {self.told[since:]}"
                self.changed.wait(left_s)

    def face_after(self, *sent: ManualCommand) -> ManualFace:
        """The next face that is told."""
        return self.first(ManualFace, self.send(*sent))

    def face_where(self, where: Callable[[ManualFace], bool], *sent: ManualCommand) -> ManualFace:
        return self.first(ManualFace, self.send(*sent), where)

    def look(self, square: ManualSquare) -> ManualFace:
        """The landmarks that the square leads to."""
        return self.face_where(lambda face: face.answered == square.seq, square)

    def shown(self, frame: int, *sent: ManualCommand) -> ManualShown:
        return self.first(ManualShown, self.send(*sent), lambda shown: shown.frame == frame)

    def state(self, where: Callable[[ManualState], bool], *sent: ManualCommand) -> ManualState:
        return self.first(ManualState, self.send(*sent), where)

    def refusal_of(self, *sent: ManualCommand) -> ManualRefused:
        return self.first(ManualRefused, self.send(*sent))


@contextmanager
def serving(root: Path, **options: Any) -> Iterator[Viewer]:
    """A session and a viewer of it; ended and reported (`viewer.context.facts`) when the block
    ends."""
    context: RecordingContext = context_for(root, "faces-manual", **options)
    viewer = Viewer(context)
    context.tell = viewer.hear  # type: ignore[method-assign]
    died: list[BaseException] = []
    with open_session(context) as session:

        def serve() -> None:
            try:
                session.run()
            except BaseException as error:
                died.append(error)
                raise

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            viewer.send(ManualView())
            yield viewer
        finally:
            context.stop_requested = True
            context.wake()
            thread.join(WITHIN_S)
    assert not thread.is_alive() and not died
    context.result(**session.facts())


def face_file(root: Path, frame: int, place: int = 0) -> FaceData | None:
    """What is in the frame's face file (frames count from 0, their names from 1)."""
    path = Workspace(root).dst.aligned / f"{frame + 1:05d}_{place}.jpg"
    return read_face_data(path) if path.is_file() else None


def points_in(root: Path, frame: int) -> PointsXY:
    """The landmarks in the frame that its face file tells."""
    data = face_file(root, frame)
    assert data is not None and data.source_landmarks is not None
    return np.asarray(data.source_landmarks, np.float64)


def square(frame: int, seq: int = 1, **changes: float) -> ManualSquare:
    x, y, half_side = SQUARE
    place = {"x": x, "y": y, "half_side": half_side, **changes}
    return ManualSquare(frame=frame, seq=seq, **place)
