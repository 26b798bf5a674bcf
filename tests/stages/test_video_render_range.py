"""A part of the frames, with the sound heard while they are shown; sound as it is where it can."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.protocol.errors import UsageError
from tests.support.clips import frame_number, listing, make_clip, make_vfr_clip, run_ffmpeg
from tests.support.results import decoded, merge_numbers, rate_hz, refused, render, sound_s

pytestmark = pytest.mark.slow

# A tone of 440 Hz that sounds only from about 1.2 s to 1.3 s.
CLICK = "sine=440:r=48000:d=3,volume='if(between(t,1.2,1.3),1,0)':eval=frame"
SUFFIXES = {"avi": "avi", "mov-lossless": "mov", "ffv1": "mkv"}


def clip_with_click(root: Path, *, delay_s: float = 0, audio: str = "aac") -> None:
    """A destination of 75 frames at 25/s whose pictures begin `delay_s` after the sound."""
    clip = make_clip(root / "whole.mkv", frames=75)
    sound = ["-f", "lavfi", "-i", CLICK, "-c:v", "copy", "-c:a", audio]
    suffix = "mov" if audio.startswith("pcm") else "mp4"
    target = root / f"data_dst.{suffix}"
    run_ffmpeg(["-itsoffset", str(delay_s), "-i", str(clip), *sound, str(target)])


def click_s(path: Path) -> float:
    """When the tone begins, counted from when the first picture is shown."""
    with av.open(str(path)) as container:
        start = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
            loud = loud / (32768 if "s16" in frame.format.name else 1)
            if loud.max() > 0.02:
                return float(frame.time) + int(np.argmax(loud > 0.02)) / frame.sample_rate - start
    raise AssertionError("no tone")


def audio_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize(
    ("first", "last", "frames"),
    [
        ("", "", range(50)),
        ("11", "20", range(10, 20)),
        ("50", "", range(49, 50)),
        ("", "1", range(1)),
        ("0:00.4", "0:00.8", range(10, 21)),  # the frames shown at these times
        ("0.41", "0.79", range(10, 20)),
        ("1", "1.99", range(50)),
    ],
)
def test_a_range_has_the_frames_from_the_first_to_the_last(
    tmp_path: Path, first: str, last: str, frames: range
) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=50)
    merge_numbers(tmp_path, range(50))
    context = render(tmp_path, first=first, last=last)
    pictures, _ = decoded(tmp_path / "result.mp4")
    assert [frame_number(picture) for picture in pictures] == list(frames)
    assert context.facts["frames"] == len(frames)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"first": "51"}, "--first 51: the video has the frames 1 to 50 and ends at 2.000 s"),
        ({"last": "2.0"}, "--last 2.0: the video has the frames 1 to 50"),
        ({"first": "0"}, "--first 0: the video has the frames 1 to 50"),
        ({"first": "20", "last": "0.1"}, "the last frame comes before the first"),
    ],
)
def test_a_range_that_the_video_does_not_have_is_refused(
    tmp_path: Path, given: dict[str, str], told: str
) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=50)
    merge_numbers(tmp_path, range(50))
    before = listing(tmp_path)
    with pytest.raises(UsageError, match=told):
        render(tmp_path, **given)
    assert listing(tmp_path) == before


def test_a_position_that_is_neither_frame_nor_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--first 12s: must be empty, the number of a frame"):
        render(tmp_path, first="12s")


def test_only_the_frames_of_the_range_must_be_merged(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=50)
    merge_numbers(tmp_path, range(20))
    render(tmp_path, first="5", last="20")
    assert len(decoded(tmp_path / "result.mp4")[0]) == 16
    refused(
        tmp_path,
        "does not hold all 17 frames; missing: 00021",
        first="5",
        last="21",
        confirmed=True,
    )


@pytest.mark.parametrize("kind", ["mp4", "ffv1"])
def test_a_range_of_a_variable_rate_keeps_its_time_stamps(tmp_path: Path, kind: str) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100] * 4)
    merge_numbers(tmp_path, range(20))
    render(tmp_path, kind=kind, first="4", last="12")
    _, wanted_s = decoded(tmp_path / "data_dst.mp4")
    _, made_s = decoded(tmp_path / f"result.{SUFFIXES.get(kind, 'mp4')}")
    assert made_s == [time_s - wanted_s[3] for time_s in wanted_s[3:12]]


@pytest.mark.parametrize("kind", ["mp4", "avi", "mov-lossless", "ffv1", "hevc-10bit"])
@pytest.mark.parametrize("delay_s", [0, 0.5])
def test_sound_stays_in_step_with_the_pictures_of_a_range(
    tmp_path: Path, kind: str, delay_s: float
) -> None:
    clip_with_click(tmp_path, delay_s=delay_s)
    merge_numbers(tmp_path, range(75))
    render(tmp_path, kind=kind, first="11", last="50")  # from 0.4 s to 2 s
    result = tmp_path / f"result.{SUFFIXES.get(kind, 'mp4')}"
    # MP3 in AVI lacks time stamps, and its encoder's delay with them.
    most_s = 0.03 if kind == "avi" else 0.002
    assert abs(click_s(result) - (click_s(tmp_path / "data_dst.mp4") - 0.4)) < most_s
    _, begin_s, end_s = sound_s(result)
    assert abs(begin_s) < 0.03
    assert abs(end_s - 1.6) < 0.06
    assert rate_hz(result) == Fraction(25)


def test_sound_of_the_whole_is_copied_packet_for_packet(tmp_path: Path) -> None:
    clip_with_click(tmp_path)
    merge_numbers(tmp_path, range(75))
    context = render(tmp_path)
    assert audio_packets(tmp_path / "result.mp4") == audio_packets(tmp_path / "data_dst.mp4")
    assert context.facts["sound"] == "-c:a copy"


def test_sound_of_a_range_is_copied_packet_for_packet_and_no_more_than_is_heard(
    tmp_path: Path,
) -> None:
    clip = make_clip(tmp_path / "silent.mkv", frames=75)
    sweep = ["-f", "lavfi", "-i", "aevalsrc='sin(900*t*t)':s=48000:d=3", "-c:a", "aac"]
    run_ffmpeg(["-i", str(clip), *sweep, "-c:v", "copy", str(tmp_path / "data_dst.mp4")])
    merge_numbers(tmp_path, range(75))
    render(tmp_path, first="11", last="50")  # from 0.4 s to 2 s
    source, made = (audio_packets(tmp_path / name) for name in ("data_dst.mp4", "result.mp4"))
    begin = int(0.4 * 48000 / 1024) + 1  # one packet comes before 0
    assert made == source[begin : begin + len(made)]
    assert len(made) == 1.6 * 48000 / 1024 + 1


@pytest.mark.parametrize(
    ("kind", "copied"), [("mov-lossless", True), ("ffv1", True), ("mp4", False)]
)
def test_uncompressed_sound_is_copied_where_the_container_has_it_and_encoded_else(
    tmp_path: Path, kind: str, copied: bool
) -> None:
    clip_with_click(tmp_path, audio="pcm_s16le")
    merge_numbers(tmp_path, range(75))
    context = render(tmp_path, kind=kind)
    result = tmp_path / f"result.{SUFFIXES.get(kind, 'mp4')}"
    assert sound_s(result)[0] == ("pcm_s16le" if copied else "aac")
    if copied:
        assert b"".join(audio_packets(result)) == b"".join(audio_packets(tmp_path / "data_dst.mov"))
    else:
        told = "the sound (pcm_s16le) is encoded anew as aac 192k: mp4 is not for it"
        assert told in context.notes
