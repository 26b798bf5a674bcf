"""How a predicted face and the frame become a picture. One function and one row per mode."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.merge.face_work import FaceWork
from engine.merge.placement import lay_into, lay_unclipped
from engine.protocol.errors import StageError

Floats = NDArray[np.float32]

# A face whose mask is smaller in the frame than this is left out: there is nothing to see of it.
SMALLEST_MASK_PX = 4
VISIBLE = 0.1


def render_face(work: FaceWork) -> Floats:
    """The frame's region with the face in it: float32, BGR, about 0..1."""
    return MODES[work.look.mode](work)


def original(work: FaceWork) -> Floats:
    """The frame as it is."""
    return work.under_bgr


def raw_rgb(work: FaceWork) -> Floats:
    """The whole predicted square laid over the frame.

    Its alpha is not clipped: DeepFaceLab's overshoots along the square's edge as well.
    """
    square = np.ones(work.face_bgr.shape[:2], np.float32)
    alpha = lay_unclipped(work.region, square, work.paste_matrix)
    face = lay_into(work.region, work.face_bgr, work.paste_matrix)
    return mix(work.under_bgr, face, alpha)


def overlay(work: FaceWork) -> Floats:
    """The face in the frame's colours, laid over the frame by its mask."""
    return _laid_over(work, work.coloured_face_bgr)


def hist_match(work: FaceWork) -> Floats:
    """As overlay, with the frame's histogram too."""
    matched = work.histogram_matched(work.coloured_face_bgr, masked=work.look.masked_hist_match)
    return _laid_over(work, matched)


def seamless(work: FaceWork) -> Floats:
    """The face's gradients on the frame's borders (Poisson), laid over the frame by its mask.
    Colours are transferred afterwards (`finish`)."""
    cloned = work.cloned_once(lambda: _cloned(work))
    return mix(work.under_bgr, cloned, work.mask_in_region)


# raw-predict is not among them: it makes no frame (see `compose`).
MODES: dict[str, Callable[[FaceWork], Floats]] = {
    "original": original,
    "overlay": overlay,
    "hist-match": hist_match,
    "seamless": seamless,
    "seamless-hist-match": seamless,
    "raw-rgb": raw_rgb,
}


def mix(below: Floats, above: Floats, alpha: Floats) -> Floats:
    """`above` over `below`, both (h, w, 3), by alpha (h, w) 0..1."""
    return below + (above - below) * alpha[..., None]


def is_visible(mask: Floats) -> bool:
    """Whether the box around the mask's visible part is large enough for a face."""
    _, _, width, height = cv2.boundingRect((mask >= VISIBLE).view(np.uint8))
    return bool(min(width, height) >= SMALLEST_MASK_PX)


def _laid_over(work: FaceWork, face_bgr: Floats) -> Floats:
    face_in_region = lay_into(work.region, face_bgr, work.paste_matrix)
    return mix(work.under_bgr, face_in_region, work.mask_in_region)


def _cloned(work: FaceWork) -> Floats:
    """OpenCV's normal clone where the mask is. The centre is that of the mask's box, so that the
    face does not jitter between frames."""
    mask_u8 = np.where(work.mask_in_region >= VISIBLE, np.uint8(255), np.uint8(0))
    left, top, width, height = cv2.boundingRect(mask_u8)
    centre_xy = (left + width // 2, top + height // 2)
    face_in_region = lay_into(work.region, work.face_bgr, work.paste_matrix)
    face_u8, frame_u8 = _u8(face_in_region), _u8(work.under_bgr)
    try:
        cloned_u8: NDArray[np.uint8] = cv2.seamlessClone(
            face_u8, frame_u8, mask_u8, centre_xy, cv2.NORMAL_CLONE
        )
    except cv2.error as error:
        raise StageError(
            f"OpenCV cannot blend a face of {width}x{height} pixels seamlessly ({error.err})",
            "merge with --mode overlay or hist-match",
        ) from error
    return cloned_u8.astype(np.float32) / np.float32(255)


def _u8(picture: Floats) -> NDArray[np.uint8]:
    return np.clip(picture * 255, 0, 255).astype(np.uint8)
