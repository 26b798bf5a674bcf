"""The stage `video-cut`: a piece of a video, exact to the frame, beside the original."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from engine.media.ffmpeg import Ffmpeg
from engine.media.video_read import VideoFacts, open_video
from engine.protocol.errors import ConfirmationNeeded, InputError, UsageError
from engine.protocol.files import PART, disk_error, replacing
from engine.protocol.stage import StageContext
from engine.stages.side_video import side_video

# Containers that hold H.264 and AAC; a piece of any other becomes an mp4.
_KEPT_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".avi", ".ts", ".mts", ".m2ts", ".flv"})


@dataclass(frozen=True)
class _Cut:
    """What is taken from where to where. to_s is None for the video's end."""

    facts: VideoFacts
    target: Path
    from_s: float
    to_s: float | None

    @property
    def guessed_frames(self) -> int | None:
        end_s = self.to_s or self.facts.duration_s
        return round((end_s - self.from_s) * self.facts.rates_hz[0]) if end_s else None


def cut_video(context: StageContext) -> None:
    """Write the piece to `NAME_cut.EXT` beside the video.

    Raises `UsageError` for times that do not fit, `InputError` for a bad video,
    `ConfirmationNeeded` when an earlier piece is there; then, and when stopped, no file has
    changed.
    """
    _require_order(context.options)
    video = _video(context)
    with open_video(video) as reader:
        cut = _cut(reader.facts, context.options)
    _require_possible(context, cut)
    _sweep(cut.target)
    frames = _encode(context, cut)
    context.result(result=str(cut.target), frames=frames)


def _require_order(options: Mapping[str, Any]) -> None:
    if options["to"] and options["from"] >= options["to"]:
        raise UsageError(
            f"--from {options['from']:g} --to {options['to']:g}: the end must come after the begin",
            "give --to a later time, or 0 for the video's end",
        )


def _video(context: StageContext) -> Path:
    given = context.options["input"]
    if given:
        path = Path(given).absolute()
        if not path.is_file():
            raise InputError(f"no file {path}", "give --input the path of a video")
        return path
    side = context.workspace.side(context.options["side"])
    video = side_video(context, side)
    if video is None:
        raise InputError(
            f"no video data_{side.name}.* in {side.root}",
            "put one there or give --input the path of a video",
            code="no-video",
        )
    return video


def _cut(facts: VideoFacts, options: Mapping[str, Any]) -> _Cut:
    suffix = facts.path.suffix.lower()
    target = facts.path.with_name(
        f"{facts.path.stem}_cut{facts.path.suffix if suffix in _KEPT_SUFFIXES else '.mp4'}"
    )
    return _Cut(facts, target, options["from"], options["to"] or None)


def _require_possible(context: StageContext, cut: _Cut) -> None:
    duration_s = cut.facts.duration_s
    if duration_s is not None and cut.from_s >= duration_s:
        raise UsageError(
            f"--from {cut.from_s:g}: {cut.facts.path.name} ends at {float(duration_s):.3f} s",
            "give --from an earlier time",
        )
    track, tracks = context.options["audio_track"], len(cut.facts.audio_codecs)
    if track and track >= tracks:
        raise UsageError(
            f"--audio-track {track}: {cut.facts.path.name} has {tracks} audio tracks",
            "count the tracks from 0",
        )
    if tracks and not cut.facts.audio_codecs[track]:
        context.warn(
            f"audio track {track} of {cut.facts.path.name} cannot be decoded: the piece is silent",
            "choose another --audio-track" if tracks > 1 else "",
        )
    if not os.access(cut.target.parent, os.W_OK | os.X_OK):
        raise InputError(
            f"not allowed to write in {cut.target.parent}",
            "make the folder writable, or copy the video into the workspace",
            code="read-only",
        )
    if cut.target.exists() and not context.confirmed:
        raise ConfirmationNeeded(
            f"{cut.target} is there already",
            "confirm (--yes) to move it aside when the new one is whole",
        )


def _sweep(target: Path) -> None:
    """Remove what a killed cut left half-written."""
    for part in target.parent.iterdir():
        if part.name.startswith(f".{target.stem}.") and PART in part.name:
            part.unlink()


def _encode(context: StageContext, cut: _Cut) -> int:
    """Cut, and put the result in its place. Returns its number of frames."""
    with replacing(cut.target) as part:
        frames = 0
        with Ffmpeg(_arguments(context.options, cut, part), task=f"cut {cut.target.name}") as run:
            run.stdin.close()
            for frames in run.written_frames():
                context.check_stop()
                context.progress(frames, max(cut.guessed_frames or 0, frames) or None)
            run.finish(context.check_stop)
        if not frames:
            raise InputError(
                f"{cut.facts.path.name} has no frame between {cut.from_s:g} s and"
                f" {'its end' if cut.to_s is None else f'{cut.to_s:g} s'}",
                "choose other times",
            )
        _set_aside(context, cut.target)
    context.progress(frames, frames)
    return frames


def _arguments(options: Mapping[str, Any], cut: _Cut, part: Path) -> list[str]:
    to = ["-to", _on_tick(cut.to_s, cut.facts)] if cut.to_s is not None else []
    even = cut.facts.width_px % 2 == 0 and cut.facts.height_px % 2 == 0
    avi = cut.target.suffix.lower() == ".avi"
    timing = ("cfr",) if avi else ("passthrough", "-enc_time_base", "demux")
    codec = ("libx264", "-b:v", f"{round(options['bitrate'] * 1e6)}")
    return [
        *("-ss", _on_tick(cut.from_s, cut.facts), *to),
        # A playlist that calls itself a video must not make ffmpeg open other addresses.
        *("-protocol_whitelist", "file", "-i", str(cut.facts.path.absolute())),
        *("-map", "0:V:0", *_sound_map(options["audio_track"], cut.facts)),
        *("-c:v", *codec, "-pix_fmt", "yuv420p" if even else "yuv444p"),
        *("-fps_mode", *timing),
        *("-c:a", "libmp3lame" if avi else "aac", "-b:a", "192k"),
        *("-progress", "pipe:1", "-stats_period", "0.2", "-y", str(part.absolute())),
    ]


def _sound_map(track: int, facts: VideoFacts) -> list[str]:
    decodable = track < len(facts.audio_codecs) and facts.audio_codecs[track]
    return ["-map", f"0:a:{track}"] if decodable else []


def _on_tick(time_s: float, facts: VideoFacts) -> str:
    """The time, moved up to the next time stamp that a frame can have: ffmpeg rounds to the nearest
    one, which in AVI, where a tick is a frame, would take the frame before."""
    return f"{float(ceil(Fraction(str(time_s)) / facts.time_base) * facts.time_base):.6f}"


def _set_aside(context: StageContext, target: Path) -> None:
    """An earlier piece goes to the trash; outside the workspace it is renamed and stays there."""
    if not target.exists():
        return
    if target.is_relative_to(context.workspace.root):
        trash = context.workspace.move_to_trash([target], "video-cut")
        context.note(f"the earlier {target.name} is in {trash}")
        return
    number = 1
    while (aside := target.with_name(f"{target.stem}.{number}{target.suffix}")).exists():
        number += 1
    try:
        target.rename(aside)
    except OSError as error:
        raise disk_error(error, aside) from error
    context.note(f"the earlier {target.name} is now {aside.name}")
