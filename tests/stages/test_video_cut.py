"""Pieces of videos, exact to the frame."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.media.video_read import open_video
from engine.protocol.errors import ConfirmationNeeded, InputError, Stopped, UsageError
from engine.stages.video_cut.run import cut_video
from tests.support.clips import (
    frame_number,
    listing,
    make_clip,
    make_vfr_clip,
    run_ffmpeg,
    with_undecodable,
)
from tests.support.context import RecordingContext, context_for
from tests.support.shared import shared_path

pytestmark = pytest.mark.slow


def cut(root: Path, *, confirmed: bool = False, **options: Any) -> RecordingContext:
    """Run the stage in this process; its context tells what it reported."""
    context: RecordingContext = context_for(root, "video-cut", confirmed=confirmed, **options)
    cut_video(context)
    return context


def numbers_and_times_ms(path: Path) -> tuple[list[int], list[int]]:
    with open_video(path) as reader:
        both = [(frame_number(f.to_bgr_u8()), round(f.time_s * 1000)) for f in reader.frames()]
    return [number for number, _ in both], [time_ms for _, time_ms in both]


@pytest.mark.parametrize(
    ("begin", "end", "frames"),
    [(0, 0, range(50)), ("0.4", "0.8", range(10, 20)), (0.41, 0.81, range(11, 21)), (1.5, 9, 0)],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_piece_holds_exactly_the_frames_from_begin_to_before_the_end(
    tmp_path: Path, suffix: str, begin: Any, end: Any, frames: Any
) -> None:
    make_clip(tmp_path / f"data_dst{suffix}", frames=50, before_output=("-g", "30"))
    context = cut(tmp_path, **{"from": begin, "to": end})
    wanted = list(frames or range(38, 50))
    assert numbers_and_times_ms(tmp_path / f"data_dst_cut{suffix}")[0] == wanted
    assert context.facts["frames"] == len(wanted)


def test_a_piece_of_a_reference_clip_begins_at_the_right_frame(tmp_path: Path) -> None:
    clip = shared_path("media", "tech", "film23976_bframes.mp4")
    shutil.copy(clip, tmp_path / "data_src.mp4")
    cut(tmp_path, side="src", **{"from": "0.709", "to": "1.46"})
    numbers, _ = numbers_and_times_ms(tmp_path / "data_src_cut.mp4")
    assert numbers == list(range(17, 36))  # frame 17 is shown at 0.70904 s, 35 at 1.45979 s


def test_a_piece_of_a_variable_rate_keeps_the_times_between_frames(tmp_path: Path) -> None:
    make_vfr_clip(tmp_path / "data_dst.mp4", [33, 33, 67, 40, 100] * 4)
    cut(tmp_path, **{"from": 0.273})
    numbers, times_ms = numbers_and_times_ms(tmp_path / "data_dst_cut.mp4")
    assert numbers == list(range(5, 20))
    assert times_ms[:6] == [0, 33, 66, 133, 173, 273]


def test_a_piece_of_a_turned_video_is_upright(tmp_path: Path) -> None:
    shutil.copy(shared_path("media", "tech", "rot90.mp4"), tmp_path / "data_dst.mp4")
    cut(tmp_path, **{"from": 1})
    with open_video(tmp_path / "data_dst_cut.mp4") as reader:
        picture = next(reader.frames()).to_bgr_u8()
    assert picture.shape == (320, 240, 3)
    assert frame_number(np.ascontiguousarray(np.rot90(picture, k=-1))) == 24


def test_the_sound_is_cut_with_the_pictures_and_its_track_can_be_chosen(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", frames=75)
    tones = ["-f", "lavfi", "-i", "sine=440:r=48000:d=3", "-f", "lavfi", "-i", "sine=880:r=24000"]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:v", "copy", "-t", "3"]
    run_ffmpeg(["-i", str(silent), *tones, *maps, str(tmp_path / "data_dst.mp4")])
    cut(tmp_path, audio_track=1, **{"from": 1, "to": 2})
    with av.open(str(tmp_path / "data_dst_cut.mp4")) as container:
        (stream,) = container.streams.audio
        assert stream.rate == 24000
        assert abs(sum(frame.samples for frame in container.decode(stream)) / 24000 - 1) < 0.1


def test_a_video_elsewhere_is_cut_beside_itself_and_an_earlier_piece_kept(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "workspace").mkdir()
    clip = make_clip(tmp_path / "elsewhere" / "holiday.mp4")
    (tmp_path / "elsewhere" / "holiday_cut.mp4").write_text("precious")
    with pytest.raises(ConfirmationNeeded):
        cut(tmp_path / "workspace", input=str(clip), to=0.2)
    cut(tmp_path / "workspace", input=str(clip), to=0.2, confirmed=True)
    assert (tmp_path / "elsewhere" / "holiday_cut.1.mp4").read_text() == "precious"
    assert numbers_and_times_ms(tmp_path / "elsewhere" / "holiday_cut.mp4")[0] == list(range(5))


def test_an_earlier_piece_in_the_workspace_goes_to_the_trash(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    (tmp_path / "data_dst_cut.mp4").write_text("precious")
    cut(tmp_path, confirmed=True)
    (trash,) = (tmp_path / ".facewright" / "trash").iterdir()
    assert (trash / "data_dst_cut.mp4").read_text() == "precious"


def test_a_container_that_cannot_hold_the_piece_becomes_an_mp4(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.webm", codec=("-c:v", "libvpx"))
    cut(tmp_path, to=0.2)
    assert numbers_and_times_ms(tmp_path / "data_dst_cut.mp4")[0] == list(range(5))


@pytest.mark.parametrize(
    ("options", "error", "pattern"),
    [
        ({"from": 0.5, "to": 0.5}, UsageError, "the end must come after the begin"),
        ({"from": 0.4, "to": 0.2}, UsageError, "the end must come after the begin"),
        ({"from": 7}, UsageError, r"data_dst\.mp4 ends at 0\.480 s"),
        ({"audio_track": 1}, UsageError, "has 0 audio tracks"),
        ({"input": "/nowhere/clip.mp4"}, InputError, r"no file /nowhere/clip\.mp4"),
        ({"side": "src"}, InputError, r"no video data_src\.\*"),
        ({"from": 0.45, "to": 0.46}, InputError, r"no frame between 0\.45 s and 0\.46 s"),
    ],
)
def test_what_cannot_be_cut_is_refused_and_changes_nothing(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], pattern: str
) -> None:
    make_clip(tmp_path / "data_dst.mp4")
    before = listing(tmp_path)
    with pytest.raises(error, match=pattern):
        cut(tmp_path, **options)
    assert listing(tmp_path) == before


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data_dst.mp4").write_text("no video")
    with pytest.raises(InputError, match="cannot be opened as a video"):
        cut(tmp_path)


def test_a_stopped_cut_leaves_nothing(tmp_path: Path) -> None:
    make_clip(tmp_path / "data_dst.mp4", frames=100)
    before = listing(tmp_path)
    context = context_for(tmp_path, "video-cut")
    context.stop_requested = True
    with pytest.raises(Stopped):
        cut_video(context)
    assert listing(tmp_path) == before


def test_sound_that_cannot_be_decoded_is_told_and_left_out(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "data_dst.mp4", frames=20, tone=True)
    with_undecodable(clip, sample_entry=b"mp4a")
    context = cut(tmp_path, **{"from": "0.4"})
    assert "cannot be decoded" in context.warnings[0]
    assert numbers_and_times_ms(tmp_path / "data_dst_cut.mp4")[0] == list(range(10, 20))
