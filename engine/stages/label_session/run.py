"""The stage `label-session`: masks are drawn on faces while one sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.stages.label_session.desk_file import DeskFile
from engine.stages.label_session.face_list import list_faces
from engine.stages.label_session.face_trash import FaceTrash
from engine.stages.label_session.neighbours import Neighbours
from engine.stages.label_session.session import LabelSession
from engine.stages.label_session.suggesting import Suggester
from engine.stages.loose_faces import swept_loose_faces
from engine.stages.merge_session.picture_files import PictureFiles


def run(context: StageContext) -> None:
    """Serve viewers until the run is stopped. Raises `InputError` for a packed faceset, one without
    faces, or when labels cannot be written."""
    with open_session(context) as session:
        session.run()
    context.result(**session.facts())


@contextmanager
def open_session(context: StageContext) -> Iterator[LabelSession]:
    """A session on the side's faces; what it wrote is safe when the block has ended."""
    side = context.workspace.side(context.options["side"])
    swept_loose_faces(side)

    def progress(done: int, total: int) -> None:
        context.check_stop()
        context.progress(done, total, unit="faces", note="looking at faces")

    faces = list_faces(context.workspace, side, progress)
    if not len(faces):
        raise InputError(
            f"none of the pictures in {side.aligned} is a face file",
            f"run faces-extract --side {side.name} first",
            code="no-faces",
        )
    with ExitStack() as stack:
        files = stack.enter_context(PictureFiles(context.run_dir))
        session = LabelSession(
            context,
            side,
            faces,
            DeskFile(context.workspace, side.name),
            files,
            stack.enter_context(Neighbours(files, context.tell, context.wake)),
            stack.enter_context(Suggester(context.tell, context.wake)),
            FaceTrash(side),
        )
        try:
            yield session
        finally:
            session.close()
