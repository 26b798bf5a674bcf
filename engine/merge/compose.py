"""Frame in, merged frame out: the steps of the pipeline specification 9.6, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import face_from_frame
from engine.faces.face_type import FaceType
from engine.faces.masks import hull_mask
from engine.merge.finish import finish
from engine.merge.mask_modes import MaskSources, work_mask
from engine.merge.masks import SHAPING_SCALE, shape_mask, without_dust
from engine.merge.modes import FaceWork, is_visible, mix, render_face
from engine.merge.motion import STILL, Motion
from engine.merge.placement import (
    Matrix,
    Region,
    cut_square,
    lay_into,
    region_of_square,
    unit_floats,
)
from engine.models.predictor import FacePredictor, Prediction
from engine.protocol.look import Look
from engine.protocol.look_options import BLENDING_MODES

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
RAW_PREDICT = "raw-predict"

# Cubic interpolation spreads the square's border two of its pixels outwards.
CUBIC_MARGIN_FACE_PX = 2


@dataclass(frozen=True)
class FaceCrop:
    """A face of the frame as the model sees it.

    landmarks_xy: (68, 2) in the frame. dst_bgr: (R, R, 3) float32, 0..1.
    """

    landmarks_xy: NDArray[np.float64]
    face_type: FaceType
    dst_bgr: Floats

    @property
    def resolution(self) -> int:
        return int(self.dst_bgr.shape[0])

    def matrix(self, side_px: int, scale: float = 1.0) -> Matrix:
        """The crop matrix, frame -> square of that side."""
        return face_from_frame(self.landmarks_xy, side_px, self.face_type, scale)


@dataclass(frozen=True)
class PredictedFace:
    """One face of a `Prediction`: (R, R, 3) and two masks (R, R), float32, 0..1."""

    face_bgr: Floats
    mask_prd: Floats
    mask_dst: Floats


@dataclass(frozen=True)
class ComposedFrame:
    """A merged frame: (h, w, 3) uint8 BGR, and its mask, (h, w) uint8."""

    image_bgr_u8: Pixels
    mask_u8: Pixels


def compose(
    frame_bgr_u8: Pixels,
    landmarks_of_faces: Sequence[NDArray[np.float64]],
    look: Look,
    predictor: FacePredictor,
    motion: Motion = STILL,
) -> ComposedFrame:
    """One frame merged: crop, predict, compose. `landmarks_of_faces`: (68, 2) in the frame each."""
    crops = crop_faces(frame_bgr_u8, landmarks_of_faces, predictor)
    predictions = predict_faces(crops, look, predictor)
    return compose_frame(frame_bgr_u8, crops, predictions, look, predictor.resolution, motion)


def crop_faces(
    frame_bgr_u8: Pixels,
    landmarks_of_faces: Sequence[NDArray[np.float64]],
    predictor: FacePredictor,
) -> list[FaceCrop]:
    """The faces cut from the frame at the model's resolution and face type."""
    side, kind = predictor.resolution, predictor.face_type
    return [
        FaceCrop(
            landmarks,
            kind,
            cut_square(frame_bgr_u8, face_from_frame(landmarks, side, kind), side),
        )
        for landmarks in landmarks_of_faces
    ]


def predict_faces(
    crops: Sequence[FaceCrop], look: Look, predictor: FacePredictor
) -> list[PredictedFace]:
    """All crops (of any number of frames) through the model in one batch.

    This is where a model class that morphs will be given `look.morph_factor`.
    """
    if not crops:
        return []
    predicted: Prediction = predictor.predict(np.stack([crop.dst_bgr for crop in crops]))
    return [
        PredictedFace(np.clip(face, 0, 1), np.clip(prd, 0, 1), np.clip(dst, 0, 1))
        for face, prd, dst in zip(
            predicted.face_bgr, predicted.mask_src, predicted.mask_dst, strict=True
        )
    ]


def compose_frame(
    frame_bgr_u8: Pixels,
    crops: Sequence[FaceCrop],
    predictions: Sequence[PredictedFace],
    look: Look,
    resolution: int,
    motion: Motion = STILL,
) -> ComposedFrame:
    """The frame with its predicted faces, one after the other, each made against the frame as it
    was; without faces the frame itself with a black mask."""
    if look.mode == RAW_PREDICT:
        return _raw_predict(frame_bgr_u8.shape[:2], crops, predictions, look, resolution)
    image = frame_bgr_u8.copy()
    mask = np.zeros(frame_bgr_u8.shape[:2], np.float32)
    for number, (crop, predicted) in enumerate(zip(crops, predictions, strict=True)):
        work = _face_work(frame_bgr_u8, crop, predicted, look, motion)
        if work.region.is_empty:
            continue
        place, rendered = work.region.slices, _rendered(work)
        if number:
            rendered = mix(unit_floats(image[place]), rendered, work.mask_in_region)
        image[place] = eight_bit(rendered)
        mask[place] += work.mask_in_region
    return ComposedFrame(image, eight_bit(mask))


