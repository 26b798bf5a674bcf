"""Videos read frame by frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.media.video_read import count_packets, open_video
from engine.protocol.errors import InputError, Stopped
from tests.support.clips import (
    frame_number,
    make_clip,
    numbered_frame,
    run_ffmpeg,
    with_undecodable,
)


@pytest.mark.parametrize(
    ("flags", "degrees", "turned"),
    [
        ((), 0, lambda image: image),
        ((), 90, lambda image: np.rot90(image)),
        ((), 180, lambda image: np.rot90(image, 2)),
        ((), 270, lambda image: np.rot90(image, 3)),
        (("-display_hflip",), 0, lambda image: image[:, ::-1]),
        (("-display_vflip",), 0, lambda image: image[::-1]),
    ],
)
def test_every_orientation_a_camera_writes_is_shown_upright(
    tmp_path: Path, flags: tuple[str, ...], degrees: int, turned: object
) -> None:
    stored = make_clip(tmp_path / "stored.mp4", frames=1, codec=("-c:v", "libx264rgb", "-qp", "0"))
    # An input option of ffmpeg: degrees counterclockwise.
    turn = ["-display_rotation", str(degrees), *flags]
    target = tmp_path / "turned.mp4"
    run_ffmpeg([*turn, "-i", str(stored), "-c", "copy", str(target)])
    with open_video(target) as reader:
        shown = next(reader.frames()).to_bgr_u8()
        size_px = (reader.facts.width_px, reader.facts.height_px)
    assert np.array_equal(shown, turned(numbered_frame(0)))  # type: ignore[operator]
    assert size_px == (shown.shape[1], shown.shape[0])


def test_a_picture_that_comes_with_music_is_no_video(tmp_path: Path) -> None:
    cover = make_clip(tmp_path / "cover.png", frames=1, codec=("-c:v", "png"))
    tone = ["-f", "lavfi", "-i", "sine=440:d=1", "-i", str(cover), "-map", "0", "-map", "1"]
    run_ffmpeg([*tone, "-disposition:v", "attached_pic", str(tmp_path / "song.mp3")])
    with (
        pytest.raises(InputError, match="it has no video stream"),
        open_video(tmp_path / "song.mp3"),
    ):
        pass


def test_a_video_whose_size_changes_gives_pictures_of_the_first_size(tmp_path: Path) -> None:
    for name, size_px in (("a", (176, 96)), ("b", (352, 192))):
        make_clip(tmp_path / f"{name}.ts", frames=5, size_px=size_px)
    both = (tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes()
    (tmp_path / "both.ts").write_bytes(both)
    with open_video(tmp_path / "both.ts") as reader:
        pictures = [frame.to_bgr_u8() for frame in reader.frames()]
    assert {picture.shape for picture in pictures} == {(96, 176, 3)}
    assert len(pictures) == 10


@pytest.mark.parametrize(("height_px", "matrix"), [(480, "bt601"), (720, "bt709")])
def test_an_untagged_video_has_the_colours_that_players_show(
    tmp_path: Path, height_px: int, matrix: str
) -> None:
    flat = np.full((height_px, 640, 3), (40, 60, 210), np.uint8)
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"640x{height_px}", "-i", "pipe:0"]
    untagged = f"scale=out_color_matrix={matrix},format=yuv420p,setparams=colorspace=unknown"
    clip = tmp_path / "clip.mp4"
    run_ffmpeg([*raw, "-vf", untagged, "-c:v", "libx264", "-qp", "0", str(clip)], flat.tobytes())
    with open_video(clip) as reader:
        picture = next(reader.frames()).to_bgr_u8()
    assert np.abs(picture.astype(int) - (40, 60, 210)).max() <= 3


def test_the_packets_of_a_video_are_at_least_its_frames(tmp_path: Path) -> None:
    assert count_packets(make_clip(tmp_path / "a.mkv", frames=33), lambda: None) == 33


def test_counting_the_packets_of_a_long_video_can_be_stopped(tmp_path: Path) -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        count_packets(make_clip(tmp_path / "a.mkv", frames=3), stop)


def test_a_track_of_sound_that_cannot_be_decoded_does_not_hide_the_pictures(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", frames=6, tone=True)
    with open_video(with_undecodable(clip, sample_entry=b"mp4a")) as reader:
        assert len(list(reader.frames())) == 6
        assert reader.facts.audio_codecs == ("",)


def test_pictures_of_an_unknown_codec_are_refused_with_the_reason(tmp_path: Path) -> None:
    clip = with_undecodable(make_clip(tmp_path / "a.mp4", frames=3), sample_entry=b"avc1")
    with pytest.raises(InputError, match="cannot read the video"), open_video(clip):
        pass


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov", ".ts", ".webm", ".flv"])
def test_every_usual_container_gives_all_frames_in_order(tmp_path: Path, suffix: str) -> None:
    codec = ("-c:v", "libvpx", "-b:v", "2M") if suffix == ".webm" else ("-c:v", "libx264")
    clip = make_clip(tmp_path / f"clip{suffix}", frames=30, codec=codec)
    with open_video(clip) as reader:
        frames = [(frame_number(frame.to_bgr_u8()), frame.time_s) for frame in reader.frames()]
    assert [number for number, _ in frames] == list(range(30))
    assert abs(frames[-1][1] - Fraction(29, 25)) <= Fraction(1, 500)
