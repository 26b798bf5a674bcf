"""What is done to a face once it is in the frame, and to the frame around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.filters import SHARPENERS, median_blur, motion_blur, reduce_colours
from engine.merge.face_work import FaceWork
from engine.merge.modes import mix
from engine.merge.placement import cut_square, lay_unclipped
from engine.protocol.look import Look

Floats = NDArray[np.float32]

LONGEST_MOTION_PX = 50
SHARPEN_KERNEL_PX = 3
# Passes of the median from this amount on are full ones; below they are mixed in.
FULL_BLUR_PASS = 10
PROXY_PALETTE_PX = 15_000


def finish(work: FaceWork, rendered_bgr: Floats) -> Floats:
    """The rendered region with the look's filters: those of the face in the face's own crop, those
    of the frame in the frame behind it."""
    if not _needs_crop(work.look):
        return np.clip(rendered_bgr, 0, 1)
    face = cut_square(rendered_bgr, work.region.shifted(work.crop_matrix), work.side_px)
    face_in_region = lay_unclipped(work.region, _finished_face(work, face), work.crop_matrix)
    behind = work.under_bgr
    if blurs_frame(work.look):
        behind = work.frame.degraded(work.look)[work.region.slices]
    return np.clip(mix(behind, face_in_region, work.mask_in_region), 0, 1)


def blurs_frame(look: Look) -> bool:
    """Whether the frame loses detail."""
    return bool(look.image_denoise_power or look.bicubic_degrade_power)


def with_fewer_colours(picture_bgr: Floats, power: int, *, is_proxy: bool) -> Floats:
    """The picture (0..1), by `power` per cent in a palette of its own."""
    share = power / 100
    reduced = reduce_colours(picture_bgr, sampled_px=PROXY_PALETTE_PX if is_proxy else None)
    mixed: Floats = cv2.addWeighted(picture_bgr, 1 - share, reduced, share, 0)
    return mixed


def _needs_crop(look: Look) -> bool:
    return bool(
        (look.is_seamless and look.color_transfer_mode != "none")
        or look.mode == "seamless-hist-match"
        or look.motion_blur_power
        or look.blursharpen_amount
        or blurs_frame(look)
    )


def _finished_face(work: FaceWork, face_bgr: Floats) -> Floats:
    look = work.look
    if look.is_seamless:
        face_bgr = work.in_frames_colours(face_bgr)
    if look.mode == "seamless-hist-match":
        face_bgr = work.histogram_matched(face_bgr, masked=False)
    return _sharpened(look, _moved(work, face_bgr))


def _moved(work: FaceWork, face_bgr: Floats) -> Floats:
    length_px = int(work.motion.power_px * work.look.motion_blur_power / 100)
    if length_px < 1:
        return face_bgr
    line_px = min(length_px + 1, LONGEST_MOTION_PX)
    # Twice at four times the resolution: so does DeepFaceLab.
    return motion_blur(
        face_bgr, 2 * line_px if work.is_enlarged else line_px, work.motion.angle_deg
    )


def _sharpened(look: Look, face_bgr: Floats) -> Floats:
    amount = look.blursharpen_amount
    if amount < 0:
        return median_blur(face_bgr, -amount, FULL_BLUR_PASS)
    if amount > 0 and look.sharpen_mode in SHARPENERS:
        return SHARPENERS[look.sharpen_mode](face_bgr, SHARPEN_KERNEL_PX, amount)
    return face_bgr
