"""The stage `video-denoise`: the dst frames without noise, under their own names."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from engine.media.bounded_pool import BoundedPool, pool_threads
from engine.media.denoise import denoised
from engine.media.images import ImageU8, read_image_bgr_u8, write_image
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import list_images
from engine.stages.beside import NAMED_AT_MOST, Beside

FOLDER = "denoised"


def run(context: StageContext) -> None:
    """Denoise the frames of data_dst, going on where an earlier run stopped.

    Raises `ConfirmationNeeded` without the user's word; `InputError` when no frame can be read or
    the disk is full, `Stopped` with every frame whole under its own name.
    """
    side = context.workspace.dst
    frames = list_images(side.frames)
    if not context.confirmed:
        raise ConfirmationNeeded(
            f"the {len(frames)} frames in {side.frames} are to be replaced",
            "confirm (--yes): the originals go to the workspace's trash",
        )
    factor = context.options["factor"]
    folder = side.frames / FOLDER
    beside = Beside(context, "video-denoise-dst", side.frames, folder, {"factor": factor})
    beside.prepare(fresh=context.options["fresh"])
    started = time.monotonic()
    unreadable = 0 if beside.is_half_in_place else _denoise(beside, frames, factor)
    seconds = time.monotonic() - started
    replaced = beside.put_in_place("frames")
    context.result(
        frames=len(frames),
        denoised=replaced,
        left_out=unreadable,
        frames_per_s=round(replaced / seconds, 1) if seconds > 1 else None,
        folder=str(side.frames),
    )


def _denoise(beside: Beside, frames: Sequence[Path], factor: int) -> int:
    """Make the denoised frames that are missing. Returns how many frames cannot be read.

    Each depends on all before it, so the filter always sees all frames; what a stopped run has
    written needs no writing again.
    """
    context = beside.context
    finished = beside.done((frame, beside.made / frame.name) for frame in frames)
    if any((beside.made / frame.name).exists() for frame in frames if frame not in finished):
        finished = set()  # a frame has changed since: the ones after it differ, too
    problems: list[str] = []
    source = _readable(context, frames, problems)
    with BoundedPool(pool_threads()) as pool:
        for number, (frame, image) in enumerate(denoised(source, factor, context.check_stop), 1):
            if frame not in finished:
                pool.submit(partial(_write, beside.made / frame.name, image))
            done = max(len(finished), number - pool.unfinished)
            context.progress(done, len(frames), skipped=len(finished))
    context.progress(len(frames), len(frames), skipped=len(finished))
    if len(problems) == len(frames):
        raise InputError(
            f"none of the {len(frames)} frames can be read; the first: {problems[0]}",
            "extract the frames again",
            code="bad-picture",
        )
    return len(problems)


def _readable(
    context: StageContext, frames: Sequence[Path], problems: list[str]
) -> Iterator[tuple[Path, ImageU8]]:
    for frame in frames:
        try:
            image = read_image_bgr_u8(frame)
        except InputError as error:
            problems.append(error.message)
            if len(problems) <= NAMED_AT_MOST:
                context.warn(f"{frame.name} stays as it is: {error.message}", error.remedy)
            continue
        yield frame, image


def _write(path: Path, image: ImageU8) -> None:
    write_image(path, image)
