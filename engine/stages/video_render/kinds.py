"""The kinds of result as data: container, picture encoding, and which sound goes in unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.media.video_write import Encoding, Sound

_BT709 = "color_primaries=bt709:color_trc=bt709"
_TAGS_709 = ("-color_primaries", "bt709", "-color_trc", "bt709")
# One frame in the RGB it has; players that ignore the tags show the same colours.
_RGB = f"setparams={_BT709}"
_AAC = ("-c:a", "aac", "-b:a", "192k")
_MP3 = ("-c:a", "libmp3lame", "-b:a", "192k")


@dataclass(frozen=True)
class Kind:
    """encode: the picture encoding from the stage's options and the size in pixels. copied_sound:
    codecs that the container holds as they are; others become `sound`."""

    suffix: str
    encode: Callable[[Mapping[str, Any], int, int], Encoding]
    copied_sound: frozenset[str]
    sound: tuple[str, ...] = _AAC
    variable_rate: bool = True
    delayed_start: bool = True


def sound_of(
    kind: Kind, source: Path, audio_codecs: tuple[str, ...], start_s: Fraction
) -> Sound | None:
    """The first audio stream of `source` that can be decoded, copied where the container can hold
    it. A container that cannot show its first frame later than 0 gets the sound from the first
    frame on."""
    track = next((number for number, codec in enumerate(audio_codecs) if codec), None)
    if track is None:
        return None
    if start_s and not kind.delayed_start:
        return Sound(source, kind.sound, skip_s=start_s, track=track)
    copied = audio_codecs[track] in kind.copied_sound
    return Sound(source, ("-c:a", "copy") if copied else kind.sound, track=track)


def _lossy_h264(options: Mapping[str, Any], width_px: int, height_px: int) -> Encoding:
    # Half-resolution colour needs even sizes; odd ones keep full colour rather than lose a row.
    pixels = "yuv420p" if width_px % 2 == 0 and height_px % 2 == 0 else "yuv444p"
    exact = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
    if options["control"] == "crf":
        quality = ("-crf", str(options["crf"]))
    else:
        quality = ("-b:v", f"{round(options['bitrate'] * 1e6)}")
    return Encoding(
        f"scale=out_color_matrix=bt709:out_range=tv:flags={exact},format={pixels},"
        f"setparams=colorspace=bt709:range=tv:{_BT709}",
        (
            *("-c:v", "libx264", "-preset", "medium", *quality),
            *("-colorspace", "bt709", "-color_range", "tv", *_TAGS_709),
        ),
    )


def _mp4(options: Mapping[str, Any], width_px: int, height_px: int) -> Encoding:
    lossy = _lossy_h264(options, width_px, height_px)
    return Encoding(lossy.filters, (*lossy.arguments, "-movflags", "+faststart"))


def _avi(options: Mapping[str, Any], width_px: int, height_px: int) -> Encoding:
    # AVI has no time stamps: frames must be stored in the order they are shown, and the sound's
    # encoder delay (26 ms) must not push them back by an empty frame.
    lossy = _lossy_h264(options, width_px, height_px)
    more = ("-bf", "0", "-avoid_negative_ts", "disabled")
    return Encoding(lossy.filters, (*lossy.arguments, *more))


def lossless_h264(options: Mapping[str, Any], width_px: int, height_px: int) -> Encoding:
    """RGB as it is. Measured at 1080p on 2 cores: 21 frames/s, 0.9 MB a frame (ultrafast: 63 and
    1.1, medium: 9 and 0.8)."""
    codec = ("-c:v", "libx264rgb", "-qp", "0", "-preset", "veryfast", "-pix_fmt", "bgr24")
    return Encoding(_RGB, (*codec, *_TAGS_709))


def _png(options: Mapping[str, Any], width_px: int, height_px: int) -> Encoding:
    """Measured at 1080p on 2 cores: 35 frames/s, 1.5 MB a frame; QuickTime's RLE has twice the
    size."""
    codec = ("-c:v", "png", "-compression_level", "1", "-pred", "up", "-pix_fmt", "rgb24")
    return Encoding(_RGB, (*codec, *_TAGS_709))


_MP4_SOUND = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus"})
_MOV_SOUND = frozenset({"aac", "mp3", "mp3float", "ac3", "alac", "pcm_s16le", "pcm_s24le"})
_AVI_SOUND = frozenset({"mp3", "mp3float", "ac3", "pcm_s16le"})

KINDS: dict[str, Kind] = {
    "mp4": Kind(".mp4", _mp4, _MP4_SOUND),
    "avi": Kind(".avi", _avi, _AVI_SOUND, _MP3, variable_rate=False, delayed_start=False),
    "mp4-lossless": Kind(".mp4", lossless_h264, _MP4_SOUND),
    "mov-lossless": Kind(".mov", _png, _MOV_SOUND),
}
