"""The stage `video-render`: merged frames to a video with the destination's timing and sound."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from engine.media.bounded_pool import pool_threads
from engine.media.frame_record import read_record, source_of
from engine.media.read_ahead import images_ahead
from engine.media.timing import Timing, constant, timing_of
from engine.media.video_read import VideoReader, open_video
from engine.media.video_write import Encoding, Sound, VideoWriter
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import PART, replacing
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images
from engine.stages.video_render.frames import common_size_px, complete_frames, expected_stems
from engine.stages.video_render.kinds import KINDS, Kind, lossless_h264, sound_of


@dataclass(frozen=True)
class _Reference:
    """What the result takes over from data_dst.*"""

    timing: Timing
    sample_aspect: Fraction = Fraction(1)
    start_s: Fraction = Fraction(0)
    sound: Sound | None = None
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Film:
    """One video to be written."""

    target: Path
    images: Sequence[Path]
    size_px: tuple[int, int]
    encoding: Encoding
    sound: Sound | None


def render_video(context: StageContext) -> None:
    """Make `result.*` (and `result_mask.*`) from the merged frames.

    Raises `InputError` when frames are missing, differ in size or cannot be read,
    `ConfirmationNeeded` when a result is there, `StageError` when ffmpeg fails; in each case, and
    when stopped, no file has changed.
    """
    kind = KINDS[context.options["kind"]]
    _require_merged(context.workspace.dst)
    _require_confirmation(context, kind)
    reference = _reference(context, kind)
    films = _films(context, kind, reference)
    _sweep(context.workspace.root)
    _write(context, reference, films)
    _report(context, reference, films)


def _require_merged(dst: Side) -> None:
    if not list_images(dst.merged):
        raise InputError(f"no merged frames in {dst.merged}", "run merge first", code="no-merged")


def _targets(context: StageContext, kind: Kind) -> tuple[Path, Path]:
    root = context.workspace.root
    return root / f"result{kind.suffix}", root / f"result_mask{kind.suffix}"


def _wants_mask(context: StageContext) -> bool:
    return context.options["mask"] and bool(list_images(context.workspace.dst.merged_mask))


def _require_confirmation(context: StageContext, kind: Kind) -> None:
    result, mask = _targets(context, kind)
    replaced = [path for path in (result, mask) if path.exists()]
    if not _wants_mask(context):
        replaced = [path for path in replaced if path != mask]
    if replaced and not context.confirmed:
        names = " and ".join(path.name for path in replaced)
        raise ConfirmationNeeded(
            f"{names} is there already in {context.workspace.root}",
            "confirm (--yes) to move it to the workspace's trash when the new one is whole",
        )


def _reference(context: StageContext, kind: Kind) -> _Reference:
    """Timing, aspect and sound of data_dst.*; without it the option `fps` and no sound."""
    dst = context.workspace.dst
    video = dst.video()
    if video is None:
        rate_hz = Fraction(context.options["fps"]).limit_denominator(1001)
        context.note(f"no video data_dst.*: {rate_hz} frames per second and no sound")
        return _Reference(constant(_frames_without_video(dst), rate_hz))
    with open_video(video) as reader:
        facts = reader.facts
        timing = _timing(context, video, reader)
        wanted = context.options["audio"]
        sound = sound_of(kind, video, facts.audio_codecs, facts.start_s) if wanted else None
    if wanted and facts.audio_codecs and sound is None:
        context.warn(f"the sound of {video.name} cannot be decoded: the result has none")
    if timing.rate_hz is None and not kind.variable_rate:
        raise InputError(
            f"{video.name} has a variable frame rate, which {kind.suffix[1:]} cannot hold",
            "choose another kind, for example --kind mp4",
        )
    start_s = facts.start_s if kind.delayed_start and sound else Fraction(0)
    size_px = (facts.width_px, facts.height_px)
    return _Reference(timing, facts.sample_aspect, start_s, sound, size_px)


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


def _films(context: StageContext, kind: Kind, reference: _Reference) -> list[_Film]:
    """The result and, if wanted, its mask; refused unless each has all its frames in one size."""
    dst, options = context.workspace.dst, context.options
    stems = expected_stems(dst.frames, reference.timing.frames)
    merged = complete_frames(dst.merged, stems)
    size_px = common_size_px(merged, context.check_stop)
    if reference.size_px not in (None, size_px):
        context.warn(f"merged frames are {_by(size_px)}, data_dst is {_by(reference.size_px)}")
    result, mask = _targets(context, kind)
    films = [_Film(result, merged, size_px, kind.encode(options, *size_px), reference.sound)]
    if _wants_mask(context):
        masks = complete_frames(dst.merged_mask, stems)
        mask_px = common_size_px(masks, context.check_stop)
        lossless = KINDS["mov-lossless"].encode if kind.suffix == ".mov" else lossless_h264
        films.append(_Film(mask, masks, mask_px, lossless(options, *mask_px), None))
    return films


def _by(size_px: tuple[int, int] | None) -> str:
    return "x".join(map(str, size_px or ()))


def _sweep(root: Path) -> None:
    """Remove what a killed render left half-written."""
    for part in root.glob(f".result*{PART}*"):
        part.unlink()


def _write(context: StageContext, reference: _Reference, films: Sequence[_Film]) -> None:
    """Write all films beside their targets; only when all are whole they take their places."""
    with ExitStack() as stack:
        parts = [stack.enter_context(replacing(film.target)) for film in films]
        progress = _Progress(context, total=sum(len(film.images) for film in films))
        for film, part in zip(films, parts, strict=True):
            _encode(context, reference, film, part, progress)
        old = [film.target for film in films if film.target.exists()]
        if old:
            trash = context.workspace.move_to_trash(old, "video-render")
            context.note(f"the earlier {' and '.join(path.name for path in old)} is in {trash}")


@dataclass
class _Progress:
    context: StageContext
    total: int
    done: int = 0

    def frame_of(self, film: _Film) -> None:
        self.done += 1
        self.context.progress(self.done, self.total, note=film.target.name)


def _encode(
    context: StageContext, reference: _Reference, film: _Film, part: Path, progress: _Progress
) -> None:
    writer = VideoWriter(
        part,
        width_px=film.size_px[0],
        height_px=film.size_px[1],
        timing=reference.timing,
        encoding=film.encoding,
        sample_aspect=reference.sample_aspect,
        start_s=reference.start_s if film.sound else Fraction(0),
        sound=film.sound,
    )
    with writer, closing(images_ahead(film.images, threads=pool_threads())) as images:
        for image in images:
            context.check_stop()
            writer.write(image)
            progress.frame_of(film)
        writer.finish(context.check_stop)


def _report(context: StageContext, reference: _Reference, films: Sequence[_Film]) -> None:
    timing = reference.timing
    context.result(
        result=str(films[0].target),
        mask=str(films[1].target) if len(films) > 1 else None,
        frames=timing.frames,
        rate=str(timing.rate_hz) if timing.rate_hz else "variable",
        sound=" ".join(films[0].sound.arguments) if films[0].sound else "none",
    )
