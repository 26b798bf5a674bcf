"""The stage `merge`: dst frames with the model's faces in them, and their masks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from engine.merge.face_nets import FaceNets
from engine.merge.tracks import face_tracks
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.stages.merge.chosen_nets import chosen_nets
from engine.stages.merge.ledger import Ledger
from engine.stages.merge.looks import chosen_timeline, render_jobs
from engine.stages.merge.outputs import Outputs, clear_the_way, finished_frames
from engine.stages.merge.plan import (
    FrameJob,
    RenderJob,
    collect_jobs,
    job_key,
    listed,
    origin_of,
    with_motion,
)
from engine.stages.merge.render import Renderer, Rendering, Unreadable, thread_count


@dataclass
class _Tally:
    """What became of the frames so far. `kept` were rendered by an earlier run."""

    frames: int
    kept: int
    rendered: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.kept + self.rendered + len(self.unreadable)


def run(context: StageContext) -> None:
    """Merge all dst frames with the trained model that the options name."""
    frames = collect_jobs(context)
    merge_frames(context, frames, chosen_nets(context))


def merge_frames(context: StageContext, frames: Sequence[FrameJob], nets: FaceNets) -> None:
    """Render the frames that are not rendered yet as they would be now.

    Raises `ConfirmationNeeded` before anything is changed where pictures of others are in the way,
    `InputError` when a net is not there, frames could not be read (after all others are rendered)
    or the disk is full, `Stopped` with all finished frames kept.
    """
    jobs = _with_looks(context, frames, nets)
    outputs, ledger = Outputs.of(context.workspace.dst), Ledger.of(context.workspace)
    keys = {job.stem: job_key(job, nets) for job in jobs}
    finished = set() if context.options["fresh"] else finished_frames(ledger, outputs, keys)
    clear_the_way(context, ledger, outputs, keys.keys())
    ledger.begin(keys, finished)
    tally = _Tally(len(jobs), kept=len(finished))
    left = [job for job in jobs if job.stem not in finished]
    renderer = Renderer(nets, outputs, thread_count(context.options["workers"], left))
    started = time.monotonic()
    with ledger:
        _render(context, renderer, left, ledger, keys, tally)
    _report(context, frames, outputs, tally, time.monotonic() - started)
    _require_whole(tally)


def _with_looks(
    context: StageContext, frames: Sequence[FrameJob], nets: FaceNets
) -> list[RenderJob]:
    timeline = chosen_timeline(context, [frame.stem for frame in frames])
    tracks = face_tracks([frame.landmarks for frame in frames], timeline.cuts)
    jobs = render_jobs(with_motion(frames), tracks, timeline, nets.predictor.resolution)
    squares = sum(job.looks.is_raw_predict for job in jobs)
    if 0 < squares < len(jobs):
        context.warn(
            f"{squares} of {len(jobs)} frames are raw-predict's squares, and of another size than"
            " the other frames",
            "choose one kind for all frames that become one video",
        )
    return jobs


def _render(
    context: StageContext,
    renderer: Renderer,
    jobs: Sequence[RenderJob],
    ledger: Ledger,
    keys: dict[str, str],
    tally: _Tally,
) -> None:
    context.progress(tally.done, tally.frames, skipped=tally.kept)
    with closing(renderer.render(jobs)) as renderings:
        for outcome in renderings:
            if isinstance(outcome, Unreadable):
                tally.unreadable.append(outcome)
            else:
                _record(outcome, renderer.nets, ledger, keys, tally)
            context.progress(tally.done, tally.frames, skipped=tally.kept)
            context.check_stop()


def _record(
    outcome: Rendering, nets: FaceNets, ledger: Ledger, keys: dict[str, str], tally: _Tally
) -> None:
    job = outcome.job
    ledger.add(outcome.line(keys[job.stem], origin_of(job, nets)))
    tally.rendered += 1


def _report(
    context: StageContext,
    frames: Sequence[FrameJob],
    outputs: Outputs,
    tally: _Tally,
    seconds: float,
) -> None:
    if not tally.rendered and not tally.unreadable:
        context.note(f"all {tally.frames} frames are merged already: nothing to do")
    context.result(
        frames=tally.frames,
        rendered=tally.rendered,
        kept=tally.kept,
        unreadable=len(tally.unreadable),
        faces=sum(len(frame.landmarks) for frame in frames),
        frames_without_faces=sum(not frame.landmarks for frame in frames),
        frames_with_several_faces=sum(len(frame.landmarks) > 1 for frame in frames),
        frames_per_second=round(tally.rendered / seconds, 2) if tally.rendered else None,
        folder=str(outputs.merged),
    )


def _require_whole(tally: _Tally) -> None:
    """Raises `InputError` naming the frames that could not be merged."""
    if not tally.unreadable:
        return
    reasons = [outcome.error.message for outcome in tally.unreadable]
    raise InputError(
        f"{len(reasons)} of {tally.frames} frames are not merged: {listed(reasons)}",
        "replace or remove these frames and start merge again: it renders only what is missing",
        code="bad-picture",
    )
