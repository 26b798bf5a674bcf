"""One face on its way into the frame: what the modes and filters work with, step by step.

Each step names the settings that it depends on (`Kept`): another look repeats only the steps whose
settings differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.colour_distribution import match_histogram
from engine.media.colour_transfer import (
    IGNORE_AREA,
    transfer_colours,
    transfer_colours_roughly,
)
from engine.media.filters import degrade_bicubic, median_blur
from engine.media.levels import unit_floats
from engine.merge.face_nets import ENLARGEMENT
from engine.merge.faces import MergeFace
from engine.merge.kept import Kept
from engine.merge.mask_modes import MaskSources, work_mask
from engine.merge.masks import (
    PROXY_SHAPING_SCALE,
    SHAPING_SCALE,
    fade_out,
    fine_mask,
    without_dust,
)
from engine.merge.motion import STILL, Motion
from engine.merge.placement import Matrix, Region, lay_into, region_of_square
from engine.protocol.look import Look

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Result = TypeVar("Result")

# Cubic interpolation spreads the square's border two of its pixels outwards.
CUBIC_MARGIN_FACE_PX = 2
FULL_DENOISE_PASS = 100
# A bicubic power of v leaves 1 - v / 101 of the frame's sides.
BICUBIC_STEPS = 101

# The settings that a step's result depends on.
_FACE = ("is_enlarged", "super_resolution_power")
_PLACE = ("output_face_scale",)
_WORK_MASK = ("mask_mode", "is_enlarged")
_ERODED = (*_WORK_MASK, "is_raw", "erode_mask_modifier")
_MASK = (*_ERODED, "blur_mask_modifier")
_COLOURS = (*_FACE, "color_transfer_mode")


@dataclass(frozen=True, eq=False)
class FrameWork:
    """The frame, (h, w, 3) uint8 BGR, or a smaller copy of it, `scale` (up to 1) times as large;
    `kept` stays with the frame."""

    image_bgr_u8: Pixels
    kept: Kept
    scale: float = 1.0

    @property
    def hw(self) -> tuple[int, int]:
        return self.image_bgr_u8.shape[0], self.image_bgr_u8.shape[1]

    def degraded(self, look: Look) -> Floats:
        """The frame with the look's denoising and loss of sharpness: (h, w, 3) float32, 0..1."""
        denoise, bicubic = look.image_denoise_power, look.bicubic_degrade_power
        return self.kept.get(
            ("degraded", self.hw), (denoise, bicubic), lambda: self._degraded(denoise, bicubic)
        )

    def _degraded(self, denoise: int, bicubic: int) -> Floats:
        # In smaller copies a pass reaches further, and what is lost in them is lost already.
        passes = round(denoise * self.scale**2)
        kept_part = min(1.0, (1 - bicubic / BICUBIC_STEPS) / self.scale)
        frame = median_blur(self.image_bgr_u8, passes, FULL_DENOISE_PASS)
        return degrade_bicubic(frame, kept_part) if kept_part < 1 else frame


