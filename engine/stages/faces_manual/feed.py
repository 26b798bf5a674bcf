"""What viewers are told of the face and of all frames: when it changed, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from engine.faces.face_type import FaceType
from engine.protocol.events import ManualState
from engine.protocol.stage import StageContext
from engine.stages.faces_manual.placed_face import PlacedFace

# How all frames stand is told no more often than this.
STATE_EVERY_S = 0.2


class Feed:
    """Tells each thing once."""

    def __init__(self, context: StageContext, face_type: FaceType) -> None:
        self._context = context
        self._face_type = face_type
        self._face: PlacedFace | None = None
        self._state: ManualState | None = None
        self._again_at = float("-inf")
        self._viewers: set[int] = set()

    def leave(self, viewers: Iterable[int]) -> None:
        """These are told nothing any more."""
        self._viewers.difference_update(viewers)

    def greet(self, viewer: int) -> None:
        """Tell all again: a viewer came that knows nothing."""
        self._viewers.add(viewer)
        self._face = self._state = None
        self._again_at = float("-inf")

    def due_in_s(self) -> float:
        """When a state may be told that has to wait; 0 if none has."""
        return max(0.0, self._again_at - time.monotonic())

    def tell_face(self, frame: int, face: PlacedFace, *, is_looking: bool) -> None:
        """is_looking: landmarks of its square are looked for; the square alone is not told."""
        told = self._face
        if face is told or (is_looking and told is not None and face.points is told.points):
            return
        self._face = face
        for viewer in self._viewers:
            self._context.tell(face.told(frame, self._face_type, viewer), to=viewer)

    def tell_state(self, state: Callable[[], ManualState]) -> None:
        if self.due_in_s():
            return
        now = state()
        if now == self._state:
            return
        self._state = now
        self._again_at = time.monotonic() + STATE_EVERY_S
        self._context.tell(msgspec.structs.replace(now))  # who sends it numbers and dates it
        counts = {run.state: 0 for run in now.runs}
        for run in now.runs:
            counts[run.state] += run.frames
        total = sum(counts.values())
        self._context.progress(total - counts.get("open", 0), total)
