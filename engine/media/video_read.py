"""Videos read frame by frame: every presented frame once, in presentation order, upright.

PyAV decodes: exact time stamps, edit lists, any container, and errors as exceptions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from engine.media.images import ImageU8
from engine.media.video_colour import BT709, UNSPECIFIED, VideoColour, guessed_matrix
from engine.protocol.errors import InputError

# Measured on flat patches: these flags bring the error from 3 of 255 to 1-2 in 4:2:0 video.
_EXACT = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
# A playlist that calls itself a video must not make us open other addresses.
_OPEN_OPTIONS = {"protocol_whitelist": "file"}


@dataclass(frozen=True)
class Turn:
    """How the stored picture becomes upright: transpose first, then mirror."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def upright(self, image: ImageU8) -> ImageU8:
        """The (h, w, 3) picture as it is to be shown."""
        if self.transpose:
            image = image.transpose(1, 0, 2)
        if self.mirror_x:
            image = image[:, ::-1]
        if self.mirror_y:
            image = image[::-1]
        return np.ascontiguousarray(image)


@dataclass(frozen=True)
class VideoFacts:
    """What is known of a video after its first frame was decoded. Sizes are those shown (upright).

    rates_hz: frame rates that the container claims, likeliest first. guessed_frames: from headers,
    for progress bars only. start_s: when the first frame is shown, counted from the start of the
    file's earliest stream. sample_aspect: width of a shown pixel over its height. audio_codecs: by
    track, "" for one that cannot be decoded here.
    """

    path: Path
    width_px: int
    height_px: int
    time_base: Fraction
    rates_hz: tuple[Fraction, ...]
    guessed_frames: int | None
    duration_s: Fraction | None
    start_s: Fraction
    sample_aspect: Fraction
    turn: Turn
    interlaced: bool
    hdr: str
    colour: VideoColour
    audio_codecs: tuple[str, ...]


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame. `pts` counts in the video's time base; `time_s` from the first frame."""

    pts: int
    time_s: Fraction
    to_bgr_u8: Callable[[], ImageU8]


@contextmanager
def open_video(path: Path) -> Iterator[VideoReader]:
    """A reader of the video in `path`. Raises `InputError`, naming it, if it has no frames."""
    with _opened(path) as container:
        yield VideoReader(path, container)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        container = av.open(str(path.absolute()), options=_OPEN_OPTIONS)
    except (av.error.FFmpegError, OSError) as error:
        raise _not_a_video(path, f"it cannot be opened as a video ({_reason(error)})") from error
    try:
        yield container
    finally:
        container.close()


