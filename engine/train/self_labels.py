"""Faces that label themselves: the mask is drawn from the landmarks up to the hair line, and things
are painted before the face and taken out of it. No mask is drawn by hand.

What hides a face in the user's own pictures counts as face here, for nobody said that it is not;
that there are many more clear faces than hidden ones is what the net learns by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.faces.face_data import FaceData
from engine.faces.label_suggestions import suggest_to_hairline
from engine.faces.masks import polygons_mask
from engine.media.images import decode_face_bgr_u8
from engine.media.levels import unit_floats
from engine.train.crops import Crop, CropCache, CropKind, make_crop
from engine.train.occluder_canvas import F32, Generator
from engine.train.occluders import Occluder, Scene, draw_occluder
from engine.train.side_faces import Face, SideFaces

# How often nothing, one thing, two things lie before a face.
_COUNT_CHANCES = (0.2, 0.6, 0.2)
_MOST_HIDDEN = 0.75  # of the face: with less of it seen there is nothing to learn
_SHADOW_CHANCE, _DEEPEST_SHADOW = 0.5, 0.5
_PATCHES, _PATCH_TRIES = 3, 12  # pieces of another picture that an occluder may be made of


@dataclass(frozen=True)
class SelfLabelledFaces:
    """A source of faces with masks (`engine.train.xseg_samples.MaskedFaces`) for any faceset."""

    faces: SideFaces
    kind: CropKind
    cache: CropCache

    @property
    def unusable(self) -> Mapping[str, str]:
        """See `MaskedFaces.unusable`."""
        return self.faces.unusable

    def __len__(self) -> int:
        return len(self.faces)

    def pair(self, number: int, rng: Generator) -> tuple[F32, F32]:
        """See `MaskedFaces.pair`; the same `rng` gives the same occluders."""
        image, label = self._clear(number)
        count = int(rng.choice(len(_COUNT_CHANCES), p=_COUNT_CHANCES))
        if not count:
            return image, label
        patches = background_patches(rng, *self._clear(int(rng.integers(len(self)))))
        for _ in range(count):
            occluder = draw_occluder(rng, Scene(image, label, patches))
            image, label = hidden_by(occluder, image, label, rng)
        return image, label

    def _clear(self, number: int) -> tuple[F32, F32]:
        crop = self.faces.use(number, self._crop)
        return unit_floats(crop.image_bgr_u8), unit_floats(crop.mask_u8)

    def _crop(self, face: Face) -> Crop:
        return self.cache.get("self-labelled", face, lambda: self_labelled_crop(face, self.kind))


def self_labelled_crop(face: Face, kind: CropKind) -> Crop:
    """The face's crop with the mask that its landmarks and hair line give. Raises `InputError`
    naming the file where the picture is damaged or its landmarks are unusable."""
    jpeg = face.read_jpeg()

    def mask_of(data: FaceData, shape_hw: tuple[int, int]) -> F32:
        image = decode_face_bgr_u8(jpeg, Path(face.name))
        return polygons_mask(shape_hw, suggest_to_hairline(image, data.landmarks))

    return make_crop(jpeg, face.data, kind, face.name, mask_of)


def hidden_by(occluder: Occluder, image_bgr: F32, label: F32, rng: Generator) -> tuple[F32, F32]:
    """The face (side, side, 3) with that before it, which may throw a shadow, and what is left of
    its label (side, side). A thing that would hide nearly all of the face is left away."""
    seen = label * (1 - occluder.alpha)
    if seen.sum() < (1 - _MOST_HIDDEN) * label.sum():
        return image_bgr, label
    if rng.random() < _SHADOW_CHANCE:
        image_bgr = image_bgr * _shadow(occluder, rng)[..., None]
    alpha = occluder.alpha[..., None]
    return image_bgr * (1 - alpha) + occluder.image_bgr * alpha, seen


def background_patches(rng: Generator, image_bgr: F32, label: F32) -> list[F32]:
    """Some pieces of a picture in which there is (next to) nothing of its face."""
    side_px = len(label)
    patches: list[F32] = []
    for _ in range(_PATCH_TRIES):
        size_px = int(side_px * rng.uniform(0.1, 0.35))
        left, top = rng.integers(0, side_px - size_px, 2)
        where = slice(top, top + size_px), slice(left, left + size_px)
        if label[where].mean() < 0.03:
            patches.append(image_bgr[where])
        if len(patches) == _PATCHES:
            break
    return patches


def _shadow(occluder: Occluder, rng: Generator) -> F32:
    """(side, side): how much light is left around the thing."""
    side_px = len(occluder.alpha)
    shift = np.array([(1, 0, rng.normal(0, 0.03)), (0, 1, rng.normal(0.02, 0.03))])
    shift[:, 2] *= side_px
    moved = cv2.warpAffine(occluder.alpha, shift, (side_px, side_px))
    soft = cv2.GaussianBlur(moved, (0, 0), side_px * rng.uniform(0.01, 0.05))
    return np.asarray(1 - rng.uniform(0, _DEEPEST_SHADOW) * soft, np.float32)
