"""Results rendered from pictures that stand for merged frames, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.media.images import ImageU8, write_image
from engine.media.timing import timing_of
from engine.media.video_read import open_video
from engine.protocol.errors import InputError
from engine.stages.video_render.run import render_video
from tests.support.clips import listing, numbered_frame
from tests.support.consent import agree
from tests.support.context import RecordingContext, context_for


def render(root: Path, *, confirmed: bool = False, **options: Any) -> RecordingContext:
    """Run the stage in this process; its context tells what it reported."""
    agree(root)
    context: RecordingContext = context_for(root, "video-render", confirmed=confirmed, **options)
    render_video(context)
    return context


def merge_numbers(root: Path, numbers: Sequence[int], size_px: tuple[int, int] = (176, 96)) -> None:
    """Stand-ins for merged frames: pictures that carry `numbers`; both people agreed."""
    agree(root)
    folder = root / "data_dst" / "merged"
    folder.mkdir(parents=True, exist_ok=True)
    for index, number in enumerate(numbers, start=1):
        write_image(folder / f"{index:05d}.png", numbered_frame(number, *size_px))


def decoded(path: Path) -> tuple[list[ImageU8], list[Fraction]]:
    """A video's pictures and the times at which they are shown."""
    with open_video(path) as reader:
        both = [(frame.to_bgr_u8(), frame.time_s) for frame in reader.frames()]
    return [image for image, _ in both], [time_s for _, time_s in both]


def rate_hz(path: Path) -> Fraction | None:
    with open_video(path) as reader:
        stamps = [frame.pts for frame in reader.frames()]
        return timing_of(stamps, reader.facts.time_base, reader.facts.rates_hz).rate_hz


def sound_s(path: Path) -> tuple[str, float, float]:
    """The sound's codec and when it begins and ends, from the start of the file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
        last = frames[-1]
        end_s = last.time + last.samples / last.sample_rate
        return stream.codec_context.name, frames[0].time, end_s


def refused(root: Path, pattern: str, **options: Any) -> None:
    """The stage refuses with an `InputError` and leaves the tree as it was."""
    agree(root)
    before = listing(root)
    with pytest.raises(InputError, match=pattern):
        render(root, **options)
    assert listing(root) == before


def merge_masks(root: Path, count: int, size_px: tuple[int, int] = (176, 96)) -> list[ImageU8]:
    """Stand-ins for merged masks, which hold all of 0..255; returned as (h, w)."""
    width_px, height_px = size_px
    folder = root / "data_dst" / "merged_mask"
    folder.mkdir(parents=True)
    x = np.arange(width_px)[None] + np.zeros((height_px, 1), int)
    masks = [((x * 2 + 40 * number) % 256).astype(np.uint8) for number in range(count)]
    for number, mask in enumerate(masks, start=1):
        write_image(folder / f"{number:05d}.png", mask)
    return masks
