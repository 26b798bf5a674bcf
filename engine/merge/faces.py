"""A face of a frame as the nets see it and as they answer: all that a look has no part in, or that
it takes nets to make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import face_from_frame
from engine.faces.face_type import FaceType
from engine.faces.masks import hull_mask
from engine.merge.face_nets import ENLARGEMENT, SEGMENTER_PX, FaceNets
from engine.merge.kept import Kept
from engine.merge.placement import Matrix, cut_square
from engine.models.predictor import FacePredictor
from engine.protocol.look import Look

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

# What XSeg is less sure of than this is no face (pipeline specification 9.6-4).
LEAST_XSEG = 0.1


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A face of the frame as the model sees it.

    landmarks_xy: (68, 2) in the frame, whose height and width are `frame_hw`. dst_bgr: (R, R, 3)
    float32, 0..1.
    """

    landmarks_xy: NDArray[np.float64]
    face_type: FaceType
    frame_hw: tuple[int, int]
    dst_bgr: Floats

    @property
    def resolution(self) -> int:
        return int(self.dst_bgr.shape[0])

    @property
    def area_px(self) -> float:
        """How large the face is in the frame: the box around its landmarks."""
        width, height = np.ptp(self.landmarks_xy, axis=0)
        return float(width * height)

    def matrix(self, side_px: int, scale: float = 1.0) -> Matrix:
        """The crop matrix, frame -> square of that side."""
        return face_from_frame(self.landmarks_xy, side_px, self.face_type, scale)

    def cut(self, frame_bgr_u8: Pixels, side_px: int) -> Floats:
        """The face cut from the frame at another resolution: (side, side, 3)."""
        return cut_square(frame_bgr_u8, self.matrix(side_px), side_px)

    def hull(self) -> Floats:
        """The hull of the landmarks in the crop: (R, R) float32, 0..1."""
        drawn = hull_mask(self.frame_hw, self.landmarks_xy)
        return cut_square(drawn, self.matrix(self.resolution), self.resolution)


@dataclass(frozen=True, eq=False)
class EnlargedFace:
    """The predicted face by the enhancer, and the frame's face, both (4R, 4R, 3), 0..1."""

    face_bgr: Floats
    dst_bgr: Floats


@dataclass(frozen=True, eq=False)
class PredictedFace:
    """What the nets say of one face: (R, R, 3) and masks (R, R), float32, 0..1.

    enlarged, xseg_prd and xseg_dst ((256, 256), of the predicted face and of the frame's) are None
    until a look wants them (`with_wanted`). morph_factor: by which it was predicted; None for
    models that have none.
    """

    face_bgr: Floats
    mask_prd: Floats
    mask_dst: Floats
    enlarged: EnlargedFace | None = None
    xseg_prd: Floats | None = None
    xseg_dst: Floats | None = None
    morph_factor: float | None = None

    def lacks(self, look: Look) -> bool:
        """Whether nets must be asked before this look can be composed."""
        return (
            (look.is_enlarged and self.enlarged is None)
            or (look.uses_xseg and self.xseg_prd is None)
            or self.is_morphed_otherwise(look)
        )

    def is_morphed_otherwise(self, look: Look) -> bool:
        """Whether the model must be asked for another face."""
        return self.morph_factor not in (None, look.morph_factor)


@dataclass(frozen=True, eq=False)
class MergeFace:
    """A face ready to be composed with any look that its prediction does not lack.

    kept: what was computed for the looks before; frames are composed with another look in a
    fraction of the time if the same face is given again. Not for several threads at once.
    """

    crop: FaceCrop
    predicted: PredictedFace
    kept: Kept = field(default_factory=Kept)


def crop_faces(
    frame_bgr_u8: Pixels,
    landmarks_of_faces: Sequence[NDArray[np.float64]],
    predictor: FacePredictor,
) -> list[FaceCrop]:
    """The faces, (68, 2) landmarks each, cut from the frame as the model wants them."""
    side, kind = predictor.resolution, predictor.face_type
    frame_hw = (frame_bgr_u8.shape[0], frame_bgr_u8.shape[1])
    return [
        FaceCrop(
            landmarks,
            kind,
            frame_hw,
            cut_square(frame_bgr_u8, face_from_frame(landmarks, side, kind), side),
        )
        for landmarks in landmarks_of_faces
    ]


def predict_faces(
    crops: Sequence[FaceCrop],
    predictor: FacePredictor,
    morph_factors: Sequence[float] | None = None,
) -> list[PredictedFace]:
    """All crops (of any number of frames) through the model in one batch. morph_factors: one for
    each (`FaceNets.morph_factors`)."""
    if not crops:
        return []
    factors: Sequence[float | None] = morph_factors or [None] * len(crops)
    given = None if morph_factors is None else np.array(morph_factors, np.float32)
    predicted = predictor.predict(np.stack([crop.dst_bgr for crop in crops]), given)
    return [
        PredictedFace(
            np.clip(face, 0, 1), np.clip(prd, 0, 1), np.clip(dst, 0, 1), morph_factor=factor
        )
        for face, prd, dst, factor in zip(
            predicted.face_bgr,
            predicted.mask_src,
            predicted.mask_dst,
            factors,
            strict=True,
        )
    ]


def with_wanted(
    predicted: PredictedFace, frame_bgr_u8: Pixels, crop: FaceCrop, look: Look, nets: FaceNets
) -> PredictedFace:
    """The prediction with what the look wants of the other nets; `frame_bgr_u8` is the whole frame
    that `crop` was cut from. Raises `InputError` where a net is not there."""
    if predicted.is_morphed_otherwise(look):
        predicted = predict_faces([crop], nets.predictor, [look.morph_factor])[0]
    if look.is_enlarged and predicted.enlarged is None:
        # The enhancer is given 0..1 though it was made for -1..1: so does DeepFaceLab.
        large = np.clip(nets.enlarger.enlarge(predicted.face_bgr), 0, 1)
        dst_bgr = crop.cut(frame_bgr_u8, crop.resolution * ENLARGEMENT)
        predicted = replace(predicted, enlarged=EnlargedFace(large, dst_bgr))
    if look.uses_xseg and predicted.xseg_prd is None:
        face_bgr = cv2.resize(
            predicted.face_bgr, (SEGMENTER_PX, SEGMENTER_PX), interpolation=cv2.INTER_CUBIC
        )
        faces_bgr = np.stack([face_bgr, crop.cut(frame_bgr_u8, SEGMENTER_PX)])
        masks = np.clip(nets.segmenter.masks(faces_bgr), 0, 1)
        prd, dst = np.where(masks < LEAST_XSEG, np.float32(0), masks)
        predicted = replace(predicted, xseg_prd=prd, xseg_dst=dst)
    return predicted
