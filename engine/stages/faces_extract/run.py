"""The stage `faces-extract`: frames in, aligned faces with DFL's metadata out.

Faces are found in this process (one thread reads ahead, one runs the nets), by dlib's detectors in
processes of their own, and followed from frame to frame here; landmarks, crops and files are made
in worker processes at the same time. FAN's landmarks are placed here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain

from engine.detect.detection import BoxLtrb, Detection
from engine.detect.holes import holes_filled
from engine.detect.tracks import TrackedFrame, without_false_faces
from engine.protocol.errors import InputError
from engine.protocol.files import disk_error, sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.trash import TrashCopies
from engine.protocol.workspace import make_folder
from engine.stages.faces_extract.cut import CutJob, finish_frame, start_cutter
from engine.stages.faces_extract.detectors import Weights, read_weights
from engine.stages.faces_extract.find import FrameFinder
from engine.stages.faces_extract.frame_search import tracked_frames
from engine.stages.faces_extract.marking import FrameMarking
from engine.stages.faces_extract.plan import Plan, plan_extraction
from engine.stages.faces_extract.records import DoneFrame, FoundFrame, found_file

# A worker holds dlib's model and some frames: 250 MB with HD frames.
MOST_WORKERS = 16
NAMED_AT_MOST = 20


@dataclass
class _Tally:
    """What came of the frames: those finished before, and of this run."""

    finished_before: int
    faces: int = 0
    without_face: int = 0
    profiles: int = 0
    dropped: int = 0
    finished: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, frame: DoneFrame) -> None:
        self.faces += len(frame.faces)
        self.without_face += not frame.faces
        self.profiles += sum(face.is_profile for face in frame.faces)
        self.dropped += frame.dropped


def run(context: StageContext) -> None:
    """Extract the faces of a side's frames, going on where an earlier run stopped.

    Raises `InputError` without frames, when no frame can be read, or when the disk is full;
    `ConfirmationNeeded` when faces made otherwise are in the way; `Stopped` with all finished
    frames kept.
    """
    plan = plan_extraction(context)
    # Before anything is moved: it may not be there.
    weights = _weights(context, plan)
    _clear_the_way(context, plan)
    tally = _Tally(len(plan.finished))
    for frame in plan.finished.values():
        tally.count(frame)
    started = time.monotonic()
    with FrameMarking(context.workspace, plan) as marking:
        _extract(context, plan, weights, tally, marking)
    _tell_frames_without_face(context, plan, tally)
    _report(context, plan, tally, time.monotonic() - started)


def _weights(context: StageContext, plan: Plan) -> Weights:
    if len(plan.finished) == len(plan.frames):
        return {}
    return read_weights(plan.settings, context.options["weights"], context.workspace)


def _clear_the_way(context: StageContext, plan: Plan) -> None:
    for twin in plan.twins:
        context.warn(
            f"{twin.name} is left out: another frame has the same name but for the ending",
            "rename it if it is another picture",
        )
    if plan.replaced:
        label = f"faces-extract-{plan.side.name}"
        trash = context.workspace.move_to_trash(list(plan.replaced), label)
        context.note(f"earlier faces moved to {trash}")
    for folder in (plan.side.aligned, plan.side.aligned_debug):
        make_folder(folder)
        sweep_parts(folder)
    _keep_earlier(context, plan)
    if plan.side.pack.is_file():
        context.warn(
            f"{plan.side.pack} hides the faces beside it from the next stages",
            "unpack it, or move it away",
        )


def _keep_earlier(context: StageContext, plan: Plan) -> None:
    """Put faces that may be replaced into the trash, too; they go when others were found."""
    copies = TrashCopies(context.workspace, f"faces-extract-{plan.side.name}")
    for path in chain.from_iterable((plan.earlier or {}).values()):
        context.check_stop()
        copies.keep(path)
    if copies.folder is not None:
        context.note(f"earlier faces are kept in {copies.folder}")


def _extract(
    context: StageContext, plan: Plan, weights: Weights, tally: _Tally, marking: FrameMarking
) -> None:
    total, before = len(plan.frames), tally.finished_before
    context.progress(before, total, skipped=before)
    if before == total:
        context.note(f"the faces of all {total} frames are extracted already: nothing to do")
        return
    with ExitStack() as stack:
        done_file = stack.enter_context(plan.done)
        jobs = stack.enter_context(closing(_jobs(context, plan, weights)))
        outcomes = context.map_in_processes(
            finish_frame,
            jobs,
            processes=_processes(context),
            initializer=start_cutter,
            initargs=(plan.settings, plan.side.aligned, plan.side.aligned_debug),
        )
        for outcome in outcomes:
            if outcome.problem:
                _tell_problem(context, tally, outcome)
            else:
                done_file.add(outcome)
                tally.count(outcome)
                marking.saw(outcome)
                _remove_earlier(plan, outcome)
            tally.finished += 1
            context.progress(before + tally.finished, total, skipped=before)


def _remove_earlier(plan: Plan, outcome: DoneFrame) -> None:
    """Remove the faces that the frame had, where it has others now."""
    if not plan.is_again or not outcome.faces:
        return
    written = {face.file for face in outcome.faces}
    for path in (plan.earlier or {}).get(outcome.frame, ()):
        if path.name not in written:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise disk_error(error, path) from error


def _jobs(context: StageContext, plan: Plan, weights: Weights) -> Generator[CutJob, None, None]:
    """The frames that are left to do, with their faces if they are found here."""
    settings = plan.settings.find
    paths = {path.name: path for path in plan.frames}
    known = found_file(context.workspace, plan.side.name, settings, again=plan.is_again)
    if plan.fresh:
        known.forget()

    with (
        known as file,
        FrameFinder(context, plan.settings, weights, file, _processes(context)) as finder,
        closing(finder.found(plan.frames)) as found,
    ):
        for tracked in _followed(plan, tracked_frames(found), finder):
            frame = tracked.label
            if frame.frame not in plan.finished:
                path = paths[frame.frame]
                landmarks = finder.landmarks(path, tracked.faces)
                yield CutJob(
                    path,
                    tracked.faces,
                    tracked.dropped,
                    frame.problem,
                    landmarks,
                    tracked.is_judged,
                )


def _followed(
    plan: Plan, frames: Iterator[TrackedFrame[FoundFrame]], finder: FrameFinder
) -> Iterator[TrackedFrame[FoundFrame]]:
    """The frames with the faces that their tracks say, if faces are to be followed."""
    if not plan.settings.follow_faces:
        return frames
    paths = {path.name: path for path in plan.frames}

    def seek(frame: FoundFrame, expected: list[BoxLtrb]) -> list[Detection]:
        return finder.seek(paths[frame.frame], frame, expected)

    if plan.settings.find.detector == "mtcnn":  # the scores by which false tracks are told
        frames = without_false_faces(frames)
    # Holes are filled last: finds of a closer look must not make a false track a lasting one.
    return holes_filled(frames, seek)


def _processes(context: StageContext) -> int:
    wanted: str = context.options["workers"]
    return int(wanted) if wanted != "auto" else min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def _tell_problem(context: StageContext, tally: _Tally, outcome: DoneFrame) -> None:
    tally.problems.append(outcome.problem)
    if len(tally.problems) <= NAMED_AT_MOST:
        context.warn(f"{outcome.frame} is left out: {outcome.problem}", "replace or remove it")


def _tell_frames_without_face(context: StageContext, plan: Plan, tally: _Tally) -> None:
    if tally.without_face:
        side = plan.side.name
        context.note(
            f"{tally.without_face} of {len(plan.frames)} frames show no face and are marked: try"
            f" faces-extract --side {side} --frames without-faces --detector ..., or place the"
            f" faces by hand with faces-manual --side {side}"
        )


def _report(context: StageContext, plan: Plan, tally: _Tally, seconds: float) -> None:
    unreadable = len(tally.problems)
    if unreadable == len(plan.frames):
        raise InputError(
            f"none of the {unreadable} frames can be read; the first: {tally.problems[0]}",
            "replace the frames, or extract them from the video again",
            code="bad-picture",
        )
    if tally.profiles:
        context.warn(
            f"{tally.profiles} of {tally.faces} faces are turned to the side by 60 degrees"
            " or more: their landmarks are guesses",
            "look at them, and remove from src what is cut wrongly",
        )
    context.result(
        frames=len(plan.frames),
        faces=tally.faces,
        frames_without_face=tally.without_face,
        unreadable=unreadable,
        dropped_faces=tally.dropped,
        profile_faces=tally.profiles,
        kept_frames=tally.finished_before,
        frames_per_s=round(tally.finished / seconds, 2) if tally.finished else None,
        folder=str(plan.side.aligned),
    )
