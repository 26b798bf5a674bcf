"""What XSeg learns from: faces with masks, and the numbered samples that are made of them.

spec, training 11.3. Sample k is the same whenever and wherever it is made, as in
`engine.train.samples`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.face_data import FaceData
from engine.faces.face_file import decode_applied_mask, labels_mask
from engine.media.levels import unit_floats
from engine.train.crops import Crop, CropCache, CropKind, MaskOf, make_crop
from engine.train.geometry import FLIP_CHANCE, Affine, SampleGeometry, draw_geometry
from engine.train.orders import ShuffledRounds
from engine.train.samples import Sample, Sampling
from engine.train.side_faces import Face, SideFaces
from engine.train.xseg_augment import changed_in_places, other_colours, with_flares

F32 = NDArray[np.float32]
Pair = tuple[F32, F32]  # a face (side, side, 3) BGR and its mask (side, side), 0..1

_SIDE_NUMBER = 3  # tells the samples' random numbers from those of src and dst
_BACKGROUND_CHANCE = 0.5
# How backgrounds are moved, and the least of the own picture that stays before them.
_BACKGROUND_SCALE, _BACKGROUND_SHIFT, _LEAST_KEPT = 0.1, 0.1, 0.15


class MaskedFaces(Protocol):
    """Faces with the masks that are to be learned. Thread-safe."""

    @property
    def unusable(self) -> Mapping[str, str]:
        """Faces that were skipped: name and reason."""
        ...

    def __len__(self) -> int: ...

    def pair(self, number: int, rng: np.random.Generator) -> Pair:
        """Face `number` (or, where that cannot be used, the next that can) and its mask.

        rng: for sources that leave something to chance. Raises `InputError` if none can be used.
        """
        ...


@dataclass(frozen=True)
class LabelledFaces:
    """Faces with masks in their files. mask_of: which of them (`drawn_mask`, `applied_mask`)."""

    faces: SideFaces
    kind: CropKind
    cache: CropCache
    mask_of: MaskOf

    @property
    def unusable(self) -> Mapping[str, str]:
        return self.faces.unusable

    def __len__(self) -> int:
        return len(self.faces)

    def pair(self, number: int, rng: np.random.Generator) -> Pair:
        """See `MaskedFaces.pair`."""
        crop = self.faces.use(number, self._crop)
        return unit_floats(crop.image_bgr_u8), unit_floats(crop.mask_u8)

    def _crop(self, face: Face) -> Crop:
        def make() -> Crop:
            return make_crop(face.read_jpeg(), face.data, self.kind, face.name, self.mask_of)

        return self.cache.get("crop", face, make)


def drawn_mask(data: FaceData, shape_hw: tuple[int, int]) -> F32:
    """The mask of the labels that were drawn on a face."""
    return labels_mask(data, shape_hw)


def applied_mask(data: FaceData, shape_hw: tuple[int, int]) -> F32:
    """The mask that was applied to a face, 0 or 1."""
    return (decode_applied_mask(data, shape_hw) >= 0.5).astype(np.float32)


@dataclass(frozen=True)
class JoinedFaces:
    """Several sources, one behind the other."""

    sources: Sequence[MaskedFaces]

    @property
    def unusable(self) -> Mapping[str, str]:
        return {name: why for source in self.sources for name, why in source.unusable.items()}

    def __len__(self) -> int:
        return sum(map(len, self.sources))

    def pair(self, number: int, rng: np.random.Generator) -> Pair:
        """See `MaskedFaces.pair`."""
        for source, end in zip(self.sources, accumulate(map(len, self.sources)), strict=True):
            if number < end:
                return source.pair(number - end + len(source), rng)
        raise IndexError(number)


class XSegSamples:
    """The endless, numbered samples of masks (`engine.train.batches.Samples`).

    A sample's input is the face, its mask what is to be found.
    """

    side = "labelled"

    def __init__(self, faces: MaskedFaces, sampling: Sampling, *, seed: int) -> None:
        self.sampling = sampling
        self._faces = faces
        self._seeds = (seed, _SIDE_NUMBER)
        self._order = ShuffledRounds(len(faces), self._seeds)

    @property
    def unusable(self) -> Mapping[str, str]:
        """See `engine.train.batches.Samples`."""
        return self._faces.unusable

    def sample(self, number: int) -> Sample:
        """See `engine.train.batches.Samples`."""
        rng = np.random.default_rng([*self._seeds, number])
        image, mask = self._faces.pair(self._order.at(number), rng)
        if rng.random() < _BACKGROUND_CHANCE:
            other = self._faces.pair(int(rng.integers(len(self._faces))), rng)
            image = before_background(image, mask, other, rng)
        geometry = _drawn(rng, self.sampling)
        image = geometry.image(image, warped=True)
        mask = (geometry.mask(mask, warped=True) >= 0.5).astype(np.float32)
        image = changed_in_places(with_flares(image, mask, rng), rng)
        image = np.ascontiguousarray(image, np.float32)
        return Sample(image, image, mask[..., None], None)


class PretrainingSamples:
    """Bent faces of many people; what is to be drawn is the same picture in grey."""

    side = "pretraining"

    def __init__(
        self, faces: SideFaces, sampling: Sampling, *, seed: int, cache: CropCache
    ) -> None:
        self.sampling = sampling
        self._faces = LabelledFaces(faces, sampling.kind, cache, _no_mask)
        self._seeds = (seed, _SIDE_NUMBER)
        self._order = ShuffledRounds(len(faces), self._seeds)

    @property
    def unusable(self) -> Mapping[str, str]:
        """See `engine.train.batches.Samples`."""
        return self._faces.unusable

    def sample(self, number: int) -> Sample:
        """See `engine.train.batches.Samples`."""
        rng = np.random.default_rng([*self._seeds, number])
        image, _ = self._faces.pair(self._order.at(number), rng)
        image = _drawn(rng, self.sampling).image(image, warped=True)
        return Sample(image, image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], None)


def before_background(image: F32, mask: F32, other: Pair, rng: np.random.Generator) -> F32:
    """The face before what is around another: turned, moved, in other colours, its face left
    out, and mixed with the own surroundings."""
    behind, its_mask = other
    geometry = SampleGeometry(_background_move(rng), None, bool(rng.random() < FLIP_CHANCE))
    behind = geometry.image(behind, warped=False)
    its_mask = np.clip(geometry.mask(its_mask), 0, 1)
    behind = other_colours(behind * (1 - its_mask[..., None]), rng)
    around = ((1 - mask) * (1 - its_mask))[..., None]
    own_share = np.float32(rng.uniform(_LEAST_KEPT, 1))
    mixed: F32 = image * (1 - around) + (image * own_share + behind * (1 - own_share)) * around
    return mixed


def _background_move(rng: np.random.Generator) -> Affine:
    return Affine(
        rotation_deg=rng.uniform(-180, 180),
        scale=rng.uniform(1 / (1 + _BACKGROUND_SCALE), 1 + _BACKGROUND_SCALE),
        shift_x=rng.uniform(-_BACKGROUND_SHIFT, _BACKGROUND_SHIFT),
        shift_y=rng.uniform(-_BACKGROUND_SHIFT, _BACKGROUND_SHIFT),
    )


def _drawn(rng: np.random.Generator, sampling: Sampling) -> SampleGeometry:
    side_px = sampling.kind.side_px
    return draw_geometry(rng, side_px, scale=sampling.scale, warp=True, may_mirror=True)


def _no_mask(_: FaceData, shape_hw: tuple[int, int]) -> F32:
    return np.zeros(shape_hw, np.float32)
