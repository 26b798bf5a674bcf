"""How a predicted face and the frame become a picture. One function and one row per mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.media.colour_transfer import transfer_colours
from engine.merge.look import Look
from engine.merge.placement import Matrix, Region, lay_into, lay_unclipped

Floats = NDArray[np.float32]

# A face whose mask is smaller in the frame than this is left out: there is nothing to see of it.
SMALLEST_MASK_PX = 4
VISIBLE = 0.1


@dataclass(frozen=True)
class FaceWork:
    """One face on its way into the frame; everything float32, 0..1, BGR.

    region: the part of the frame that the face can touch; under_bgr: the frame there.
    mask_in_region: the face's mask there, (h, w). face_bgr, dst_bgr: (R, R, 3), what was predicted
    and what the frame shows. work_mask: (R, R). face_from_frame: the crop matrix to paste with, in
    the frame's coordinates.
    """

    look: Look
    region: Region
    under_bgr: Floats
    mask_in_region: Floats
    face_bgr: Floats
    dst_bgr: Floats
    work_mask: Floats
    face_from_frame: Matrix


def render_face(work: FaceWork) -> Floats:
    """The frame's region with the face in it: float32, 0..1, BGR."""
    return MODES[work.look.mode](work)


def original(work: FaceWork) -> Floats:
    """The frame as it is."""
    return work.under_bgr


def raw_rgb(work: FaceWork) -> Floats:
    """The whole predicted square laid over the frame.

    Its alpha is not clipped: DeepFaceLab's overshoots along the square's edge as well.
    """
    square = np.ones(work.face_bgr.shape[:2], np.float32)
    alpha = lay_unclipped(work.region, square, work.face_from_frame)
    face = lay_into(work.region, work.face_bgr, work.face_from_frame)
    return mix(work.under_bgr, face, alpha)


def overlay(work: FaceWork) -> Floats:
    """The face laid over the frame by its mask."""
    if not is_visible(work.mask_in_region):
        return work.under_bgr
    area = (work.work_mask > 0).astype(np.float32)
    coloured = transfer_colours(work.face_bgr, work.dst_bgr, work.look.color_transfer_mode, area)
    face = lay_into(work.region, coloured, work.face_from_frame)
    return mix(work.under_bgr, face, work.mask_in_region)


# raw-predict is not among them: it makes no frame (see `compose`).
MODES: dict[str, Callable[[FaceWork], Floats]] = {
    "original": original,
    "overlay": overlay,
    "raw-rgb": raw_rgb,
}


def mix(below: Floats, above: Floats, alpha: Floats) -> Floats:
    """`above` over `below`, both (h, w, 3), by alpha (h, w) 0..1."""
    weight = alpha[..., None]
    return below + (above - below) * weight


def is_visible(mask: Floats) -> bool:
    """Whether the box around the mask's visible part is large enough for a face."""
    rows, columns = np.nonzero(mask >= VISIBLE)
    if rows.size == 0:
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(min(height, width) >= SMALLEST_MASK_PX)
