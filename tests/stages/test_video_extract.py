"""Frames out of videos: the right ones, in order, upright, resumable, and no other file touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.media.frame_record import read_record
from engine.media.images import read_image_bgr_u8, write_image
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped, UsageError
from engine.protocol.workspace import list_images
from engine.stages.video_extract.run import extract_video
from tests.support.clips import (
    frame_number,
    frame_numbers,
    listing,
    make_clip,
    make_vfr_clip,
    numbered_frame,
    run_ffmpeg,
)
from tests.support.context import RecordingContext, context_for
from tests.support.disks import small_disk
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow


def extract(root: Path, *, confirmed: bool = False, **options: Any) -> RecordingContext:
    """Run the stage in this process; its context tells what it reported."""
    context: RecordingContext = context_for(root, "video-extract", confirmed=confirmed, **options)
    extract_video(context)
    return context


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_images(folder)}


def test_a_clip_gives_every_frame_once_in_order(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=40)
    context = extract(tmp_path)
    assert [path.name for path in list_images(tmp_path / "data_dst")][::39] == [
        "00001.png",
        "00040.png",
    ]
    assert frame_numbers(tmp_path / "data_dst") == list(range(40))
    assert context.facts["frames"] == 40
    assert context.reported[-1] == (40, 40)


TECH = {
    "film23976_bframes.mp4": (0, 60, Fraction(24000, 1001)),
    "ntsc2997_tone.mp4": (0, 60, Fraction(30000, 1001)),
    "vfr.mp4": (0, 60, None),
    "editlist_start.mp4": (17, 43, Fraction(24000, 1001)),
    "odd_321x239_ffv1.mkv": (0, 24, Fraction(25)),
    "tenbit_hevc.mp4": (0, 30, Fraction(25)),
    "alpha_prores4444.mov": (0, 12, Fraction(25)),
}


@pytest.mark.parametrize("name", TECH)
def test_a_reference_clip_gives_exactly_its_frames_and_rate(tmp_path: Path, name: str) -> None:
    first, frames, rate_hz = TECH[name]
    clip = shared_path("media", "tech", name)
    shutil.copy(clip, tmp_path / f"data_dst{clip.suffix}")
    context = extract(tmp_path)
    assert frame_numbers(tmp_path / "data_dst") == list(range(first, first + frames))
    record = read_record(context.workspace, "dst")
    assert record is not None
    timing = record.exact_timing()
    assert timing is not None
    assert (timing.frames, timing.rate_hz) == (frames, rate_hz)


def test_a_turned_reference_clip_is_written_upright(tmp_path: Path) -> None:
    shutil.copy(shared_path("media", "tech", "rot90.mp4"), tmp_path / "data_dst.mp4")
    extract(tmp_path)
    upright = [read_image_bgr_u8(path) for path in list_images(tmp_path / "data_dst")]
    assert {image.shape for image in upright} == {(320, 240, 3)}
    stored = [np.ascontiguousarray(np.rot90(image, k=-1)) for image in upright]
    assert [frame_number(image) for image in stored] == list(range(60))


def test_an_odd_size_is_kept(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mkv", size_px=(177, 97), codec=("-c:v", "ffv1"))
    extract(tmp_path)
    assert read_image_bgr_u8(tmp_path / "data_dst" / "00001.png").shape == (97, 177, 3)


def test_a_variable_rate_keeps_its_time_stamps(tmp_path: Path) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100] * 3)
    context = extract(tmp_path)
    assert frame_numbers(tmp_path / "data_dst") == list(range(15))
    record = read_record(context.workspace, "dst")
    assert record is not None
    timing = record.exact_timing()
    assert timing is not None
    times_ms = [round(timing.stamp(index) * timing.time_base * 1000) for index in range(6)]
    assert times_ms == [0, 33, 66, 133, 173, 273]


def test_colours_are_those_of_the_picture_whatever_matrix_the_video_uses(tmp_path: Path) -> None:
    flat = np.zeros((96, 176, 3), np.uint8)
    colours = [(200, 30, 40), (40, 180, 60), (30, 60, 220), (128, 128, 128)]
    for index, colour in enumerate(colours):
        flat[:, index * 44 : (index + 1) * 44] = colour
    for matrix, tag, shown_range in (
        ("bt709", "bt709", "tv"),
        ("bt601", "smpte170m", "tv"),
        ("bt709", "bt709", "pc"),
    ):
        root = tmp_path / f"{tag}-{shown_range}"
        root.mkdir()
        tags = f"setparams=colorspace={tag}:range={shown_range}"
        scale = f"scale=out_color_matrix={matrix}:out_range={shown_range}"
        arguments = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "176x96", "-i", "pipe:0", "-vf"]
        arguments += [f"{scale}:flags=accurate_rnd,format=yuv420p,{tags}", "-qp", "0"]
        run_ffmpeg([*arguments, str(root / "data_dst.mp4")], flat.tobytes())
        extract(root)
        read = read_image_bgr_u8(root / "data_dst" / "00001.png")
        for index, colour in enumerate(colours):
            patch = read[20:76, index * 44 + 8 : index * 44 + 36].astype(int)
            assert np.abs(patch - colour).max() <= 3, (tag, shown_range, colour)


def test_frames_per_second_choose_frames_by_time(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_src.mp4", frames=30, rate="30")
    extract(tmp_path, side="src", fps=10)
    assert frame_numbers(tmp_path / "data_src") == list(range(0, 30, 3))


def test_frames_per_second_of_a_variable_rate_go_by_time_too(tmp_path: Path) -> None:
    make_vfr_clip(tmp_path / "data_src.mp4", [10] * 20 + [200] * 3)
    extract(tmp_path, side="src", fps=5)
    assert frame_numbers(tmp_path / "data_src") == [0, 20, 21, 22]


def test_more_frames_per_second_than_there_are_give_each_frame_once(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_src.mp4", frames=10, rate="10")
    extract(tmp_path, side="src", fps=60)
    assert frame_numbers(tmp_path / "data_src") == list(range(10))


def test_dst_frames_are_never_thinned_out(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    before = listing(tmp_path)
    with pytest.raises(UsageError, match="--fps 12 with --side dst"):
        extract(tmp_path, fps=12)
    assert listing(tmp_path) == before


def test_jpeg_frames_are_written_when_asked_for(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=5)
    extract(tmp_path, format="jpg", jpeg_quality=90)
    assert [path.name for path in list_images(tmp_path / "data_dst")][-1] == "00005.jpg"
    assert frame_numbers(tmp_path / "data_dst") == list(range(5))


def test_a_stopped_extraction_goes_on_and_ends_with_the_same_files(tmp_path: Path) -> None:
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    for root in (whole, halved):
        root.mkdir()
    make_clip(whole / "data_dst.mp4", frames=60)
    shutil.copy2(whole / "data_dst.mp4", halved / "data_dst.mp4")
    extract(whole)
    context = context_for(halved, "video-extract")
    context.stop_after = 20
    with pytest.raises(Stopped):
        extract_video(context)
    made = listing(halved / "data_dst")
    assert 20 <= len(made) < 60
    resumed = extract(halved)
    assert content(halved / "data_dst") == content(whole / "data_dst")
    assert made.items() <= listing(halved / "data_dst").items(), "whole frames are not made twice"
    assert resumed.facts["written"] == 60 - len(made)


def test_a_finished_extraction_has_nothing_to_do(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    extract(tmp_path)
    before = listing(tmp_path)
    context = extract(tmp_path)
    assert context.notes == ["all 12 frames are there already: nothing to do"]
    assert context.facts["written"] == 0
    assert listing(tmp_path) == before


def test_a_torn_or_lost_frame_is_made_again(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=40)
    extract(tmp_path)
    good = content(tmp_path / "data_dst")
    (tmp_path / "data_dst" / "00003.png").write_bytes(b"")
    (tmp_path / "data_dst" / "00021.png").unlink()
    torn = tmp_path / "data_dst" / "00040.png"
    torn.write_bytes(torn.read_bytes()[:100])
    assert extract(tmp_path).facts["written"] == 3
    assert content(tmp_path / "data_dst") == good


@pytest.mark.slow
def test_a_killed_extraction_leaves_whole_frames_only_and_goes_on(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=150, size_px=(640, 480))
    code = (
        "import sys; from pathlib import Path; from tests.support.context import context_for;"
        "from engine.stages.video_extract.run import extract_video;"
        "extract_video(context_for(Path(sys.argv[1]), 'video-extract'))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while len(list_images(tmp_path / "data_dst")) < 10 and time.monotonic() < deadline:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    made = list_images(tmp_path / "data_dst")
    assert 10 <= len(made) < 150
    assert [frame_number(read_image_bgr_u8(path)) + 1 for path in made] == [
        int(path.stem) for path in made
    ]
    extract(tmp_path)
    assert frame_numbers(tmp_path / "data_dst") == list(range(150))
    assert [path.name for path in (tmp_path / "data_dst").iterdir() if path.name[0] == "."] == []


def test_other_settings_need_a_confirmation_and_change_nothing_without(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    extract(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(ConfirmationNeeded, match="holds 12 frames"):
        extract(tmp_path, format="jpg")
    with pytest.raises(ConfirmationNeeded):
        extract(tmp_path, fresh=True)
    assert listing(tmp_path) == before


def test_confirmed_other_settings_move_the_old_frames_to_the_trash(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    old = content(extract(tmp_path).workspace.dst.frames)
    extract(tmp_path, confirmed=True, format="jpg")
    assert [path.suffix for path in list_images(tmp_path / "data_dst")] == [".jpg"] * 12
    (trash,) = (tmp_path / ".facewright" / "trash").iterdir()
    assert content(trash / "data_dst") == old


def test_frames_of_another_program_are_not_taken_for_ours(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    (tmp_path / "data_dst").mkdir()
    write_image(tmp_path / "data_dst" / "00001.png", numbered_frame(500))
    with pytest.raises(ConfirmationNeeded, match="holds 1 frames"):
        extract(tmp_path)


def test_another_video_of_the_same_name_is_noticed(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    extract(tmp_path)
    make_clip(tmp_path / "data_dst.mp4", frames=20)
    with pytest.raises(ConfirmationNeeded):
        extract(tmp_path)


def test_photos_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_src.mp4")
    (tmp_path / "data_src" / "aligned").mkdir(parents=True)
    for name in ("IMG_0001.jpg", "12.png", "aligned/00001_0.jpg"):
        write_image(tmp_path / "data_src" / name, numbered_frame(1))
    photos = listing(tmp_path / "data_src")
    context = extract(tmp_path, side="src")
    extract(tmp_path, side="src", confirmed=True, format="jpg")
    assert photos.items() <= listing(tmp_path / "data_src").items()
    assert any("2 pictures with other names" in text for text in context.warnings)


def test_a_damaged_record_is_treated_as_none(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    extract(tmp_path)
    record = tmp_path / ".facewright" / "stages" / "video-extract-dst.json"
    record.write_bytes(record.read_bytes()[:-20])
    with pytest.raises(ConfirmationNeeded):
        extract(tmp_path)


def refused(root: Path, pattern: str, **options: Any) -> None:
    """The stage refuses with an `InputError` and leaves the tree as it was."""
    before = listing(root)
    with pytest.raises(InputError, match=pattern):
        extract(root, **options)
    assert listing(root) == before
    assert not (root / "data_dst").exists() or (root / "data_dst").is_file()


def test_no_video_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"no video data_dst\.\*")


def test_a_text_file_named_like_a_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data_dst.mp4").write_text("I am no video\n" * 50)
    refused(tmp_path, r"data_dst\.mp4: it cannot be opened as a video")


def test_an_empty_file_named_like_a_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data_dst.mp4").touch()
    refused(tmp_path, r"data_dst\.mp4: it cannot be opened")


def test_a_file_with_sound_only_is_refused(tmp_path: Path) -> None:
    run_ffmpeg(["-f", "lavfi", "-i", "sine=440", "-t", "1", str(tmp_path / "data_dst.m4a")])
    (tmp_path / "data_dst.m4a").rename(tmp_path / "data_dst.mp4")
    refused(tmp_path, "it has no video stream")


def test_a_video_without_one_frame_is_refused(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "whole.mkv", frames=3)
    data = clip.read_bytes()
    clip.unlink()
    (tmp_path / "data_dst.mkv").write_bytes(data[:600])
    refused(tmp_path, r"data_dst\.mkv")


def test_a_playlist_that_calls_itself_a_video_is_not_followed(tmp_path: Path) -> None:
    make_clip(tmp_path / "secret.ts", frames=3, before_output=("-f", "mpegts"))
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "http://127.0.0.1:9/a.ts"]
    (tmp_path / "data_dst.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST"]))
    refused(tmp_path, r"data_dst\.m3u8")


def test_a_file_in_the_place_of_the_frames_folder_is_refused(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    (tmp_path / "data_dst").write_text("mine")
    refused(tmp_path, "is a file, not a folder")


def test_a_disk_that_is_certainly_too_small_is_refused_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    free = shutil._ntuple_diskusage(1000, 1000, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    refused(tmp_path, "the disk is too small")


def test_a_disk_that_becomes_full_keeps_the_finished_frames(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the frames grow beyond it."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 176, 3), dtype=np.uint8)
    raw = b"".join(numbered_frame(index).tobytes() for index in range(20)) + noise.tobytes() * 5
    arguments = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "176x96", "-i", "pipe:0"]
    run_ffmpeg([*arguments, "-c:v", "ffv1", str(tmp_path / "data_dst.mkv")], raw)
    code = (
        "import resource, sys; from pathlib import Path;"
        "from tests.support.context import context_for;"
        "from engine.protocol.errors import InputError;"
        "from engine.stages.video_extract.run import extract_video;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000));\n"
        "try: extract_video(context_for(Path(sys.argv[1]), 'video-extract'))\n"
        "except InputError as error: sys.exit(error.message)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert frame_numbers(tmp_path / "data_dst") == list(range(20))
    assert len(list((tmp_path / "data_dst").iterdir())) == 20
    extract(tmp_path)
    assert len(list_images(tmp_path / "data_dst")) == 25


def noisy_end_clip(path: Path) -> Path:
    """20 frames that compress well, then 40 that do not: no estimate foresees them."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 176, 3), dtype=np.uint8)
    raw = b"".join(numbered_frame(index).tobytes() for index in range(20)) + noise.tobytes() * 40
    arguments = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "176x96", "-i", "pipe:0"]
    run_ffmpeg([*arguments, "-c:v", "libx264", "-crf", "20", str(path)], raw)
    return path


