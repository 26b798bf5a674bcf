"""An aligned face as XSeg sees it, and XSeg's mask as the face has it. spec, pipeline 8.3."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Matrix, face_from_frame, invert_affine
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.media.levels import unit_floats
from engine.nets.xseg import RESOLUTION

F32 = NDArray[np.float32]
_SIZE = (RESOLUTION, RESOLUTION)


@dataclass(frozen=True, eq=False)
class MaskCrop:
    """What XSeg is to look at: (256, 256, 3) float32 BGR, 0..1.

    crop_from_mask: from the face's own picture, made 256 px a side, to the crop; None where they
    are the same.
    """

    image_bgr: F32
    crop_from_mask: Matrix | None

    def onto_face(self, mask: F32) -> F32:
        """The crop's mask (256, 256), 0..1, in the face's own picture, 256 px a side; nothing where
        the crop shows nothing of it."""
        if self.crop_from_mask is None:
            return mask
        onto: F32 = cv2.warpAffine(
            mask, self.crop_from_mask, _SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return onto


def mask_crop(
    image_bgr_u8: NDArray[np.uint8], data: FaceData, face_type: FaceType | None
) -> MaskCrop:
    """The face's picture (h, w, 3) as a net for faces of `face_type` sees it.

    None: whole, whatever its type. Raises `InputError` for landmarks that make no crop.
    """
    height_px, width_px = image_bgr_u8.shape[:2]
    if face_type is None or face_type is data.face_type:
        whole = cv2.resize(image_bgr_u8, _SIZE, interpolation=cv2.INTER_CUBIC)
        return MaskCrop(unit_floats(np.asarray(whole)), None)
    crop_from_face = _crop_from_face(data, width_px, face_type)
    crop = cv2.warpAffine(
        image_bgr_u8, crop_from_face, _SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    face_from_mask = np.diag([width_px / RESOLUTION, height_px / RESOLUTION])
    linear = crop_from_face[:, :2] @ face_from_mask
    return MaskCrop(unit_floats(np.asarray(crop)), np.hstack([linear, crop_from_face[:, 2:]]))


def _crop_from_face(data: FaceData, width_px: int, face_type: FaceType) -> Matrix:
    """By the landmarks in the frame, which the face itself was cut by; without them by its own."""
    if data.source_landmarks is None:
        return face_from_frame(data.landmarks, RESOLUTION, face_type)
    crop_from_frame = face_from_frame(data.source_landmarks, RESOLUTION, face_type)
    frame_from_face = invert_affine(
        face_from_frame(data.source_landmarks, width_px, data.face_type)
    )
    square = np.vstack([frame_from_face, (0.0, 0.0, 1.0)])
    matrix: Matrix = crop_from_frame @ square
    return matrix
