"""Which look each frame has: the timeline's, or the one that the options describe for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.merge.compose import FrameLooks, raw_square_px
from engine.protocol.errors import InputError
from engine.protocol.look import Look
from engine.protocol.look_options import LOOK_FIELDS
from engine.protocol.stage import StageContext
from engine.protocol.timeline import Timeline
from engine.protocol.timeline_file import read_timeline, timeline_path
from engine.stages.merge.plan import FrameJob, RenderJob
from engine.stages.merge.spec import AUTO, NO_TIMELINE


def chosen_timeline(context: StageContext, stems: Sequence[str]) -> Timeline:
    """The timeline over the frames named `stems` that the options name. Raises `InputError` for a
    file that is not there or cannot be used."""
    options, chosen = context.options, str(context.options["timeline"])
    own = Timeline(default=Look.from_options(options))
    if chosen == NO_TIMELINE:
        return own
    path = Path(chosen)
    if chosen == AUTO:
        path = timeline_path(context.workspace, options["model"], options["model_class"])
    timeline = read_timeline(path, stems)
    if timeline is None:
        if chosen == AUTO:
            return own
        raise InputError(f"there is no timeline {path}", "give the file's path, or auto, or none")
    context.note(f"looks are those of {path}")
    _warn_of_unused(context)
    return timeline


def render_jobs(
    frames: Sequence[FrameJob],
    tracks: Sequence[Sequence[str]],
    timeline: Timeline,
    resolution: int,
) -> list[RenderJob]:
    """All frames, in order, with their looks. tracks: of each frame's faces."""
    looks = [FrameLooks.at(timeline, number, of_faces) for number, of_faces in enumerate(tracks)]
    square_px = raw_square_px((look for of_frame in looks for look in of_frame.used), resolution)
    return [
        RenderJob(frame, of_frame, square_px) for frame, of_frame in zip(frames, looks, strict=True)
    ]


def _warn_of_unused(context: StageContext) -> None:
    given = [
        option.name
        for option in LOOK_FIELDS
        if context.options.get(option.name, option.default) != option.default
    ]
    if given:
        context.warn(
            f"not used, because the timeline says how frames look: {', '.join(given)}",
            "add --timeline none to give all frames the look of the options",
        )
