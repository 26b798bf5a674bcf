"""What is done to a face once it is in the frame, and to the frame around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.media.filters import (
    SHARPENERS,
    degrade_bicubic,
    median_blur,
    motion_blur,
    reduce_colours,
)
from engine.merge.modes import FaceWork, mix
from engine.merge.placement import cut_square, lay_unclipped

Floats = NDArray[np.float32]

LONGEST_MOTION_PX = 50
SHARPEN_KERNEL_PX = 3
# Passes of the median from this amount on are full ones; below they are mixed in.
FULL_BLUR_PASS = 10
FULL_DENOISE_PASS = 100


def finish(work: FaceWork, rendered_bgr: Floats) -> Floats:
    """The rendered region with the look's filters: those of the face in the face's own crop, those
    of the frame in the frame behind it, then those of the whole."""
    result = rendered_bgr
    if _needs_crop(work):
        face = cut_square(rendered_bgr, work.region.shifted(work.crop_matrix), len(work.face_bgr))
        finished = _finished_face(work, face)
        face_in_region = lay_unclipped(work.region, finished, work.crop_matrix)
        result = mix(_degraded_frame(work), face_in_region, work.mask_in_region)
    return _degraded_colours(work, np.clip(result, 0, 1))


def _needs_crop(work: FaceWork) -> bool:
    look = work.look
    return bool(
        (look.is_seamless and look.color_transfer_mode != "none")
        or look.mode == "seamless-hist-match"
        or look.motion_blur_power
        or look.blursharpen_amount
        or look.image_denoise_power
        or look.bicubic_degrade_power
    )


def _finished_face(work: FaceWork, face_bgr: Floats) -> Floats:
    look = work.look
    if look.is_seamless:
        face_bgr = work.in_frames_colours(face_bgr)
    if look.mode == "seamless-hist-match":
        face_bgr = work.histogram_matched(face_bgr, masked=False)
    return _sharpened(work, _moved(work, face_bgr))


def _moved(work: FaceWork, face_bgr: Floats) -> Floats:
    length_px = int(work.motion.power_px * work.look.motion_blur_power / 100)
    if length_px < 1:
        return face_bgr
    return motion_blur(face_bgr, min(length_px + 1, LONGEST_MOTION_PX), work.motion.angle_deg)


def _sharpened(work: FaceWork, face_bgr: Floats) -> Floats:
    amount = work.look.blursharpen_amount
    if amount < 0:
        return median_blur(face_bgr, -amount, FULL_BLUR_PASS)
    if amount > 0 and work.look.sharpen_mode in SHARPENERS:
        return SHARPENERS[work.look.sharpen_mode](face_bgr, SHARPEN_KERNEL_PX, amount)
    return face_bgr


def _degraded_frame(work: FaceWork) -> Floats:
    frame = work.under_bgr
    if work.look.image_denoise_power:
        frame = median_blur(frame, work.look.image_denoise_power, FULL_DENOISE_PASS)
    if work.look.bicubic_degrade_power:
        frame = degrade_bicubic(frame, work.look.bicubic_degrade_power)
    return frame


def _degraded_colours(work: FaceWork, picture_bgr: Floats) -> Floats:
    power = work.look.color_degrade_power
    if not power:
        return picture_bgr
    share = np.float32(power / 100)
    return picture_bgr * (1 - share) + reduce_colours(picture_bgr) * share
