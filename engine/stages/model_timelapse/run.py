"""The stage `model-timelapse`: the preview history as a video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from engine.media.images import ImageU8, read_image_bgr_u8
from engine.media.timing import constant
from engine.media.video_write import VideoWriter
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import replacing, sweep_parts
from engine.protocol.model_files import (
    PREVIEW_HISTORY,
    list_preview_pictures,
    page_folder_name,
    read_preview_pictures,
)
from engine.protocol.stage import StageContext
from engine.stages.model_saves import model_folder
from engine.stages.video_render.encodings import Picture, mp4

# A single face of a small model is enlarged to this, so that it and the number can be seen.
LEAST_SIDE_PX = 256
ENCODING = {"control": "crf", "crf": 16}


@dataclass(frozen=True)
class Cut:
    """Which part of a page is shown: rows and columns of faces of `side_px` pixels, from 1; 0 is
    all of them."""

    side_px: int
    row: int
    column: int

    def of(self, page_bgr_u8: ImageU8) -> ImageU8:
        """That part; it is empty if the page does not have it."""
        return page_bgr_u8[self._span(self.row), self._span(self.column)]

    def _span(self, number: int) -> slice:
        return slice((number - 1) * self.side_px, number * self.side_px) if number else slice(None)


def make_timelapse(context: StageContext) -> None:
    """Write `timelapse-PAGE.mp4` to the model's folder.

    Raises `InputError` if there is no preview history, page, row or column, `ConfirmationNeeded` if
    such a video is there already; nothing has changed then.
    """
    folder = model_folder(context)
    page, pictures = _page(context, folder)
    cut = _cut(context, folder, pictures)
    target = folder / f"timelapse-{page}.mp4"
    if target.exists() and not context.confirmed:
        raise ConfirmationNeeded(
            f"{target} is there already",
            "confirm (--yes) to move it to the workspace's trash when the new one is whole",
        )
    sweep_parts(folder)
    with replacing(target) as beside:
        frames = _write(context, beside, pictures, cut)
        context.workspace.move_to_trash([target], "model-timelapse")
    context.result(video=str(target), frames=frames, pictures=len(pictures))


def _page(context: StageContext, folder: Path) -> tuple[str, list[tuple[int, Path]]]:
    pages = {page: found for page, found in list_preview_pictures(folder).items() if found}
    if not pages:
        raise InputError(
            f"{folder} has no preview history",
            "train with --write-preview-history for a while",
            code="no-preview-history",
        )
    wanted = page_folder_name(context.options["page"]) or next(iter(pages))
    if wanted not in pages:
        raise InputError(f"there is no page {wanted!r}", f"choose one of: {', '.join(pages)}")
    return wanted, pages[wanted]


def _cut(context: StageContext, folder: Path, pictures: list[tuple[int, Path]]) -> Cut:
    """The part to show. Raises `InputError` if the newest picture does not have it."""
    facts = read_preview_pictures(folder / PREVIEW_HISTORY)
    row, column = context.options["row"], context.options["column"]
    if facts is None and (row or column):
        raise InputError(
            f"{folder / PREVIEW_HISTORY} does not say how large its faces are",
            "make a timelapse of the whole page, without --row and --column",
        )
    cut = Cut(facts.side_px if facts else 1, row, column)
    newest = read_image_bgr_u8(pictures[-1][1])
    if not cut.of(newest).size:
        rows, columns = (length // cut.side_px for length in newest.shape[:2])
        raise InputError(
            f"the page has {rows} rows and {columns} columns of faces: no row {row}, column"
            f" {column}",
            "choose --row and --column within these, from 1; 0 shows all",
        )
    return cut


def _write(context: StageContext, path: Path, pictures: list[tuple[int, Path]], cut: Cut) -> int:
    """The video. Returns how many frames it has."""
    frames: int = max(1, round(context.options["seconds"] * context.options["fps"]))
    shown = cut.of(read_image_bgr_u8(pictures[-1][1]))
    enlarged = max(1, -(-LEAST_SIDE_PX // min(shown.shape[:2])))
    height_px, width_px = (length * enlarged for length in shown.shape[:2])
    writer = VideoWriter(
        path,
        width_px=width_px,
        height_px=height_px,
        timing=constant(frames, Fraction(context.options["fps"])),
        encoding=mp4(ENCODING, Picture(width_px, height_px)),
    )
    frame, drawn = np.zeros((height_px, width_px, 3), np.uint8), -1
    with writer:
        for number in range(frames):
            context.check_stop()
            wanted = number * len(pictures) // frames
            if wanted != drawn:
                frame, drawn = _frame(context, frame, pictures[wanted], cut, enlarged), wanted
            writer.write(frame)
            context.progress(number + 1, frames)
        writer.finish(context.check_stop)
    return frames


def _frame(
    context: StageContext, before: ImageU8, picture: tuple[int, Path], cut: Cut, enlarged: int
) -> ImageU8:
    """The frame of a picture; `before` if it cannot be read, or was thinned out meanwhile."""
    iteration, path = picture
    try:
        part = cut.of(read_image_bgr_u8(path))
    except InputError as error:
        context.warn(f"left out: {error.message}")
        return before
    frame = np.zeros_like(before)  # a run with a smaller batch made fewer rows
    part = np.repeat(np.repeat(part, enlarged, axis=0), enlarged, axis=1)
    part = part[: frame.shape[0], : frame.shape[1]]
    frame[: part.shape[0], : part.shape[1]] = part
    if context.options["show_iteration"]:
        _write_number(frame, iteration)
    return frame


def _write_number(frame: ImageU8, iteration: int) -> None:
    """In white with a dark edge, so that it can be read on any face."""
    size = max(0.4, frame.shape[0] / 800)
    at = (round(10 * size), frame.shape[0] - round(12 * size))
    for ink, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        width = max(1, round(thickness * size))
        cv2.putText(
            frame, f"{iteration}", at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, width, cv2.LINE_AA
        )
