"""The kinds of result as data: container, picture encoding, and which sound goes in unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.media.video_write import Encoding
from engine.stages.video_render.encodings import (
    Picture,
    avi,
    ffv1,
    hevc_10bit,
    lossless_h264,
    mp4,
    png,
    prores_4444,
)

Encode = Callable[[Mapping[str, Any], Picture], Encoding]

_MP4_SOUND = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus"})
_MOV_SOUND = frozenset({"aac", "mp3", "mp3float", "ac3", "alac", "pcm_s16le", "pcm_s24le"})
_AVI_SOUND = frozenset({"mp3", "mp3float", "ac3", "pcm_s16le"})
_MKV_SOUND = _MP4_SOUND | {"flac", "vorbis", "dca", "truehd", "pcm_s16le", "pcm_s24le", "pcm_f32le"}
_AAC = ("-c:a", "aac", "-b:a", "192k")
_MP3 = ("-c:a", "libmp3lame", "-b:a", "192k")


@dataclass(frozen=True)
class Kind:
    """encode: the pictures' encoding from the stage's options; None where the result is a folder of
    pictures. encode_mask: the same for the mask video, without loss. copied_sound: codecs that the
    container holds as they are; others become `sound`. delayed_start: its first frame may be shown
    later than 0."""

    suffix: str
    encode: Encode | None
    encode_mask: Encode | None
    copied_sound: frozenset[str] = frozenset()
    sound: tuple[str, ...] = _AAC
    variable_rate: bool = True
    delayed_start: bool = True


KINDS: dict[str, Kind] = {
    "mp4": Kind(".mp4", mp4, lossless_h264, _MP4_SOUND),
    "hevc-10bit": Kind(".mp4", hevc_10bit, lossless_h264, _MP4_SOUND),
    "avi": Kind(
        ".avi", avi, lossless_h264, _AVI_SOUND, _MP3, variable_rate=False, delayed_start=False
    ),
    "mp4-lossless": Kind(".mp4", lossless_h264, lossless_h264, _MP4_SOUND),
    "mov-lossless": Kind(".mov", png, png, _MOV_SOUND),
    "prores-4444": Kind(".mov", prores_4444, png, _MOV_SOUND),
    "ffv1": Kind(".mkv", ffv1, ffv1, _MKV_SOUND),
    "png-sequence": Kind("", None, None),
}
