"""The stage `video-extract`: every presented frame of a side's video as a numbered picture."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path

from engine.media.bounded_pool import BoundedPool, pool_threads
from engine.media.frame_record import (
    FrameRecord,
    Settings,
    new_record,
    read_record,
    source_of,
    write_record,
)
from engine.media.images import encode_image, write_image
from engine.media.timing import Sampler, Timing, constant, timing_of
from engine.media.video_read import TimedFrame, VideoFacts, VideoReader, count_packets, open_video
from engine.protocol.errors import InputError, UsageError
from engine.protocol.files import sweep_parts
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, make_folder
from engine.stages.side_video import side_video
from engine.stages.video_extract.plan import (
    Plan,
    frame_name,
    plan_extraction,
    require_confirmation,
    require_writable,
)

_FEWEST_DIGITS = 5  # DFL's %05d
# From here on the exact number of packets decides how many digits sort as text.
_COUNT_FROM_FRAMES = 90_000
_ENDS_EARLY_S, _ENDS_EARLY_SHARE = 1.0, 0.02  # less than that is how headers round


@dataclass
class _Job:
    """One extraction under way. `pts` grows with every frame kept, in units of the time base."""

    context: StageContext
    side: Side
    record: FrameRecord
    plan: Plan
    guessed_frames: int | None
    pts: list[int] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.record.settings

    def path(self, number: int) -> Path:
        name = frame_name(number, self.record.digits, f".{self.settings.format}")
        return self.side.frames / name


def extract_video(context: StageContext) -> None:
    """Write the frames of `data_SIDE.*` to `data_SIDE/`, going on where an earlier run stopped.

    Raises `InputError` for a bad video or a disk too small, `ConfirmationNeeded` when other frames
    are in the way, both before anything is written; `Stopped` with all finished frames kept.
    """
    side = context.workspace.side(context.options["side"])
    _refuse_sampled_dst(context)
    video = _video_of(context, side)
    settings = _settings(context, video)
    record = read_record(context.workspace, side.name)
    plan = plan_extraction(side, settings, record, context.options["fresh"])
    require_confirmation(plan, side, context.confirmed)
    require_writable(side)
    if plan.complete and record is not None:
        _report_complete(context, side, record)
        return
    with open_video(video) as reader:
        job = _prepare(context, side, plan, settings, reader)
        timing = _write_frames(job, reader)
    _finish(job, reader, timing)


def _refuse_sampled_dst(context: StageContext) -> None:
    if context.options["side"] == "dst" and context.options["fps"] != 0:
        raise UsageError(
            f"--fps {context.options['fps']:g} with --side dst: the result is made from the dst"
            " frames, so all of them must be there",
            "leave --fps out, or use it with --side src",
        )


def _video_of(context: StageContext, side: Side) -> Path:
    video = side_video(context, side)
    if video is None:
        raise InputError(
            f"no video data_{side.name}.* in {side.root}",
            f"put the video there as data_{side.name}.mp4 (or .mov, .mkv, ...)",
            code="no-video",
        )
    return video


def _settings(context: StageContext, video: Path) -> Settings:
    options = context.options
    quality = "jpeg_quality" if options["format"] == "jpg" else "png_compression"
    return Settings(source_of(video), options["fps"], options["format"], options[quality])


def _prepare(
    context: StageContext, side: Side, plan: Plan, settings: Settings, reader: VideoReader
) -> _Job:
    """All that can be refused is refused here; then old frames leave and the record is laid."""
    facts = reader.facts
    guessed = _guess_frames(facts, settings.fps)
    digits = _digits(facts, settings, guessed, context.check_stop)
    record = new_record(settings, facts, digits)
    job = _Job(context, side, record, plan, guessed)
    _require_room(job, reader)
    _tell_oddities(context, facts, plan)
    if plan.replaced:
        trash = context.workspace.move_to_trash(list(plan.replaced), f"video-extract-{side.name}")
        context.note(f"{len(plan.replaced)} earlier frames moved to {trash}")
    make_folder(side.frames)
    sweep_parts(side.frames)
    write_record(context.workspace, side.name, record)
    return job


def _guess_frames(facts: VideoFacts, fps: float) -> int | None:
    if fps and facts.duration_s:
        return round(min(facts.duration_s * Fraction(fps), facts.guessed_frames or float("inf")))
    return facts.guessed_frames


def _digits(
    facts: VideoFacts, settings: Settings, guessed: int | None, check_stop: Callable[[], None]
) -> int:
    """So many that the names of all frames sort as text in the frames' order."""
    if guessed is not None and guessed < _COUNT_FROM_FRAMES:
        return _FEWEST_DIGITS
    if settings.fps and guessed is not None:
        most = guessed
    else:
        most = count_packets(facts.path, check_stop)
    return max(_FEWEST_DIGITS, len(str(most + 1)))


