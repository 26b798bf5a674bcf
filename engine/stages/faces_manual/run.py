"""The stage `faces-manual`: faces are placed by hand while one sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from engine.protocol.errors import InputError
from engine.protocol.files import sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.faces_manual.decisions import Decisions
from engine.stages.faces_manual.face_writer import FaceWriter
from engine.stages.faces_manual.feed import Feed
from engine.stages.faces_manual.frame_pictures import FramePictures
from engine.stages.faces_manual.looks import Looks, looker_of, require_weights
from engine.stages.faces_manual.session import ManualSession
from engine.stages.faces_manual.settings import manual_settings
from engine.stages.faces_manual.worklist import open_worklist
from engine.stages.merge_session.picture_files import PictureFiles


def run(context: StageContext) -> None:
    """Serve viewers until the run is stopped. Raises `InputError` without frames, for a packed
    faceset, and when faces cannot be written."""
    with open_session(context) as session:
        session.run()
    context.result(**session.facts())


@contextmanager
def open_session(context: StageContext) -> Iterator[ManualSession]:
    """A session over the side's frames; what has begun is ended when the block ends."""
    side = context.workspace.side(context.options["side"])
    _require_loose(side)
    for folder in (side.aligned, side.aligned_debug):
        sweep_parts(folder)
    decisions = Decisions(context.workspace, side.name)
    if context.options["fresh"]:
        decisions.forget()
    work = open_worklist(context, side, decisions.known, partial(_warn_of_twin, context))
    require_weights(context)
    with ExitStack() as stack:
        files = stack.enter_context(PictureFiles(context.run_dir))
        pictures = FramePictures(work.paths, files, context.tell, context.wake)
        stack.enter_context(closing(pictures))
        looks = stack.enter_context(closing(Looks(partial(looker_of, context), context.wake)))
        settings = manual_settings(context, side)
        session = ManualSession(
            context,
            work,
            stack.enter_context(decisions),
            FaceWriter(context.workspace, side, settings),
            pictures,
            looks,
            Feed(context, settings.crop.face_type),
            context.options["accurate"],
        )
        stack.enter_context(closing(session))
        yield session


def _require_loose(side: Side) -> None:
    if side.pack.is_file():
        raise InputError(
            f"the faceset in {side.aligned} is packed, and this works on face files",
            f"run faceset-unpack --side {side.name} first",
            code="packed-faceset",
        )


def _warn_of_twin(context: StageContext, path: Path) -> None:
    context.warn(
        f"{path.name} is left out: another frame has the same name but for the ending",
        "rename it if it is another picture",
    )