@dataclass(frozen=True, eq=False)
class FaceWork:
    """A face, the frame it goes into and the look it gets; all pictures float32, BGR, 0..1."""

    face: MergeFace
    look: Look
    frame: FrameWork
    motion: Motion = STILL

    @property
    def side_px(self) -> int:
        """The side of the square that is laid into the frame."""
        resolution = self.face.crop.resolution
        return resolution * ENLARGEMENT if self.is_enlarged else resolution

    @property
    def is_enlarged(self) -> bool:
        """Whether the square is larger than what was predicted. In smaller copies of the frame the
        enhancer's face is shrunk instead: they show no more of it."""
        return self.look.is_enlarged and not self.is_proxy

    @property
    def face_bgr(self) -> Floats:
        """What was predicted: (side, side, 3)."""
        return self._step("face", _FACE, self._predicted_face)

    @property
    def dst_bgr(self) -> Floats:
        """What the frame shows: (side, side, 3)."""
        if self.is_enlarged and self.face.predicted.enlarged is not None:
            return self.face.predicted.enlarged.dst_bgr
        return self.face.crop.dst_bgr

    @property
    def work_mask(self) -> Floats:
        """The shaped mask in the square: (side, side)."""
        side = (self.side_px, self.side_px)
        return self._step(
            "work mask",
            _MASK,
            lambda: cv2.resize(self._shaped_mask, side, interpolation=cv2.INTER_CUBIC),
        )

    @property
    def area(self) -> Floats:
        """Where the mask is, (side, side), 0 or 1."""
        return (self.work_mask > 0).astype(np.float32)

    @property
    def region(self) -> Region:
        """The part of the frame that the squares of model and look lie in."""
        side = self.face.crop.resolution
        crop, paste = (
            region_of_square(self._matrix(side, scale), side, self.frame.hw, CUBIC_MARGIN_FACE_PX)
            for scale in (1.0, self.look.face_scale)
        )
        return crop.joined(paste)

    @property
    def under_bgr(self) -> Floats:
        """The frame in the region."""
        return self._step_in_frame(
            "under", _PLACE, lambda: unit_floats(self.frame.image_bgr_u8[self.region.slices])
        )

    @property
    def mask_in_region(self) -> Floats:
        """The shaped mask in the region: (h, w)."""
        return self._step_in_frame("mask", (*_MASK, *_PLACE), self._laid_mask)

    @property
    def crop_matrix(self) -> Matrix:
        """Frame -> what the model saw, as a square of `side_px`."""
        return self._matrix(self.side_px, 1.0)

    @property
    def paste_matrix(self) -> Matrix:
        """Frame -> where the model's answer goes by the look's scale."""
        return self._matrix(self.side_px, self.look.face_scale)

    @property
    def coloured_face_bgr(self) -> Floats:
        """The predicted face with the colours of the frame's, by the look's transfer."""
        fields = _COLOURS if self.look.color_transfer_mode in IGNORE_AREA else (*_COLOURS, *_MASK)
        return self._step("coloured", fields, lambda: self.in_frames_colours(self.face_bgr))

    def in_frames_colours(self, face_bgr: Floats) -> Floats:
        """A face (side, side, 3) with the colours of the frame's, by the look's transfer."""
        transfer = transfer_colours_roughly if self.is_proxy else transfer_colours
        return transfer(face_bgr, self.dst_bgr, self.look.color_transfer_mode, self.area)

    def histogram_matched(self, face_bgr: Floats, *, masked: bool) -> Floats:
        """A face (side, side, 3) with the histogram of the frame's. If masked, what lies outside of
        the mask is white in both."""
        source, template = face_bgr, self.dst_bgr
        if masked:
            outside = (self.area == 0)[..., None]
            source, template = (
                np.where(outside, np.float32(1), picture) for picture in (source, template)
            )
        return match_histogram(source, template, self.look.hist_match_threshold)

    def cloned_once(self, clone: Callable[[], Floats]) -> Floats:
        """What `clone` makes of the uncoloured face, the mask and the frame; kept."""
        return self._step_in_frame("cloned", (*_FACE, *_MASK, *_PLACE), clone)

    def _predicted_face(self) -> Floats:
        predicted = self.face.predicted
        if not self.look.is_enlarged:
            return predicted.face_bgr
        if predicted.enlarged is None:
            raise ValueError(
                "the enhancer was not asked: the prediction lacks what this look wants"
            )
        side, large = (self.side_px, self.side_px), predicted.enlarged.face_bgr
        if self.is_proxy:
            large = cv2.resize(large, side, interpolation=cv2.INTER_AREA)
        face = cv2.resize(predicted.face_bgr, side, interpolation=cv2.INTER_LINEAR)
        part = np.float32(self.look.super_resolution_power / 100)
        mixed: Floats = cv2.addWeighted(face, float(1 - part), large, float(part), 0)
        return np.clip(mixed, 0, 1)

    @property
    def _shaping_scale(self) -> int:
        return PROXY_SHAPING_SCALE if self.is_proxy else SHAPING_SCALE

    @property
    def is_proxy(self) -> bool:
        """Whether the frame is a smaller copy of the one that the face was cut from: some steps
        are then made faster and coarser."""
        return self.frame.hw != self.face.crop.frame_hw

    @property
    def _shaped_mask(self) -> Floats:
        """The mask by the look's mask mode, eroded and softened."""
        return self._step("shaped", _MASK, self._shaped)

    def _shaped(self) -> Floats:
        look, scale = self.look, self._shaping_scale
        fine = self._step("fine mask", _WORK_MASK, self._fine_mask)
        if look.is_raw:
            return fine
        erode_px, blur_px = (
            int(amount * scale / SHAPING_SCALE)
            for amount in (look.erode_mask_modifier, look.blur_mask_modifier)
        )
        padding_px = self.face.crop.resolution * scale // SHAPING_SCALE
        return fade_out(fine, padding_px, erode_px, blur_px)

    def _fine_mask(self) -> Floats:
        sources = MaskSources(self.face.crop, self.face.predicted, self.side_px)
        side_px = self.face.crop.resolution * self._shaping_scale
        return fine_mask(work_mask(sources, self.look.mask_mode), side_px)

    def _laid_mask(self) -> Floats:
        side_px = self.face.crop.resolution * self._shaping_scale
        matrix = self._matrix(side_px, self.look.face_scale)
        return without_dust(lay_into(self.region, self._shaped_mask, matrix))

    def _matrix(self, side_px: int, scale: float) -> Matrix:
        """The crop matrix for the frame as it is here, which may be smaller than the whole one."""
        matrix = self.face.crop.matrix(side_px, scale)
        if not self.is_proxy:
            return matrix
        shrunk = np.divide(self.face.crop.frame_hw, self.frame.hw)[::-1]
        # Corners, not centres of pixels, are multiples of each other.
        matrix[:, 2] += matrix[:, :2] @ ((shrunk - 1) / 2)
        matrix[:, :2] *= shrunk
        return matrix

    def _step(self, name: str, fields: tuple[str, ...], make: Callable[[], Result]) -> Result:
        """A step that is the same in all smaller copies of the frame."""
        return self.face.kept.get((name, self.is_proxy), self._values(fields), make)

    def _step_in_frame(
        self, name: str, fields: tuple[str, ...], make: Callable[[], Result]
    ) -> Result:
        return self.face.kept.get((name, self.frame.hw), self._values(fields), make)

    def _values(self, fields: tuple[str, ...]) -> tuple[object, ...]:
        morph_factor = self.face.predicted.morph_factor
        return (morph_factor, *(getattr(self.look, name) for name in fields))
