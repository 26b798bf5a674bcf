"""A manual extraction served in a thread of this process, and what a viewer of it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.detect.detection import PointsXY
from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data
from engine.protocol.events import ManualFace, ManualRefused, ManualShown, ManualState
from engine.protocol.manual_commands import ManualCommand, ManualSquare, ManualView
from engine.protocol.workspace import Workspace
from engine.stages.faces_manual.run import open_session
from tests.stages.served import SessionViewer, served
from tests.support.context import context_for

# Around the face of the clip pairA_dst, which is nearly still: x, y, half side in 480 px.
SQUARE = (241.0, 265.0, 110.0)


class Viewer(SessionViewer):
    """Sends commands, and waits for what they bring about."""

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
    context = context_for(root, "faces-manual", **options)
    with served(context, Viewer(context), open_session(context), ManualView()) as viewer:
        yield viewer


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
