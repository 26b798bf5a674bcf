"""Videos written frame by frame, each at its exact time, with the sound of another file.

Pictures go to the ffmpeg program as raw video in NUT, which carries a time stamp with each frame;
so constant and variable rates take the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error

from engine.media.ffmpeg import Ffmpeg
from engine.media.images import ImageU8
from engine.media.timing import Timing
from engine.media.video_colour import VideoColour


@dataclass(frozen=True)
class Sound:
    """Audio stream `track`, from 0, of `source`. arguments: ffmpeg's for codec and bitrate. skip_s:
    how much of its beginning to leave out. length_s: how much of the rest to take; None for all.
    Sound that is copied begins and ends with whole packets (of some 20 ms)."""

    source: Path
    arguments: tuple[str, ...]
    skip_s: Fraction = Fraction(0)
    length_s: Fraction | None = None
    track: int = 0

    @property
    def copied(self) -> bool:
        """Whether its packets go in as they are."""
        return self.arguments[-1] == "copy"


@dataclass(frozen=True)
class Encoding:
    """How pictures are encoded: ffmpeg's filters from BGR(A) and its codec arguments. alpha:
    pictures have it, not multiplied into their colours. colour: of the Y'CbCr that it makes; None
    for RGB."""

    filters: str
    arguments: tuple[str, ...]
    alpha: bool = False
    colour: VideoColour | None = None


class VideoWriter:
    """Writes `target` (a whole file only after `finish`). Leaving the block early kills ffmpeg;
    removing the unfinished file is the caller's."""

    def __init__(
        self,
        target: Path,
        *,
        width_px: int,
        height_px: int,
        timing: Timing,
        encoding: Encoding,
        sample_aspect: Fraction = Fraction(1),
        start_s: Fraction = Fraction(0),
        sound: Sound | None = None,
    ) -> None:
        """`start_s`: when the first frame is shown, counted from the start of the sound's file."""
        self._timing = timing
        self._written = 0
        self._pixels = "bgra" if encoding.alpha else "bgr24"
        filters = f"{encoding.filters},setsar={_ratio(sample_aspect)}"
        self._ffmpeg = Ffmpeg(
            [
                *("-itsoffset", f"{float(start_s):.6f}", "-f", "nut", "-i", "pipe:0"),
                *_sound_input(sound),
                *("-map", "0:v:0", "-vf", filters, *encoding.arguments),
                # Each frame once, at its own time: no doubling or dropping, no rounding.
                *("-fps_mode", "passthrough", "-enc_time_base", _ratio(timing.time_base)),
                *_sound_output(sound),
                *("-map_metadata", "-1", "-map_chapters", "-1", "-y", str(target.absolute())),
            ],
            task=f"write {target.name}",
        )
        self._nut = av.open(self._ffmpeg.stdin, "w", format="nut")
        self._stream = self._nut.add_stream("rawvideo", rate=timing.rate_hz or Fraction(25))
        self._stream.width, self._stream.height = width_px, height_px
        self._stream.pix_fmt = self._pixels
        self._stream.time_base = timing.time_base
        self._stream.codec_context.time_base = timing.time_base

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ffmpeg.__exit__(kind, error, trace)

    def write(self, image_bgr_u8: ImageU8) -> None:
        """The next frame, (h, w, 3) BGR of the video's size, or (h, w, 4) BGRA where the encoding
        has alpha. Raises `StageError` with ffmpeg's words if it gave up."""
        frame = av.VideoFrame.from_ndarray(image_bgr_u8, format=self._pixels)
        frame.pts, frame.time_base = self._timing.stamp(self._written), self._timing.time_base
        try:
            self._nut.mux(self._stream.encode(frame))
        except (OSError, av.error.FFmpegError) as error:
            raise self._ffmpeg.failure() from error
        self._written += 1

    def finish(self, while_waiting: Callable[[], None]) -> None:
        """End the file. `while_waiting` is called now and then and may raise. Raises `ValueError`
        if frames are missing, `StageError` if ffmpeg failed."""
        if self._written != self._timing.frames:
            raise ValueError(f"{self._written} of {self._timing.frames} frames written")
        try:
            self._nut.mux(self._stream.encode(None))
            self._nut.close()
        except (OSError, av.error.FFmpegError) as error:
            raise self._ffmpeg.failure() from error
        self._ffmpeg.finish(while_waiting)


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _sound_input(sound: Sound | None) -> list[str]:
    if sound is None:
        return []
    skip = ["-ss", f"{float(sound.skip_s):.6f}"] if sound.skip_s else []
    if sound.length_s is not None:
        skip += ["-t", f"{float(sound.length_s):.6f}"]
    # A playlist that calls itself a video must not make ffmpeg open other addresses.
    return [*skip, "-protocol_whitelist", "file", "-i", str(sound.source.absolute())]


def _sound_output(sound: Sound | None) -> list[str]:
    if sound is None:
        return ["-an"]
    # When it copies, ffmpeg skips only to the key frame before. From there packets are dropped up
    # to the one that is heard at 0: decoders need it to begin, containers hide what comes before
    # 0.
    drop = ["-bsf:a", r"noise=drop=lt(pts+duration\,0)"] if sound.copied and sound.skip_s else []
    return ["-map", f"1:a:{sound.track}", *sound.arguments, *drop]
