"""Opening a session: the looks so far, what is rendered already, and all its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.merge.dfl_session import dfl_session_path, read_dfl_session
from engine.merge.face_nets import FaceNets
from engine.models.classes import model_spec
from engine.protocol.errors import FacewrightError, InputError
from engine.protocol.events import Event
from engine.protocol.stage import StageContext
from engine.protocol.timeline import Timeline
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.protocol.undo import History
from engine.stages.merge.ledger import Ledger
from engine.stages.merge.outputs import Outputs, clear_the_way, finished_frames
from engine.stages.merge.plan import (
    FrameJob,
    RenderJob,
    file_stamp,
    job_key,
    origin_of,
    with_motion,
)
from engine.stages.merge.render import Renderer, thread_count
from engine.stages.merge_session.desk import Desk
from engine.stages.merge_session.frame_settings import FrameSettings
from engine.stages.merge_session.frame_store import FrameStore
from engine.stages.merge_session.kept_predictions import KeptPredictions
from engine.stages.merge_session.output import Output
from engine.stages.merge_session.painter import Painter
from engine.stages.merge_session.picture_files import PictureFiles
from engine.stages.merge_session.prepared import PreparedFrame, prepare
from engine.stages.merge_session.rendered import RenderedFrames, SettingsOf
from engine.stages.merge_session.rest import Renderings
from engine.stages.merge_session.screen import Screen
from engine.stages.merge_session.session import Session
from engine.stages.merge_session.shared_nets import shared_nets
from engine.stages.merge_session.shot_search import ShotSearch
from engine.stages.merge_session.state_feed import StateFeed
from engine.stages.merge_session.strip import Strip
from engine.stages.merge_session.timeline_keeper import TimelineKeeper

SHOTS_NAME = "shots-dst.json"


@contextmanager
def open_session(
    context: StageContext, frames: Sequence[FrameJob], nets: FaceNets
) -> Iterator[Session]:
    """A session over all frames (in order), ready to `run`; leaving the block ends it with
    everything that has begun finished and kept.

    Raises `InputError` for a timeline that cannot be used, and `ConfirmationNeeded` before anything
    is changed where pictures of others are in the way.
    """
    frames = with_motion(frames)
    stems, path = [frame.stem for frame in frames], _timeline_path(context)
    kept = read_timeline(path, stems)
    timeline = kept or _first_timeline(context, stems)
    settings = FrameSettings(frames, nets.predictor.resolution)
    outputs = Outputs.of(context.workspace.dst)
    with ExitStack() as parts:
        nets = parts.enter_context(_nets(context, nets))
        rendered = parts.enter_context(
            _rendered(context, frames, nets, outputs, partial(settings.at, timeline))
        )
        keeper = parts.enter_context(TimelineKeeper(path, stems, kept))
        files = parts.enter_context(PictureFiles(context.run_dir))
        store = parts.enter_context(closing(_store(context, frames, nets)))
        painter = parts.enter_context(closing(Painter(nets, context.wake)))
        strip = parts.enter_context(closing(Strip(files, context.tell, context.wake)))
        render = partial(_render, context, nets, outputs)
        session = Session(
            context,
            Desk(len(frames), History(timeline)),
            settings.at,
            store,
            Screen(frames, store, painter, files, partial(_tell_when_kept, context, keeper)),
            Output(outputs, rendered, render, context.wake),
            keeper,
            StateFeed(context, rendered),
            strip,
            parts.enter_context(_shot_search(context, frames)) if kept is None else None,
        )
        with closing(session):
            yield session


@contextmanager
def _nets(context: StageContext, nets: FaceNets) -> Iterator[FaceNets]:
    """The nets for all threads of the session, what the model predicts kept on disk."""
    shared = shared_nets(nets)
    limit_bytes = context.options["spill_mb"] * 1_000_000
    kept = KeptPredictions(shared.predictor, context.run_dir, limit_bytes)
    with closing(kept):
        yield replace(shared, predictor=kept)


@contextmanager
def _shot_search(context: StageContext, frames: Sequence[FrameJob]) -> Iterator[ShotSearch | None]:
    """Shots are looked for where there is no timeline yet; later they are as they were left."""
    if not context.options["shots"]:
        yield None
        return
    cache = context.workspace.stage_state / SHOTS_NAME
    paths = [frame.path for frame in frames]
    with closing(ShotSearch(paths, cache, context.wake)) as search:
        yield search


def _timeline_path(context: StageContext) -> Path:
    return timeline_path(
        context.workspace, context.options["model"], context.options["model_class"]
    )


def _first_timeline(context: StageContext, stems: Sequence[str]) -> Timeline:
    """What DeepFaceLab's session of the model holds, if there is one; else the default look."""
    name, kind = context.options["model"], model_spec(context.options["model_class"])
    path = dfl_session_path(context.workspace, name, kind.dfl_class)
    if not path.is_file():
        return Timeline()
    try:
        session = read_dfl_session(path, stems)
    except InputError as error:
        context.warn(error.message, error.remedy)
        return Timeline()
    for problem in session.problems:
        context.warn(f"{path.name}: {problem}", "the default is taken; set it anew")
    context.note(f"looks are taken over from {path}")
    return session.timeline


@contextmanager
def _rendered(
    context: StageContext,
    frames: Sequence[FrameJob],
    nets: FaceNets,
    outputs: Outputs,
    settings_of: SettingsOf,
) -> Iterator[RenderedFrames]:
    """What earlier runs rendered that is as it would be now, found as `merge` finds it; what is in
    the way is moved to the trash."""
    ledger = Ledger.of(context.workspace)
    key_of, from_what = partial(job_key, nets=nets), partial(origin_of, nets=nets)
    rendered = RenderedFrames(frames, ledger, key_of, from_what)
    keys = rendered.keys(settings_of)
    finished = set() if context.options["fresh"] else finished_frames(ledger, outputs, keys)
    stems = {frame.stem for frame in frames}
    clear_the_way(context, ledger, outputs, stems)
    ledger.begin(stems, finished)
    rendered.know(finished, settings_of)
    with ledger:
        yield rendered


def _store(
    context: StageContext, frames: Sequence[FrameJob], nets: FaceNets
) -> FrameStore[PreparedFrame]:
    def load(number: int) -> PreparedFrame:
        return prepare(frames[number], nets)

    def stamp(number: int) -> object:
        return file_stamp(frames[number].path)

    return FrameStore(load, context.options["cache_mb"] * 1_000_000, context.wake, stamp)


def _render(
    context: StageContext, nets: FaceNets, outputs: Outputs, jobs: Sequence[RenderJob]
) -> Renderings:
    threads = thread_count(context.options["workers"], jobs)
    return Renderer(nets, outputs, threads).render(jobs)


def _tell_when_kept(context: StageContext, keeper: TimelineKeeper, event: Event, to: int) -> None:
    """What viewers see as done survives a kill: an edit is on disk before its picture is told."""
    try:
        keeper.wait()
    except FacewrightError as error:
        context.warn(error.message, error.remedy)
    context.tell(event, to)
