"""A frame as looks are tried on it: read, its faces cut out and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.images import read_image_bgr_u8
from engine.media.levels import eight_bit
from engine.merge.compose import ComposedFrame, FrameLooks, compose_frame
from engine.merge.face_nets import FaceNets
from engine.merge.faces import (
    FaceCrop,
    MergeFace,
    PredictedFace,
    crop_faces,
    predict_faces,
    with_wanted,
)
from engine.merge.kept import Kept
from engine.merge.placement import Region, region_of_square
from engine.protocol.events import FaceBox
from engine.protocol.look import Look
from engine.stages.merge.plan import FrameJob

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Settings:
    """What a frame is composed by. square_px: the side of raw-predict's squares, 0 for frames that
    are none. tracks: of its faces, which the picture does not depend on."""

    looks: FrameLooks
    square_px: int = 0
    tracks: tuple[str, ...] = field(default=(), compare=False)


@dataclass(eq=False)
class PreparedFrame:
    """All that composing needs but the settings.

    predictions: each with what nets were asked so far (`ask_nets`). regions: where the model saw
    the faces in the frame.
    """

    job: FrameJob
    frame_bgr_u8: Pixels
    crops: Sequence[FaceCrop]
    predictions: tuple[PredictedFace, ...]
    regions: tuple[Region, ...]

    @property
    def bytes_held(self) -> int:
        """More when nets were asked."""
        held = self.frame_bgr_u8.nbytes + sum(crop.dst_bgr.nbytes for crop in self.crops)
        return held + sum(map(_bytes_of, self.predictions))

    def faces(self, tracks: Sequence[str]) -> tuple[FaceBox, ...]:
        """Where the faces of these tracks are."""
        return tuple(
            FaceBox(track, region.left, region.top, region.right, region.bottom)
            for track, region in zip(tracks, self.regions, strict=True)
        )

    @property
    def frame_wh(self) -> tuple[int, int]:
        height, width = self.frame_bgr_u8.shape[:2]
        return width, height

    def lacks(self, looks: FrameLooks) -> bool:
        """Whether nets must be asked for these looks."""
        return any(
            face.lacks(look) for face, look in zip(self.predictions, looks.faces, strict=True)
        )

    def ask_nets(self, looks: FrameLooks, nets: FaceNets) -> None:
        """Add what the looks want of the enhancer and XSeg. Raises `InputError` where these are not
        there."""
        self.predictions = tuple(
            with_wanted(face, self.frame_bgr_u8, crop, look, nets)
            for face, crop, look in zip(self.predictions, self.crops, looks.faces, strict=True)
        )

    def without_lacking(self, looks: FrameLooks) -> FrameLooks:
        """The looks as near as they can be composed without asking nets."""
        faces = tuple(
            _without_lacking(face, look)
            for face, look in zip(self.predictions, looks.faces, strict=True)
        )
        return replace(looks, faces=faces)

    def original_square(self, side_px: int) -> Pixels:
        """What raw-predict's square was made from, (side, side, 3): the largest face as the model
        saw it; black without a face."""
        if not self.crops:
            return np.zeros((side_px, side_px, 3), np.uint8)
        crop = max(self.crops, key=lambda crop: crop.area_px)
        square: Pixels = cv2.resize(eight_bit(crop.dst_bgr), (side_px, side_px))
        return square


@dataclass(eq=False)
class Workpiece:
    """A prepared frame under work, at a part of its resolution: what was computed for one look
    stays for the next. Not for several threads at once."""

    prepared: PreparedFrame
    scale: float = 1.0
    _kept: Kept = field(default_factory=Kept)
    _kept_of_faces: tuple[Kept, ...] = ()

    def __post_init__(self) -> None:
        self._kept_of_faces = tuple(Kept() for _ in self.prepared.crops)
        self._picture = self.prepared.frame_bgr_u8
        if self.scale != 1.0:
            width, height = self.prepared.frame_wh
            small_wh = max(1, round(width * self.scale)), max(1, round(height * self.scale))
            self._picture = cv2.resize(self._picture, small_wh, interpolation=cv2.INTER_AREA)

    def composed(self, settings: Settings) -> ComposedFrame:
        """The frame with its faces by the settings; at full scale exactly as `merge` renders it.
        Its nets must have been asked."""
        faces = [
            MergeFace(crop, predicted, kept)
            for crop, predicted, kept in zip(
                self.prepared.crops, self.prepared.predictions, self._kept_of_faces, strict=True
            )
        ]
        return compose_frame(
            self._picture,
            faces,
            settings.looks,
            settings.square_px,
            self.prepared.job.motion,
            self._kept,
        )


def _without_lacking(face: PredictedFace, look: Look) -> Look:
    if face.morph_factor is not None:
        look = replace(look, morph_factor=face.morph_factor)
    if look.is_enlarged and face.enlarged is None:
        look = replace(look, super_resolution_power=0)
    if look.uses_xseg and face.xseg_prd is None:
        look = replace(look, mask_mode=Look().mask_mode)
    return look


def _bytes_of(face: PredictedFace) -> int:
    arrays = [face.face_bgr, face.mask_prd, face.mask_dst, face.xseg_prd, face.xseg_dst]
    if face.enlarged is not None:
        arrays += [face.enlarged.face_bgr, face.enlarged.dst_bgr]
    return sum(array.nbytes for array in arrays if array is not None)


def prepare(job: FrameJob, nets: FaceNets) -> PreparedFrame:
    """Read the frame and predict its faces, by the default look. Raises `InputError` if it cannot
    be read."""
    frame_bgr_u8 = read_image_bgr_u8(job.path)
    crops = crop_faces(frame_bgr_u8, job.landmarks, nets.predictor)
    factors = nets.morph_factors(Look() for _ in crops)
    predictions = tuple(predict_faces(crops, nets.predictor, factors))
    regions = tuple(
        region_of_square(crop.matrix(crop.resolution), crop.resolution, crop.frame_hw, 0)
        for crop in crops
    )
    return PreparedFrame(job, frame_bgr_u8, crops, predictions, regions)