def _require_room(job: _Job, reader: VideoReader) -> None:
    """Refuse if frames of half the first one's size would not fit; warn if it looks tight."""
    if job.guessed_frames is None:
        return
    left = max(0, job.guessed_frames - len(job.plan.present))
    quality = job.settings.quality
    first = encode_image(
        reader.first_bgr_u8(),
        f".{job.settings.format}",
        jpeg_quality=quality,
        png_level=quality,
    )
    needed_bytes = len(first) * left
    free_bytes = shutil.disk_usage(job.context.workspace.root).free
    figures = (
        f"about {_size_text(needed_bytes)} for {left} frames, {_size_text(free_bytes)} are free"
    )
    remedy = "make room, or choose --format jpg, which takes about a tenth"
    if needed_bytes / 2 > free_bytes:
        raise InputError(f"the disk is too small: {figures}", remedy, code="disk-full")
    if needed_bytes > free_bytes:
        job.context.warn(f"the disk may become full: {figures}", remedy)


def _size_text(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def _tell_oddities(context: StageContext, facts: VideoFacts, plan: Plan) -> None:
    if facts.interlaced:
        context.warn(
            "the video is interlaced: frames show combs where something moves",
            "deinterlace the video first",
        )
    if facts.sample_aspect != 1:
        context.warn(
            f"the video's pixels are not square ({facts.sample_aspect}): frames look squeezed, the"
            " result will be shown with the same aspect"
        )
    if facts.hdr:
        context.warn(
            f"the video is HDR ({facts.hdr}): frames will look flat",
            "convert the video to standard range first",
        )
    if plan.others:
        context.warn(
            f"{plan.others} pictures with other names in the frames folder stay; they count as"
            " frames for the next stages"
        )


def _write_frames(job: _Job, reader: VideoReader) -> Timing:
    """Decode all, write those that are missing. Returns the kept frames' timing."""
    with BoundedPool(pool_threads()) as pool:
        for number, frame in enumerate(_kept(job.settings.fps, reader.frames()), start=1):
            job.context.check_stop()
            job.pts.append(frame.pts)
            if number not in job.plan.present:
                pool.submit(partial(_write, job.path(number), frame, job.settings.quality))
            _tell_progress(job, number - pool.unfinished)
    if job.settings.fps:
        return constant(len(job.pts), Fraction(job.settings.fps).limit_denominator(1000))
    return timing_of(job.pts, reader.facts.time_base, reader.facts.rates_hz)


def _kept(fps: float, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
    if not fps:
        return frames
    sampler = Sampler(Fraction(fps).limit_denominator(1000))
    return (frame for frame in frames if sampler.keeps(frame.time_s))


def _write(path: Path, frame: TimedFrame, quality: int) -> None:
    write_image(path, frame.to_bgr_u8(), jpeg_quality=quality, png_level=quality)


def _tell_progress(job: _Job, done: int) -> None:
    total = job.guessed_frames
    skipped = min(done, len(job.plan.present))
    job.context.progress(done, max(total, done) if total else None, skipped=skipped)


def _finish(job: _Job, reader: VideoReader, timing: Timing) -> None:
    context = job.context
    write_record(context.workspace, job.side.name, job.record.with_timing(timing))
    context.progress(timing.frames, timing.frames, skipped=len(job.plan.present))
    _tell_damage(context, reader, timing)
    _report(context, job.side, job.record, timing, written=timing.frames - len(job.plan.present))


def _tell_damage(context: StageContext, reader: VideoReader, timing: Timing) -> None:
    if reader.damage:
        context.warn(
            f"the video is damaged ({len(reader.damage)} places, the first: {reader.damage[0]});"
            f" {timing.frames} frames could be read",
            "compare the last frame with the video's end",
        )
    last_s, claimed_s = float(reader.last_time_s), float(reader.facts.duration_s or 0)
    if last_s < claimed_s - max(_ENDS_EARLY_S, claimed_s * _ENDS_EARLY_SHARE):
        context.warn(
            f"the video seems to be cut off: its last frame is at {last_s:.1f} s, its header says"
            f" {claimed_s:.1f} s",
            "compare the last frame with the video's end",
        )


def _report_complete(context: StageContext, side: Side, record: FrameRecord) -> None:
    timing = record.exact_timing()
    if timing is None:
        raise ValueError("a complete plan needs a complete record")
    context.note(f"all {timing.frames} frames are there already: nothing to do")
    context.progress(timing.frames, timing.frames, skipped=timing.frames)
    _report(context, side, record, timing, written=0)


def _report(
    context: StageContext, side: Side, record: FrameRecord, timing: Timing, *, written: int
) -> None:
    context.result(
        frames=timing.frames,
        written=written,
        size=f"{record.width_px}x{record.height_px}",
        rate=str(timing.rate_hz) if timing.rate_hz else "variable",
        folder=str(side.frames),
    )
