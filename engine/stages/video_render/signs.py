"""What is written into the pictures: the draft's slate, a label in a corner, an end card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.images import ImageU8
from engine.stages.video_render.spec import DRAFT_TEXT, LABEL_TEXTS, NO_LABEL

_FONT = cv2.FONT_HERSHEY_DUPLEX
_CAPITALS_PX = 22  # height of this font's capitals at scale 1
# Of a frame's height: 12 px at 360 rows, which can be read, and as large in proportion at 2160.
_LETTERS = 1 / 30
_SMALLEST_LETTERS_PX = 9
_WIDEST = 0.9  # of the frame's width
_INK, _OUTLINE = 255, 0
_PLATE_COVER = 0.65


@dataclass(frozen=True)
class Sign:
    """A picture laid over every frame. grey: (h, w, 1) float32, 0..255. cover: (h, w, 1) float32,
    0..1, how much of the frame it hides."""

    top_px: int
    left_px: int
    grey: NDArray[np.float32]
    cover: NDArray[np.float32]


def signs_of(options: Mapping[str, Any], size_px: tuple[int, int]) -> tuple[Sign, ...]:
    """Those that the options want, for frames of (width, height)."""
    signs = []
    if options["draft"]:
        signs.append(make_sign(DRAFT_TEXT, "top-left", size_px, plate=True))
    if options["label"] != NO_LABEL:
        text = LABEL_TEXTS[options["label_text"]]
        signs.append(make_sign(text, options["label"], size_px, plate=False))
    return tuple(signs)


def make_sign(text: str, corner: str, size_px: tuple[int, int], *, plate: bool) -> Sign:
    """White letters with a dark outline in that corner, on a dark plate or on the frame itself."""
    width_px, height_px = size_px
    margin_px = max(2, height_px // 40)
    ink, outline = _letters(text, _letters_px(text, size_px), int(_WIDEST * width_px))
    ink, outline = ink[:height_px, :width_px], outline[:height_px, :width_px]
    cover = np.maximum(outline, _PLATE_COVER) if plate else outline
    rows, columns = ink.shape
    top_px = margin_px if corner.startswith("top") else height_px - rows - margin_px
    left_px = margin_px if corner.endswith("left") else width_px - columns - margin_px
    grey = ink * _INK + (1 - ink) * _OUTLINE
    return Sign(max(0, top_px), max(0, left_px), grey[..., None], cover[..., None])


def with_signs(picture: ImageU8, signs: Sequence[Sign]) -> ImageU8:
    """The picture, (h, w, 3) BGR or (h, w, 4) BGRA, changed where the signs are; there it is
    opaque as far as they hide it."""
    for sign in signs:
        rows, columns = sign.cover.shape[:2]
        part = picture[sign.top_px :, sign.left_px :][:rows, :columns]
        cover = sign.cover[: part.shape[0], : part.shape[1]]
        grey = sign.grey[: part.shape[0], : part.shape[1]]
        part[..., :3] = np.rint(part[..., :3] * (1 - cover) + grey * cover)
        if part.shape[2] == 4:
            part[..., 3:] = np.maximum(part[..., 3:], np.rint(cover * 255))
    return picture


def end_card(options: Mapping[str, Any], size_px: tuple[int, int]) -> ImageU8:
    """(h, w, 3): what is shown after the last frame, white on black."""
    width_px, height_px = size_px
    card = np.zeros((height_px, width_px, 3), np.uint8)
    lines = (LABEL_TEXTS[options["label_text"]], "A face in this video was replaced by software.")
    size = 1.6 * _letters_px(lines[0], size_px)
    for number, line in enumerate(lines):
        ink, _ = _letters(line, size / (1 + number), int(_WIDEST * width_px))
        rows, columns = ink.shape
        top_px = max(0, height_px // 2 - rows + number * rows)
        part = card[top_px:, max(0, (width_px - columns) // 2) :][:rows, :columns]
        part[:] = np.rint(ink[: part.shape[0], : part.shape[1], None] * _INK)
    return card


def _letters_px(text: str, size_px: tuple[int, int]) -> float:
    return max(_SMALLEST_LETTERS_PX, _LETTERS * min(size_px[1], size_px[0]))


def _letters(
    text: str, capitals_px: float, widest_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The text and the text with its outline as (h, w) float32, 0..1, with room around; no wider
    than `widest_px`."""
    room_px = round(capitals_px * 0.6)
    scale = capitals_px / _CAPITALS_PX
    (width_px, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    fitting = min(1.0, max(1, widest_px - 2 * room_px) / width_px)
    scale, room_px = scale * fitting, round(room_px * fitting)
    weight = max(1, round(scale * _CAPITALS_PX / 11))
    (width_px, height_px), below_px = cv2.getTextSize(text, _FONT, scale, weight)
    canvas = np.zeros((height_px + below_px // 2 + 2 * room_px, width_px + 2 * room_px), np.uint8)
    at = (room_px, room_px + height_px)
    cv2.putText(canvas, text, at, _FONT, scale, 255, weight, cv2.LINE_AA)
    # Not by heavier letters: these are wider, and run away from the others.
    round_px = 2 * max(1, round(scale * _CAPITALS_PX / 10)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round_px, round_px))
    outline = cv2.dilate(canvas, kernel)
    most = np.float32(255)
    return canvas.astype(np.float32) / most, outline.astype(np.float32) / most
