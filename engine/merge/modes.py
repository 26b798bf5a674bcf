"""How a predicted face and the frame become a picture. One function and one row per mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.colour_distribution import match_histogram
from engine.media.colour_transfer import transfer_colours
from engine.merge.motion import STILL, Motion
from engine.merge.placement import Matrix, Region, lay_into, lay_unclipped
from engine.protocol.errors import StageError
from engine.protocol.look import Look

Floats = NDArray[np.float32]

# A face whose mask is smaller in the frame than this is left out: there is nothing to see of it.
SMALLEST_MASK_PX = 4
VISIBLE = 0.1


@dataclass(frozen=True)
class FaceWork:
    """One face on its way into the frame; everything float32, 0..1, BGR.

    region: the part of the frame that changes with the face; under_bgr: the frame there.
    mask_in_region: the face's mask there, (h, w). face_bgr, dst_bgr: (R, R, 3), what was predicted
    and what the frame shows. work_mask: (R, R). crop_matrix: frame -> what the model saw;
    paste_matrix: frame -> where its answer goes, by the look's scale.
    """

    look: Look
    region: Region
    under_bgr: Floats
    mask_in_region: Floats
    face_bgr: Floats
    dst_bgr: Floats
    work_mask: Floats
    crop_matrix: Matrix
    paste_matrix: Matrix
    motion: Motion = STILL

    @property
    def area(self) -> Floats:
        """Where the mask is, (R, R), 0 or 1."""
        return (self.work_mask > 0).astype(np.float32)

    def in_frames_colours(self, face_bgr: Floats) -> Floats:
        """The face (R, R, 3) with the colours of the frame's, by the look's transfer."""
        return transfer_colours(face_bgr, self.dst_bgr, self.look.color_transfer_mode, self.area)

    def histogram_matched(self, face_bgr: Floats, *, masked: bool) -> Floats:
        """The face (R, R, 3) with the histogram of the frame's. If masked, what lies outside of the
        mask is white in both."""
        source, template = face_bgr, self.dst_bgr
        if masked:
            outside = (self.area == 0)[..., None]
            source, template = (
                np.where(outside, np.float32(1), picture) for picture in (source, template)
            )
        return match_histogram(source, template, self.look.hist_match_threshold)


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
    return _laid_over(work, work.in_frames_colours(work.face_bgr))


def hist_match(work: FaceWork) -> Floats:
    """As overlay, with the frame's histogram too."""
    coloured = work.in_frames_colours(work.face_bgr)
    matched = work.histogram_matched(coloured, masked=work.look.masked_hist_match)
    return _laid_over(work, matched)


def seamless(work: FaceWork) -> Floats:
    """The face's gradients on the frame's borders (Poisson), laid over the frame by its mask.
    Colours are transferred afterwards (`finish`)."""
    face = lay_into(work.region, work.face_bgr, work.paste_matrix)
    return mix(work.under_bgr, _cloned(face, work), work.mask_in_region)


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
    rows, columns = np.nonzero(mask >= VISIBLE)
    if rows.size == 0:
        return False
    return bool(min(np.ptp(rows), np.ptp(columns)) + 1 >= SMALLEST_MASK_PX)


def _laid_over(work: FaceWork, face_bgr: Floats) -> Floats:
    return mix(
        work.under_bgr,
        lay_into(work.region, face_bgr, work.paste_matrix),
        work.mask_in_region,
    )


def _cloned(face_in_region: Floats, work: FaceWork) -> Floats:
    """OpenCV's normal clone where the mask is. The centre is that of the mask's box, so that the
    face does not jitter between frames."""
    mask_u8 = np.where(work.mask_in_region >= VISIBLE, np.uint8(255), np.uint8(0))
    left, top, width, height = cv2.boundingRect(mask_u8)
    centre_xy = (left + width // 2, top + height // 2)
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
