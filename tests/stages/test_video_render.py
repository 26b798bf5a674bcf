"""Merged frames to a video that fits its destination: count, times, size, sound, colours."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.media.images import write_image
from engine.media.video_read import count_packets, open_video
from engine.protocol.errors import ConfirmationNeeded, InputError, StageError, Stopped
from engine.stages.video_extract.run import extract_video
from engine.stages.video_render.kinds import KINDS as RENDER_KINDS
from engine.stages.video_render.run import render_video
from engine.stages.video_render.spec import LOSSY_KINDS
from tests.support.clips import (
    frame_number,
    listing,
    make_clip,
    make_vfr_clip,
    numbered_frame,
    run_ffmpeg,
    with_undecodable,
)
from tests.support.context import context_for
from tests.support.disks import small_disk
from tests.support.results import decoded, merge_numbers, rate_hz, refused, render, sound_s
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow

KINDS = {kind: row.suffix[1:] for kind, row in RENDER_KINDS.items() if row.suffix}
LOSSLESS = ["mp4-lossless", "mov-lossless", "ffv1"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_has_all_frames_in_order_at_the_exact_rate(tmp_path: Path, kind: str) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=30, rate="30000/1001", tone=True)
    merge_numbers(tmp_path, range(30))
    context = render(tmp_path, kind=kind)
    result = tmp_path / f"result.{KINDS[kind]}"
    pictures, _ = decoded(result)
    assert [frame_number(picture) for picture in pictures] == list(range(30))
    assert rate_hz(result) == Fraction(30000, 1001)
    assert count_packets(result, lambda: None) == 30, "no empty frames are stored"
    assert context.facts["frames"] == 30
    assert context.reported[-1] == (30, 30)


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_has_the_sound_of_the_whole_video(tmp_path: Path, kind: str) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=50, tone=True)
    merge_numbers(tmp_path, range(50))
    render(tmp_path, kind=kind)
    codec, begin_s, end_s = sound_s(tmp_path / f"result.{KINDS[kind]}")
    assert codec.startswith("mp3" if kind == "avi" else "aac")
    assert abs(begin_s) < 0.06
    assert abs(end_s - sound_s(tmp_path / "data_dst.mp4")[2]) < 0.06


def test_sound_is_left_out_on_wish(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", tone=True)
    merge_numbers(tmp_path, range(12))
    render(tmp_path, audio=False)
    with av.open(str(tmp_path / "result.mp4")) as container:
        assert not container.streams.audio


def test_sound_that_the_container_cannot_hold_is_encoded_anew(tmp_path: Path) -> None:
    make_clip(tmp_path / "silent.mkv", frames=25)
    sound = ["-f", "lavfi", "-i", "sine=440:r=44100", "-shortest", "-c:v", "copy", "-c:a"]
    source = ["-i", str(tmp_path / "silent.mkv")]
    run_ffmpeg([*source, *sound, "libvorbis", str(tmp_path / "data_dst.mkv")])
    merge_numbers(tmp_path, range(25))
    render(tmp_path)
    codec, _, end_s = sound_s(tmp_path / "result.mp4")
    assert codec == "aac"
    assert abs(end_s - 1.0) < 0.1


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("size_px", [(176, 96), (177, 97)])
def test_a_lossless_result_has_every_pixel_of_the_frames(
    tmp_path: Path, kind: str, size_px: tuple[int, int]
) -> None:
    make_clip(tmp_path / "data_dst.mkv", frames=4, size_px=size_px, codec=("-c:v", "ffv1"))
    merge_numbers(tmp_path, range(4), size_px)
    render(tmp_path, kind=kind)
    pictures, _ = decoded(tmp_path / f"result.{KINDS[kind]}")
    for number, picture in enumerate(pictures):
        assert np.array_equal(picture, numbered_frame(number, *size_px))


@pytest.mark.parametrize("kind", LOSSY_KINDS)
def test_an_odd_size_is_kept_and_the_user_told_what_that_costs(tmp_path: Path, kind: str) -> None:
    merge_numbers(tmp_path, range(3), (177, 97))
    context = render(tmp_path, kind=kind)
    pictures, _ = decoded(tmp_path / f"result.{KINDS[kind]}")
    assert [picture.shape for picture in pictures] == [(97, 177, 3)] * 3
    assert "frames of 177x97 need colour in full resolution" in context.warnings[0]


def test_constant_quality_is_smaller_when_it_is_worse(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(60))  # else the mark in the file weighs more than the pictures
    render(tmp_path, control="crf", crf=10)
    good = (tmp_path / "result.mp4").stat().st_size
    render(tmp_path, control="crf", crf=40, confirmed=True)
    assert (tmp_path / "result.mp4").stat().st_size < good / 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "avi"])
def test_a_variable_rate_keeps_every_time_stamp(tmp_path: Path, kind: str) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100] * 4)
    merge_numbers(tmp_path, range(20))
    render(tmp_path, kind=kind)
    _, wanted_s = decoded(tmp_path / "data_dst.mp4")
    _, made_s = decoded(tmp_path / f"result.{KINDS[kind]}")
    assert made_s == wanted_s


def test_a_variable_rate_is_refused_where_the_container_cannot_hold_it(tmp_path: Path) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100])
    merge_numbers(tmp_path, range(5))
    refused(tmp_path, "variable frame rate, which avi cannot hold", kind="avi")


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_that_begin_after_the_sound_stay_in_step_with_it(
    tmp_path: Path, kind: str
) -> None:
    clip = make_clip(tmp_path / "whole.mp4", frames=50)
    sound = ["-f", "lavfi", "-i", "sine=440:r=48000:d=3", "-c:a", "aac"]
    arguments = ["-itsoffset", "0.8", "-i", str(clip), *sound, "-c:v", "copy"]
    run_ffmpeg([*arguments, str(tmp_path / "data_dst.mp4")])
    merge_numbers(tmp_path, range(50))
    render(tmp_path, kind=kind)
    result = tmp_path / f"result.{KINDS[kind]}"
    with open_video(result) as reader:
        start_s = float(reader.facts.start_s)
    _, begin_s, end_s = sound_s(result)
    assert len(decoded(result)[0]) == 50
    if kind == "avi":
        assert (start_s, round(end_s - begin_s, 1)) == (0, 2.2)
    else:
        assert abs(start_s - 0.8) < 0.03
        assert abs(end_s - 3.0) < 0.1


TECH = [
    "film23976_bframes.mp4",
    "ntsc2997_tone.mp4",
    "vfr.mp4",
    "editlist_start.mp4",
    "odd_321x239_ffv1.mkv",
    "tenbit_hevc.mp4",
    "alpha_prores4444.mov",
    "rot90.mp4",
]


@pytest.mark.parametrize("name", TECH)
def test_a_reference_clip_comes_back_with_its_frames_times_and_size(
    tmp_path: Path, name: str
) -> None:
    clip = shared_path("media", "tech", name)
    shutil.copy(clip, tmp_path / f"data_dst{clip.suffix}")
    extract_video(context_for(tmp_path, "video-extract"))
    shutil.copytree(tmp_path / "data_dst", tmp_path / "merged")
    (tmp_path / "merged").rename(tmp_path / "data_dst" / "merged")
    render(tmp_path)
    wanted, wanted_s = decoded(clip)
    made, made_s = decoded(tmp_path / "result.mp4")
    assert [picture.shape for picture in made] == [picture.shape for picture in wanted]
    assert [frame_number(picture) for picture in made] == [frame_number(image) for image in wanted]
    assert max(abs(a - b) for a, b in zip(made_s, wanted_s, strict=True)) <= Fraction(1, 1000)
    assert rate_hz(tmp_path / "result.mp4") == rate_hz(clip)


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", before_output=("-vf", "setsar=4/3"))
    merge_numbers(tmp_path, range(12))
    render(tmp_path)
    with open_video(tmp_path / "result.mp4") as reader:
        assert reader.facts.sample_aspect == Fraction(4, 3)


def test_a_mask_video_holds_the_masks_without_loss_and_without_sound(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=3, tone=True)
    merge_numbers(tmp_path, range(3))
    masks = [np.full((96, 176), 100 * number, np.uint8) for number in range(3)]
    (tmp_path / "data_dst" / "merged_mask").mkdir()
    for number, mask in enumerate(masks, start=1):
        write_image(tmp_path / "data_dst" / "merged_mask" / f"{number:05d}.png", mask)
    render(tmp_path)
    pictures, _ = decoded(tmp_path / "result_mask.mp4")
    assert all(np.array_equal(a[..., 1], b) for a, b in zip(pictures, masks, strict=True))
    with av.open(str(tmp_path / "result_mask.mp4")) as container:
        assert not container.streams.audio


def test_without_a_video_the_given_rate_is_used(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(6))
    context = render(tmp_path, fps=12.5)
    assert rate_hz(tmp_path / "result.mp4") == Fraction(25, 2)
    assert "no sound" in context.notes[0]


def test_an_earlier_result_is_kept_in_the_trash_and_only_with_a_confirmation(
    tmp_path: Path,
) -> None:
    merge_numbers(tmp_path, range(3))
    (tmp_path / "result.mp4").write_text("precious")
    before = listing(tmp_path)
    with pytest.raises(ConfirmationNeeded, match=r"result\.mp4 is there already"):
        render(tmp_path)
    assert listing(tmp_path) == before
    render(tmp_path, confirmed=True)
    (trash,) = (tmp_path / ".facewright" / "trash").iterdir()
    assert (trash / "result.mp4").read_text() == "precious"
    assert len(decoded(tmp_path / "result.mp4")[0]) == 3


def test_missing_merged_frames_are_named(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=12)
    merge_numbers(tmp_path, range(12))
    for number in (3, 7):
        (tmp_path / "data_dst" / "merged" / f"{number:05d}.png").unlink()
    refused(tmp_path, "holds 10 pictures, the video has 12 frames; missing: 00003, 00007")


def test_merged_frames_too_many_are_named(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=12)
    merge_numbers(tmp_path, range(13))
    refused(tmp_path, "too much: 00013")


def test_missing_merged_frames_are_found_without_a_video_too(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    for number in range(1, 5):
        write_image(tmp_path / "data_dst" / f"{number:05d}.png", numbered_frame(number))
    refused(tmp_path, "missing: 00004")


def test_a_stray_picture_does_not_take_the_place_of_a_missing_frame(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=12)
    merge_numbers(tmp_path, range(12))
    merged = tmp_path / "data_dst" / "merged"
    (merged / "00004.png").rename(merged / "title.png")
    refused(tmp_path, "instead of 00004, title")


def test_merged_frames_may_have_names_of_their_own(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=12)
    merge_numbers(tmp_path, range(13))
    merged = tmp_path / "data_dst" / "merged"
    (merged / "00013.png").rename(merged / "00000.png")  # counted from 0
    (merged / "00012.png").unlink()
    render(tmp_path)
    images, _ = decoded(tmp_path / "result.mp4")
    assert [frame_number(image) for image in images] == [12, *range(11)]


def test_sound_that_cannot_be_decoded_is_told_and_the_result_has_none(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "data_dst.mp4", frames=6, tone=True)
    with_undecodable(clip, sample_entry=b"mp4a")
    merge_numbers(tmp_path, range(6))
    context = render(tmp_path)
    assert "cannot be decoded" in context.warnings[0]
    with open_video(tmp_path / "result.mp4") as reader:
        assert reader.facts.audio_codecs == ()


def test_the_first_sound_that_can_be_decoded_is_taken(tmp_path: Path) -> None:
    clip = tmp_path / "data_dst.mp4"
    silent = make_clip(tmp_path / "silent.mp4", frames=12)
    tones = ["-f", "lavfi", "-i", "sine=300:d=0.48", "-f", "lavfi", "-i", "sine=440:d=0.48"]
    maps = ["-map", "0", "-map", "1", "-map", "2"]
    codecs = ["-c:v", "copy", "-c:a:0", "ac3", "-c:a:1", "aac"]
    run_ffmpeg(["-i", str(silent), *tones, *maps, *codecs, str(clip)])
    data = clip.read_bytes()
    clip.write_bytes(data.replace(b"ac-3", b"zzzz").replace(b"dac3", b"free"))
    with open_video(clip) as reader:
        assert reader.facts.audio_codecs == ("", "aac")
    merge_numbers(tmp_path, range(12))
    render(tmp_path)
    with open_video(tmp_path / "result.mp4") as reader:
        assert reader.facts.audio_codecs == ("aac",)


def test_missing_masks_are_named(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    (tmp_path / "data_dst" / "merged_mask").mkdir()
    write_image(tmp_path / "data_dst" / "merged_mask" / "00001.png", numbered_frame(0))
    refused(tmp_path, "missing: 00002, 00003")


def test_two_pictures_for_one_frame_are_refused(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    write_image(tmp_path / "data_dst" / "merged" / "00002.jpg", numbered_frame(1))
    refused(tmp_path, "two pictures for 00002")


def test_frames_of_mixed_sizes_are_refused_before_encoding(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    write_image(tmp_path / "data_dst" / "merged" / "00003.png", numbered_frame(2, 178, 96))
    refused(tmp_path, r"00003\.png is 178x96")


def test_a_torn_merged_frame_is_refused_by_name(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(12))
    torn = tmp_path / "data_dst" / "merged" / "00009.png"
    torn.write_bytes(torn.read_bytes()[:-50])
    refused(tmp_path, r"00009\.png: the PNG is cut off")


def test_no_merged_frames_are_refused(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    refused(tmp_path, "no merged frames")


def test_a_damaged_destination_video_is_refused(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(3))
    (tmp_path / "data_dst.mp4").write_text("not a video")
    refused(tmp_path, r"data_dst\.mp4: it cannot be opened")


def test_a_stopped_render_leaves_no_result(tmp_path: Path) -> None:
    merge_numbers(tmp_path, range(40))
    before = listing(tmp_path)
    context = context_for(tmp_path, "video-render")
    context.stop_after = 10
    with pytest.raises(Stopped):
        render_video(context)
    assert listing(tmp_path) == before


def test_a_failing_ffmpeg_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge_numbers(tmp_path, range(3))
    program = tmp_path / "ffmpeg.sh"
    program.write_text("#!/bin/sh\necho the dog ate the encoder >&2\nexit 7\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    with pytest.raises(StageError, match=r"status 7(.|\n)*the dog ate the encoder"):
        render(tmp_path)
    assert not list(tmp_path.glob("*result*"))
    assert not list(tmp_path.glob(".result*"))


def test_an_ffmpeg_that_cannot_be_started_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge_numbers(tmp_path, range(3))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nowhere"))
    with pytest.raises(StageError, match="nowhere: No such file"):
        render(tmp_path)


def test_a_full_disk_is_told_and_leaves_no_result(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "700k") as root:
        merge_numbers(root, range(10))
        (root / "filler").write_bytes(bytes(shutil.disk_usage(root).free - 10_000))
        with pytest.raises(InputError, match="No space left on device"):
            render(root, kind="mov-lossless")
        assert not list(root.glob("*result*")) + list(root.glob(".result*"))


@pytest.mark.slow
def test_a_killed_render_leaves_no_result_and_the_next_one_sweeps_up(tmp_path: Path) -> None:
    merge_numbers(tmp_path, [number % 50 for number in range(300)], (320, 240))
    code = (
        "import sys; from pathlib import Path; from tests.support.context import context_for;"
        "from engine.stages.video_render.run import render_video;"
        "render_video(context_for(Path(sys.argv[1]), 'video-render', kind='mov-lossless'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        if any(part.stat().st_size > 100_000 for part in tmp_path.glob(".result*")):
            break
    process.kill()
    process.wait()
    assert not (tmp_path / "result.mov").exists()
    render(tmp_path, kind="mov-lossless")
    assert not list(tmp_path.glob(".result*"))
    assert len(decoded(tmp_path / "result.mov")[0]) == 300
