"""Frames without a face are marked, and marks that a new extraction answers are taken away."""

from __future__ import annotations

from types import TracebackType

from engine.protocol.errors import Stopped
from engine.protocol.frame_marks import (
    BY_HAND,
    NO_FACE,
    SUSPICIOUS,
    Marks,
    change_marks,
    marks_path,
    set_reason,
)
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.chosen_frames import face_files_by_frame
from engine.stages.faces_extract.plan import Plan
from engine.stages.faces_extract.records import DoneFrame


class FrameMarking:
    """Collects what came of frames; leaving it well, or stopped, writes the marks."""

    def __init__(self, workspace: Workspace, plan: Plan) -> None:
        self._path = marks_path(workspace, plan.side.name)
        self._plan = plan
        self._seen = dict(plan.finished)
        self._extracted: set[str] = set()  # by this run, with a face

    def saw(self, frame: DoneFrame) -> None:
        """A frame was finished in this run."""
        self._seen[frame.frame] = frame
        if frame.faces:
            self._extracted.add(frame.frame)

    def __enter__(self) -> FrameMarking:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Raises `InputError` if the marks cannot be used or written."""
        if self._seen and (error is None or isinstance(error, Stopped)):
            change_marks(self._path, self._changed)

    def _changed(self, marks: Marks) -> Marks:
        # Others may have placed faces by hand since.
        with_face = face_files_by_frame(self._plan.side, self._plan.frames).keys()
        without = {
            name: ""
            for name, frame in self._seen.items()
            if not frame.faces and name not in with_face
        }
        marks = set_reason(marks, NO_FACE, without, among=self._seen)
        for answered in (BY_HAND, SUSPICIOUS):
            marks = set_reason(marks, answered, {}, among=self._extracted)
        return marks