class VideoReader:
    """One pass over a video's frames. `facts` is known from the start; `damage` and `last_time_s`
    (the last frame's time, from the first) after the pass."""

    def __init__(self, path: Path, container: Any) -> None:
        self._container = container
        self._stream = _video_stream(path, container)
        self._stream.thread_type = "AUTO"
        self.damage: list[str] = []
        self.last_time_s = Fraction(0)
        self._decoded = self._decode()
        self._first = next(self._decoded, None)
        if self._first is None:
            raise _not_a_video(path, "not one frame of it can be decoded")
        self.facts = _facts(path, container, self._stream, self._first)

    def frames(self) -> Iterator[TimedFrame]:
        """Every presented frame, in order. Damaged parts are left out and told in `damage`.

        `to_bgr_u8` of a frame may be called from another thread, once.
        """
        tick_s = self.facts.time_base
        step = max(1, round(1 / (self.facts.rates_hz[0] * tick_s)))
        first_pts: int | None = None
        last_pts = -step
        for frame in self._all():
            pts = frame.pts if frame.pts is not None else last_pts + step
            first_pts = pts if first_pts is None else first_pts
            last_pts = pts
            self.last_time_s = (pts - first_pts) * tick_s
            yield TimedFrame(pts, self.last_time_s, _converter(frame, self.facts))

    def first_bgr_u8(self) -> ImageU8:
        """The first frame, before `frames` is begun; (h, w, 3) BGR."""
        if self._first is None:
            raise ValueError("frames() has begun")
        return _converter(self._first, self.facts)()

    def _all(self) -> Iterator[Any]:
        if self._first is not None:
            yield self._first
            self._first = None
        yield from self._decoded

    def _decode(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.damage.append(f"the file breaks off: {_reason(error)}")
                return
            try:
                yield from packet.decode()
            except av.error.FFmpegError as error:
                self.damage.append(f"a part cannot be decoded: {_reason(error)}")


def count_packets(path: Path, while_counting: Callable[[], None]) -> int:
    """How many frames the video can have at most: its packets, without decoding them.

    `while_counting` is called for each, since a long video is read whole; it may raise."""
    count = 0
    with _opened(path) as container, suppress(av.error.FFmpegError):  # damage ends the count
        for packet in container.demux(_video_stream(path, container)):
            while_counting()
            count += packet.size > 0
    return count


def _video_stream(path: Path, container: Any) -> Any:
    for stream in container.streams.video:
        if stream.disposition & av.stream.Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise _not_a_video(path, "no decoder for its pictures is known here")
        return stream
    raise _not_a_video(path, "it has no video stream")


def _facts(path: Path, container: Any, stream: Any, first: Any) -> VideoFacts:
    turn = _turn_of(first)
    width_px, height_px = first.width, first.height
    aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
    if turn.transpose:
        width_px, height_px, aspect = height_px, width_px, 1 / aspect
    rates_hz = _claimed_rates(stream)
    time_base = Fraction(stream.time_base)
    duration_s = _duration_s(container, stream)
    guess = stream.frames or (round(duration_s * rates_hz[0]) if duration_s else None)
    return VideoFacts(
        path=path,
        width_px=width_px,
        height_px=height_px,
        time_base=time_base,
        rates_hz=rates_hz,
        guessed_frames=guess,
        duration_s=duration_s,
        start_s=_start_s(container, first, time_base),
        sample_aspect=aspect,
        turn=turn,
        interlaced=bool(first.interlaced_frame),
        hdr=_HDR_TRANSFERS.get(int(first.color_trc), ""),
        colour=_colour_of(first),
        audio_codecs=tuple(_codec_name(audio) for audio in container.streams.audio),
    )


def _colour_of(frame: Any) -> VideoColour:
    full_range = int(frame.color_range) == ColorRange.JPEG
    tags = (frame.color_primaries, frame.color_trc)
    return VideoColour(int(frame.colorspace), full_range, *map(int, tags))


def _codec_name(stream: Any) -> str:
    # Cameras write tracks that only their own players know, such as Apple's "apac".
    return "" if stream.codec_context is None else str(stream.codec_context.name)


def _claimed_rates(stream: Any) -> tuple[Fraction, ...]:
    claims = (stream.guessed_rate, stream.base_rate, stream.average_rate)
    rates = tuple(dict.fromkeys(Fraction(claim) for claim in claims if claim))
    return rates or (Fraction(25),)  # a raw stream without any rate: what ffmpeg assumes too


def _duration_s(container: Any, stream: Any) -> Fraction | None:
    if stream.duration:
        return Fraction(stream.duration) * Fraction(stream.time_base)
    if container.duration:
        return Fraction(container.duration, av.time_base)
    return None


def _start_s(container: Any, first: Any, time_base: Fraction) -> Fraction:
    if first.pts is None or container.start_time is None or container.format.name == "avi":
        return Fraction(0)  # AVI has no time stamps: what the decoder shows is its own delay
    start_s = Fraction(first.pts) * time_base - Fraction(container.start_time, av.time_base)
    return max(Fraction(0), start_s)


def _turn_of(frame: Any) -> Turn:
    """From the display matrix: 9 numbers of 32 bits by rows; the stored point (x, y) is shown at
    (a x + c y, b x + d y) with a, b the first two of row one and c, d of row two."""
    if "DISPLAYMATRIX" not in frame.side_data.keys():  # noqa: SIM118 - not a dict
        return Turn()
    a, b, _, c, d = struct.unpack("=5i", bytes(frame.side_data["DISPLAYMATRIX"])[:20])
    if abs(a) >= abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def _converter(frame: Any, facts: VideoFacts) -> Callable[[], ImageU8]:
    stored_size = (facts.width_px, facts.height_px)
    width_px, height_px = stored_size[::-1] if facts.turn.transpose else stored_size

    def to_bgr_u8() -> ImageU8:
        image = frame.to_ndarray(
            format="bgr24",
            width=width_px,
            height=height_px,
            interpolation=_EXACT,
            src_colorspace=_matrix_if_untagged(frame),
            dst_color_range=ColorRange.JPEG,
        )
        return facts.turn.upright(image)

    return to_bgr_u8


def _matrix_if_untagged(frame: Any) -> Colorspace | None:
    if int(frame.colorspace) != UNSPECIFIED:
        return None
    hd = guessed_matrix(frame.height) == BT709
    return Colorspace.ITU709 if hd else Colorspace.ITU601


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _not_a_video(path: Path, reason: str) -> InputError:
    return InputError(
        f"cannot read the video {path}: {reason}",
        "replace the file by one that a video player plays",
        code="bad-video",
    )
