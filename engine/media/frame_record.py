"""What the frames of a side are: from which video, how extracted, when each is shown.

Kept in `.facewright/stages/video-extract-SIDE.json`. Extraction resumes by it, and rendering takes
the exact timing from it instead of decoding the video once more.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import msgspec

from engine.media.timing import Timing, constant
from engine.media.video_read import VideoFacts
from engine.protocol.files import write_atomically
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
_MAX_RECORD_BYTES = 1 << 28  # a time stamp takes about ten bytes; days of video fit


class Source(msgspec.Struct, frozen=True):
    """A video file's identity."""

    name: str
    size_bytes: int
    mtime_ns: int


class Settings(msgspec.Struct, frozen=True):
    """All that decides what the frame files hold."""

    source: Source
    fps: float
    format: str
    quality: int  # JPEG quality or PNG compression


class RecordedTiming(msgspec.Struct, frozen=True):
    """A `Timing` in JSON: fractions as text such as "24000/1001"."""

    frames: int
    rate_hz: str | None
    time_base: str
    pts: tuple[int, ...] = ()


class FrameRecord(msgspec.Struct, frozen=True):
    """One side's extraction; `timing` is there only when all frames are."""

    settings: Settings
    width_px: int
    height_px: int
    digits: int
    start_s: str
    sample_aspect: str
    timing: RecordedTiming | None = None
    version: int = VERSION

    def exact_timing(self) -> Timing | None:
        """The frames' timing, if the extraction is complete."""
        if self.timing is None:
            return None
        recorded = self.timing
        if recorded.rate_hz is not None:
            return constant(recorded.frames, Fraction(recorded.rate_hz))
        return Timing(recorded.frames, None, Fraction(recorded.time_base), recorded.pts)

    def with_timing(self, timing: Timing) -> FrameRecord:
        """The record of the finished extraction."""
        rate_hz = str(timing.rate_hz) if timing.rate_hz is not None else None
        recorded = RecordedTiming(timing.frames, rate_hz, str(timing.time_base), timing.pts)
        return msgspec.structs.replace(self, timing=recorded)


def source_of(video: Path) -> Source:
    """The identity of a video file."""
    status = video.stat()
    return Source(video.name, status.st_size, status.st_mtime_ns)


def new_record(settings: Settings, facts: VideoFacts, digits: int) -> FrameRecord:
    """The record of an extraction that begins; names have at least `digits` digits."""
    return FrameRecord(
        settings,
        facts.width_px,
        facts.height_px,
        digits,
        str(facts.start_s),
        str(facts.sample_aspect),
    )


def record_path(workspace: Workspace, side: str) -> Path:
    """Where a side's record lies."""
    return workspace.stage_state / f"video-extract-{side}.json"


def read_record(workspace: Workspace, side: str) -> FrameRecord | None:
    """The side's record; None if there is none, or none of this version that can be read."""
    path = record_path(workspace, side)
    if not path.is_file() or path.stat().st_size > _MAX_RECORD_BYTES:
        return None
    try:
        record = msgspec.json.decode(path.read_bytes(), type=FrameRecord)
        record.exact_timing()
    except (msgspec.DecodeError, ValueError, ZeroDivisionError):
        return None  # the frames are then treated as somebody else's, never as finished ones
    return record if record.version == VERSION else None


def write_record(workspace: Workspace, side: str, record: FrameRecord) -> None:
    """Keep the side's record. Raises `InputError` when it cannot be written."""
    make_folder(workspace.stage_state)
    write_atomically(record_path(workspace, side), msgspec.json.encode(record))