def _rendered(work: FaceWork) -> Floats:
    """The region with the face in it and the look's filters; the frame where nothing is seen of the
    face."""
    if work.look.mode not in BLENDING_MODES:
        return render_face(work)
    if not is_visible(work.mask_in_region):
        return work.under_bgr
    return finish(work, render_face(work))


def _face_work(
    frame_bgr_u8: Pixels, crop: FaceCrop, predicted: PredictedFace, look: Look, motion: Motion
) -> FaceWork:
    """All that a mode needs to render one face."""
    side, frame_hw = crop.resolution, frame_bgr_u8.shape[:2]
    crop_matrix, paste_matrix = crop.matrix(side), crop.matrix(side, look.face_scale)
    region = _region(look, (crop_matrix, paste_matrix), side, frame_hw)
    shaped = _shaped_mask(frame_hw, crop, predicted, look)
    mask_matrix = crop.matrix(side * SHAPING_SCALE, look.face_scale)
    return FaceWork(
        look=look,
        region=region,
        under_bgr=unit_floats(frame_bgr_u8[region.slices]),
        mask_in_region=without_dust(lay_into(region, shaped, mask_matrix)),
        face_bgr=predicted.face_bgr,
        dst_bgr=crop.dst_bgr,
        work_mask=cv2.resize(shaped, (side, side), interpolation=cv2.INTER_CUBIC),
        crop_matrix=crop_matrix,
        paste_matrix=paste_matrix,
        motion=motion,
    )


def _region(
    look: Look, matrices: tuple[Matrix, Matrix], side_px: int, frame_hw: tuple[int, int]
) -> Region:
    """What of the frame is looked at for one face: its squares, or all of it."""
    if look.degrades_frame:
        return Region(0, 0, frame_hw[1], frame_hw[0])
    crop, paste = (
        region_of_square(matrix, side_px, frame_hw, CUBIC_MARGIN_FACE_PX) for matrix in matrices
    )
    return crop.joined(paste)


def _shaped_mask(
    frame_hw: tuple[int, int], crop: FaceCrop, predicted: PredictedFace, look: Look
) -> Floats:
    """The face's mask by the look's mask mode, shaped: (4R, 4R)."""
    sources = MaskSources(
        hull=lambda: cut_square(
            hull_mask(frame_hw, crop.landmarks_xy), crop.matrix(crop.resolution), crop.resolution
        ),
        learned_prd=predicted.mask_prd,
        learned_dst=predicted.mask_dst,
    )
    return shape_mask(work_mask(sources, look.mask_mode), crop.resolution, look)


def _raw_predict(
    frame_hw: tuple[int, int],
    crops: Sequence[FaceCrop],
    predictions: Sequence[PredictedFace],
    look: Look,
    resolution: int,
) -> ComposedFrame:
    """The predicted square of the frame's largest face with its mask; black without a face.

    DeepFaceLab mixes the squares of several faces, which shows none of them.
    """
    if not crops:
        square = np.zeros((resolution, resolution, 3), np.uint8)
        return ComposedFrame(square, square[..., 0].copy())
    crop, predicted = max(
        zip(crops, predictions, strict=True), key=lambda face: _area_px(face[0].landmarks_xy)
    )
    shaped = _shaped_mask(frame_hw, crop, predicted, look)
    mask = cv2.resize(shaped, (resolution, resolution), interpolation=cv2.INTER_CUBIC)
    return ComposedFrame(eight_bit(predicted.face_bgr), eight_bit(np.clip(mask, 0, 1)))


def _area_px(landmarks_xy: NDArray[np.float64]) -> float:
    width, height = np.ptp(landmarks_xy, axis=0)
    return float(width * height)


def eight_bit(picture: Floats) -> Pixels:
    """0..1 as uint8, truncated as DeepFaceLab does; what came from 8 bits comes back unchanged."""
    return (np.clip(picture, 0, 1) * np.float32(255)).astype(np.uint8)