def test_a_really_full_disk_is_told_and_the_finished_frames_are_whole(tmp_path: Path) -> None:
    clip = noisy_end_clip(tmp_path / "data_dst.mp4")
    with small_disk(tmp_path / "disk", "1200k") as root:
        shutil.copy(clip, root)
        with pytest.raises(InputError, match="the disk is full"):
            extract(root)
        assert [*root.rglob("*.part*")] == []
        assert frame_numbers(root / "data_dst")[:20] == list(range(20))


def test_a_disk_much_too_small_is_refused_by_the_first_frame(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "data_dst.mp4", frames=400)
    with small_disk(tmp_path / "disk", "1000k") as root:
        shutil.copy(clip, root)
        context_for(root, "video-extract")  # makes the run's folder
        refused(root, "the disk is too small: about")


def test_a_damaged_video_gives_its_readable_frames_and_a_warning(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "data_dst.mkv", frames=90, before_output=("-g", "10"))
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    context = extract(tmp_path)
    numbers = frame_numbers(tmp_path / "data_dst")
    assert 20 < len(numbers) < 60
    assert numbers == list(range(len(numbers)))
    assert any("seems to be cut off" in text for text in context.warnings)


def test_damage_in_the_middle_costs_only_the_damaged_frames(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "data_dst.mkv", frames=30, codec=("-c:v", "ffv1", "-slicecrc", "1"))
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = b"\0" * 2000
    clip.write_bytes(data)
    context = extract(tmp_path)
    assert set(frame_numbers(tmp_path / "data_dst")) > set(range(10))
    assert any("damaged" in text for text in context.warnings)


def test_oddities_of_a_video_are_told(tmp_path: Path) -> None:
    interlaced = ("-vf", "setsar=4/3", "-flags", "+ildct+ilme", "-x264opts", "tff=1")
    make_clip(tmp_path / "data_dst.mp4", before_output=interlaced)
    warnings = " ".join(extract(tmp_path).warnings)
    assert "interlaced" in warnings
    assert "not square (4/3)" in warnings


def test_names_of_a_hundred_thousand_frames_sort_in_their_order(tmp_path: Path) -> None:
    """The container claims 6 digits' worth of frames; all names get 6 digits."""
    stamps = ("-vf", "settb=1/1000,setpts='if(eq(N,11),100000000,N*1000)'")
    more = (*stamps, "-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    make_clip(tmp_path / "data_src.mkv", before_output=more)
    extract(tmp_path, side="src", fps=1)
    names = [path.name for path in list_images(tmp_path / "data_src")]
    assert names == [f"{number:06d}.png" for number in range(1, 13)]


def test_frames_are_plain_eight_bit_colour_files(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=2)
    extract(tmp_path)
    stored = cv2.imread(str(tmp_path / "data_dst" / "00001.png"), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    assert (stored.shape, stored.dtype) == ((96, 176, 3), np.uint8)
