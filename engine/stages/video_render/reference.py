"""What the result takes over from data_dst.*: timing, aspect, colour tags, size, sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from engine.media.frame_record import read_record, source_of
from engine.media.timing import Timing, constant, timing_of
from engine.media.video_colour import UNTAGGED, VideoColour
from engine.media.video_read import VideoReader, open_video
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images
from engine.stages.side_video import side_video
from engine.stages.video_render.kinds import Kind


@dataclass(frozen=True)
class Reference:
    """`video` is None where the workspace has none. start_s: when its first frame is shown, counted
    from the start of the file. audio_codecs: by track, "" for one that cannot be decoded."""

    timing: Timing
    video: Path | None = None
    sample_aspect: Fraction = Fraction(1)
    start_s: Fraction = Fraction(0)
    size_px: tuple[int, int] | None = None
    colour: VideoColour = UNTAGGED
    audio_codecs: tuple[str, ...] = ()


def reference_of(context: StageContext, kind: Kind) -> Reference:
    """What data_dst.* says; without it the rate of the option `fps`. Raises `InputError` for a
    video that cannot be read or whose variable rate `kind` cannot hold."""
    dst = context.workspace.dst
    video = side_video(context, dst)
    if video is None:
        rate_hz = Fraction(context.options["fps"]).limit_denominator(1001)
        context.note(f"no video data_dst.*: {rate_hz} frames per second and no sound")
        return Reference(constant(_frames_without_video(dst), rate_hz))
    with open_video(video) as reader:
        facts = reader.facts
        timing = _timing(context, video, reader)
    if timing.rate_hz is None and not kind.variable_rate:
        raise InputError(
            f"{video.name} has a variable frame rate, which {kind.suffix[1:]} cannot hold",
            "choose another kind, for example --kind mp4",
        )
    return Reference(
        timing,
        video,
        facts.sample_aspect,
        facts.start_s,
        (facts.width_px, facts.height_px),
        facts.colour,
        facts.audio_codecs,
    )


def _frames_without_video(dst: Side) -> int:
    return len({path.stem for path in list_images(dst.frames)}) or len(list_images(dst.merged))


def _timing(context: StageContext, video: Path, reader: VideoReader) -> Timing:
    """From the record of the extraction if it is of this very video, else by decoding it all."""
    record = read_record(context.workspace, "dst")
    if record and record.settings.source == source_of(video) and not record.settings.fps:
        timing = record.exact_timing()
        if timing is not None:
            return timing
    pts = []
    for frame in reader.frames():
        context.check_stop()
        pts.append(frame.pts)
        context.progress(len(pts), reader.facts.guessed_frames, note="reading data_dst's timing")
    return timing_of(pts, reader.facts.time_base, reader.facts.rates_hz)
