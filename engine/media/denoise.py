"""Noise taken out of a sequence of frames: ffmpeg's filter hqdn3d, fed and read through pipes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TypeVar

import numpy as np

from engine.media.ffmpeg import Ffmpeg
from engine.media.images import ImageU8

Label = TypeVar("Label")
Frame = tuple[Label, ImageU8]

# DFL's `hqdn3d=F:F:5:5`: F within a picture, this from one picture to the next.
_OVER_TIME = 5
# BGR survives the way to 16-bit YUV and back unchanged; with 8 bits it is up to 2 levels off.
_FILTER = "format=yuv444p16le,hqdn3d={factor}:{factor}:{time}:{time}"
_EXACT = "accurate_rnd+full_chroma_int"


def denoised(
    frames: Iterable[Frame[Label]], factor: int, while_waiting: Callable[[], None]
) -> Generator[Frame[Label]]:
    """The frames (label, (h, w, 3) uint8 BGR) in order, denoised with strength `factor` 1..20.

    Where the frames' size changes the filter begins anew, as after a cut. `while_waiting` is called
    for every frame and may raise. An error of `frames` is raised after the frames before it.
    """
    for shape, group in groupby(frames, lambda frame: frame[1].shape):
        yield from _of_one_size(group, (shape[0], shape[1]), factor, while_waiting)


def _of_one_size(
    frames: Iterator[Frame[Label]],
    shape_hw: tuple[int, int],
    factor: int,
    while_waiting: Callable[[], None],
) -> Generator[Frame[Label]]:
    height, width = shape_hw
    labels: deque[Label] = deque()  # of the frames under way, in order
    # The feeding thread is waited for last: it ends when ffmpeg does.
    with (
        ThreadPoolExecutor(1) as executor,
        Ffmpeg(_arguments(width, height, factor), task="denoise the frames") as ffmpeg,
    ):
        feeding = executor.submit(_feed, ffmpeg, frames, labels)
        while len(data := ffmpeg.stdout.read(height * width * 3)) == height * width * 3:
            while_waiting()
            yield labels.popleft(), np.frombuffer(data, np.uint8).reshape(height, width, 3)
        feeding.result()
        ffmpeg.finish(while_waiting)
        if labels:
            raise ffmpeg.failure()


def _arguments(width_px: int, height_px: int, factor: int) -> list[str]:
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24"]
    filters = _FILTER.format(factor=factor, time=_OVER_TIME)
    return [
        *(*raw, "-s", f"{width_px}x{height_px}", "-i", "pipe:0"),
        *("-vf", filters, "-sws_flags", _EXACT, "-fps_mode", "passthrough"),
        *(*raw, "pipe:1"),
    ]


def _feed(ffmpeg: Ffmpeg, frames: Iterable[Frame[Label]], labels: deque[Label]) -> None:
    try:
        for label, image in frames:
            labels.append(label)
            ffmpeg.stdin.write(np.ascontiguousarray(image).data)
    except BrokenPipeError:
        return  # ffmpeg gave up: its status tells why
    finally:
        ffmpeg.close_stdin()
