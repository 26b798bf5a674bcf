"""What the stage remembers between runs: what was found in each frame, and which frames are done.

Two files of JSON lines in the workspace's stage state. The first line tells what the others were
made with; every further line is one frame. A line is written in one piece after the frame's work,
so after a kill a frame is either in the file or not: a torn last line is cut off.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.structs import fields

from engine.protocol.files import disk_error, write_atomically
from engine.protocol.workspace import Workspace, make_folder

VERSION = 1
MAX_FILE_BYTES = 1 << 30  # a frame takes about 500 bytes


class FindSettings(msgspec.Struct, frozen=True):
    """All that decides which faces are found in a frame. What has a default came later: without
    it, files of earlier versions still are of these settings."""

    detector: str
    rotations: str
    detection_size_px: int
    min_face_size_px: int
    min_score: float
    hog_upsample: int
    cnn_upsample: int = 0
    s3fd_min_score: float = 0.5


class CutSettings(msgspec.Struct, frozen=True):
    """All that decides what is written for a frame; on defaults see `FindSettings`."""

    find: FindSettings
    face_type: str
    max_faces: int
    image_size_px: int
    jpeg_quality: int
    with_debug: bool
    interpolation: str
    landmarks: str = "dlib68"
    second_pass: bool = True
    follow_faces: bool = True


class FoundFace(msgspec.Struct, frozen=True):
    """A `Detection` in JSON, rounded to 1/1000 px so that a resumed run computes with the same."""

    box_ltrb: tuple[float, float, float, float]
    score: float
    turned_deg: int = 0
    five_points: tuple[tuple[float, float], ...] | None = None


class FoundFrame(msgspec.Struct, frozen=True):
    """One frame searched. thumb: a tiny grey picture in hex, to tell cuts. problem: why the frame
    could not be read, else "". sought: what was found when faces of the frames around it were
    looked for again; None if that was not done."""

    frame: str
    size_bytes: int
    shape_hw: tuple[int, int]
    thumb: str
    faces: tuple[FoundFace, ...]
    problem: str = ""
    sought: tuple[FoundFace, ...] | None = None


class CutFace(msgspec.Struct, frozen=True):
    """One face file written, with what is known about it beyond its metadata. spread: see
    `Landmarks68`. is_profile: turned so far to the side that its landmarks are guesses."""

    file: str
    score: float
    turned_deg: int
    spread: float | None
    pitch_rad: float | None = None
    yaw_rad: float | None = None
    roll_rad: float | None = None
    is_profile: bool = False


class DoneFrame(msgspec.Struct, frozen=True):
    """One frame finished. faces: what was written. dropped: finds that were no sound faces."""

    frame: str
    size_bytes: int
    faces: tuple[CutFace, ...]
    dropped: int = 0
    problem: str = ""


class _Header(msgspec.Struct, frozen=True):
    settings: dict[str, Any]
    version: int = VERSION


Line = TypeVar("Line", FoundFrame, DoneFrame)


class LineFile(Generic[Line]):
    """JSON lines made with `settings`; `lines` are those that are there. Entering opens the file
    for adding, and begins it anew if it was made with other settings."""

    def __init__(
        self, path: Path, settings: FindSettings | CutSettings, line_type: type[Line]
    ) -> None:
        self._path = path
        self._header = msgspec.json.encode(_Header(_told(settings))) + b"\n"
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(line_type)
        self.lines: list[Line]
        self.lines, self._kept_bytes = self._read()

    @property
    def is_there(self) -> bool:
        """The file was made with these settings."""
        return self._kept_bytes > 0

    def forget(self) -> None:
        """Begin anew when entered."""
        self.lines, self._kept_bytes = [], 0

    def __enter__(self) -> LineFile[Line]:
        make_folder(self._path.parent)
        if not self._kept_bytes:
            write_atomically(self._path, self._header)
            self._kept_bytes = len(self._header)
        self._file = self._path.open("r+b", buffering=0)
        self._file.truncate(self._kept_bytes)
        self._file.seek(self._kept_bytes)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, line: Line) -> None:
        """Add a line. Raises `InputError` when the disk is full."""
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise disk_error(error, self._path) from error

    def _read(self) -> tuple[list[Line], int]:
        """The sound lines, and how many bytes they and the header take; 0 for other settings."""
        if not self._path.is_file() or self._path.stat().st_size > MAX_FILE_BYTES:
            return [], 0
        data = self._path.read_bytes()
        if not data.startswith(self._header):
            return [], 0
        lines, kept_bytes = _sound_lines(data[len(self._header) :], self._decoder)
        return lines, len(self._header) + kept_bytes


def _told(settings: FindSettings | CutSettings) -> dict[str, Any]:
    """The settings without those that have their defaults."""
    values = [(field, getattr(settings, field.name)) for field in fields(settings)]
    return {
        field.name: _told(value) if isinstance(value, FindSettings) else value
        for field, value in values
        if value != field.default
    }


def found_file(
    workspace: Workspace, side: str, settings: FindSettings, *, again: bool = False
) -> LineFile[FoundFrame]:
    """What was found in the side's frames so far with these settings. again: in single frames that
    are extracted again, which leave what was found in all frames as it is."""
    return LineFile(_path(workspace, side, "found", again), settings, FoundFrame)


def done_file(
    workspace: Workspace, side: str, settings: CutSettings, *, again: bool = False
) -> LineFile[DoneFrame]:
    """Which of the side's frames are finished with these settings; on `again` see `found_file`."""
    return LineFile(_path(workspace, side, "done", again), settings, DoneFrame)


class RecordedExtraction(NamedTuple):
    """What the last extraction of all frames finished, by frame, and which detector it had."""

    detector: str
    frames: dict[str, DoneFrame]


def recorded_extraction(workspace: Workspace, side: str) -> RecordedExtraction | None:
    """The last extraction, whatever its settings were; None if none is recorded."""
    path = _path(workspace, side, "done", again=False)
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        return None
    head, _, lines = path.read_bytes().partition(b"\n")
    try:
        settings = msgspec.json.decode(head, type=_Header).settings
    except msgspec.DecodeError:
        return None  # of another version, or no such file: as if nothing was recorded
    found, _ = _sound_lines(lines, msgspec.json.Decoder(DoneFrame))
    match settings:
        case {"find": {"detector": str(detector)}}:
            return RecordedExtraction(detector, {line.frame: line for line in found})
    return None


def _path(workspace: Workspace, side: str, kind: str, again: bool) -> Path:
    prefix = "faces-extract-again" if again else "faces-extract"
    return workspace.stage_state / f"{prefix}-{side}.{kind}.jsonl"


def _sound_lines(data: bytes, decoder: msgspec.json.Decoder[Line]) -> tuple[list[Line], int]:
    """The lines up to the first that is torn or no such line, and how many bytes they take."""
    lines: list[Line] = []
    kept_bytes = 0
    for raw in data.splitlines(keepends=True):
        try:
            line = decoder.decode(raw)
        except msgspec.DecodeError:
            break
        if not raw.endswith(b"\n"):
            break
        lines.append(line)
        kept_bytes += len(raw)
    return lines, kept_bytes
