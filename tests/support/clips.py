"""Tiny videos made with the real ffmpeg; every frame carries its number, readable from pixels.

The number stands in the top 10 rows: 16 squares of 10x10 px from the left, square b white when bit
b is set, as in the reference clips.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from engine.media.images import ImageU8, read_image_bgr_u8
from engine.protocol.workspace import list_images

SQUARES = 16
SQUARE_PX = 10


def numbered_frame(number: int, width_px: int = 176, height_px: int = 96) -> ImageU8:
    """A (h, w, 3) BGR picture: a smooth ground that moves with the number, and the number."""
    y, x = np.mgrid[0:height_px, 0:width_px]
    planes = [x + 3 * number, y + x // 2, 255 - y + number]
    image = (np.stack(planes, axis=-1) % 200 + 20).astype(np.uint8)
    for bit in range(SQUARES):
        left = bit * SQUARE_PX
        image[:SQUARE_PX, left : left + SQUARE_PX] = 255 if number >> bit & 1 else 0
    return image


def frame_number(image_bgr_u8: ImageU8) -> int:
    """The number burned into a picture."""
    number = 0
    for bit in range(SQUARES):
        left = bit * SQUARE_PX + 3
        number |= int(image_bgr_u8[3:7, left : left + 4].mean() > 128) << bit
    return number


def frame_numbers(folder: Path) -> list[int]:
    """The numbers of a folder's pictures, by name."""
    return [frame_number(read_image_bgr_u8(path)) for path in list_images(folder)]


def make_clip(
    path: Path,
    *,
    frames: int = 12,
    rate: str = "25",
    size_px: tuple[int, int] = (176, 96),
    before_output: Sequence[str] = (),
    tone: bool = False,
    codec: Sequence[str] = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12"),
) -> Path:
    """A clip of `frames` numbered frames, made by ffmpeg; `before_output` are more of its options.
    With `tone` it has 440 Hz in AAC, as long as the pictures."""
    width_px, height_px = size_px
    raw = b"".join(
        numbered_frame(number, width_px, height_px).tobytes() for number in range(frames)
    )
    video = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width_px}x{height_px}", "-r", rate]
    sound = ["-f", "lavfi", "-i", "sine=440:r=48000", "-shortest", "-c:a", "aac"] if tone else []
    run_ffmpeg([*video, "-i", "pipe:0", *sound, *codec, *before_output, str(path)], raw)
    return path


def with_undecodable(path: Path, *, sample_entry: bytes) -> Path:
    """The MP4 at `path`, changed so that its tracks of that kind (`mp4a`, `avc1`) say to be of a
    codec that nobody knows."""
    data = path.read_bytes()
    moov = data.rindex(b"moov")
    head = data[moov:].replace(sample_entry, b"zzzz").replace(b"esds", b"free")
    path.write_bytes(data[:moov] + head)
    return path


def run_ffmpeg(arguments: Sequence[str], stdin: bytes = b"") -> None:
    """Run ffmpeg to its end; fails with its message."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-v", "error", "-y", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def make_vfr_clip(path: Path, durations_ms: Sequence[int]) -> Path:
    """A clip in which frame i is shown for `durations_ms[i]`."""
    expression = "0"
    total_ms = 0
    for number, duration_ms in enumerate(durations_ms):
        expression = f"if(eq(N\\,{number})\\,{total_ms}\\,{expression})"
        total_ms += duration_ms
    stamps = ["-vf", f"settb=1/1000,setpts={expression}", "-fps_mode", "passthrough"]
    more = [*stamps, "-enc_time_base", "1/1000", "-video_track_timescale", "1000"]
    return make_clip(path, frames=len(durations_ms), before_output=more)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below `folder` with size and time of change: equal listings, nothing touched."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
