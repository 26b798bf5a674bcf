"""One side's training samples, numbered: sample k is the same whenever and wherever it is made.

The order of faces, and every random number of a sample, follow from the seed, the side and k alone.
So threads may work in any order, and a run goes on exactly where an earlier one stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.train.colours import TRANSFERS, draw_hsv_shift
from engine.train.crops import Crop, CropCache, CropKind, Reference, make_crop, make_reference
from engine.train.geometry import draw_geometry
from engine.train.orders import EvenOverBins, Order, ShuffledRounds, yaw_bins
from engine.train.side_faces import Face, SideFaces

F32 = NDArray[np.float32]
_SIDE_NUMBERS = {"src": 0, "dst": 1}
_REFERENCES_NUMBER = 2  # tells the order of references from that of either side
_COLOURS_PART = 1  # of a sample's random numbers: its colours do not depend on how it is bent


@dataclass(frozen=True)
class Sampling:
    """What a model trains on.

    scale: largest enlargement is 1 + scale. warp: bend the input, not the target. mirror: sides
    whose faces may be mirrored. hsv_power: largest change (0..0.3) of hue, saturation and lightness
    of src inputs. ct_mode: how src samples take over colours of dst faces ("none", "rct", "lct",
    "mkl", "idt", "sot"). uniform_yaw: draw faces evenly over where they look, not over the set.
    """

    kind: CropKind
    batch_size: int
    scale: float
    warp: bool = True
    mirror: frozenset[str] = frozenset()
    hsv_power: float = 0.0
    ct_mode: str = "none"
    uniform_yaw: bool = False


@dataclass(frozen=True, eq=False)
class Sample:
    """One face: (warped) input and target (R, R, 3) BGR, masks (R, R, 1); float32, 0..1."""

    input_bgr: F32
    target_bgr: F32
    mask: F32
    eyes_mouth: F32 | None


class SideSamples:
    """The endless, numbered samples of one side.

    references: faces whose colours the samples take over as `sampling.ct_mode` says; None for a
    side that keeps its colours.
    """

    def __init__(
        self,
        faces: SideFaces,
        sampling: Sampling,
        *,
        seed: int,
        cache: CropCache,
        references: SideFaces | None = None,
    ) -> None:
        self.faces = faces
        self.sampling = sampling
        self._seeds = (seed, _SIDE_NUMBERS[faces.side])
        self._cache = cache
        self._order: Order = (
            EvenOverBins(yaw_bins(faces.yaws_rad), self._seeds)
            if sampling.uniform_yaw
            else ShuffledRounds(len(faces), self._seeds)
        )
        self._references = _References(references, sampling, seed, cache) if references else None

    @property
    def side(self) -> str:
        """Which side it is: "src" or "dst"."""
        return self.faces.side

    @property
    def unusable(self) -> dict[str, str]:
        """Faces that were skipped: name and reason."""
        return self.faces.unusable

    def face_number(self, number: int) -> int:
        """Which face sample `number` shows, unless that is unusable."""
        return self._order.at(number)

    def sample(self, number: int) -> Sample:
        """Sample `number` >= 0. Raises `InputError` if no face of the side can be used."""
        sampling = self.sampling
        rng = np.random.default_rng([*self._seeds, number])
        geometry = draw_geometry(
            rng,
            sampling.kind.side_px,
            scale=sampling.scale,
            warp=sampling.warp,
            may_mirror=self.side in sampling.mirror,
        )
        crop = self.faces.use(self.face_number(number), self._crop)
        image, seen = self._coloured(_unit(crop.image_bgr_u8), number)
        target = geometry.image(image, warped=False)
        bent = sampling.warp or seen is not image
        return Sample(
            input_bgr=geometry.image(seen, warped=True) if bent else target,
            target_bgr=target,
            mask=geometry.mask(_unit(crop.mask_u8))[..., None],
            eyes_mouth=_full_range(geometry.mask(_unit(crop.eyes_mouth_u8)))[..., None]
            if crop.eyes_mouth_u8 is not None
            else None,
        )

    def _coloured(self, image: F32, number: int) -> tuple[F32, F32]:
        """A face in the colours of its target and of its input; the same picture where alike."""
        jitters = self.side == "src" and self.sampling.hsv_power > 0
        if not jitters and self._references is None:
            return image, image
        rng = np.random.default_rng([*self._seeds, number, _COLOURS_PART])
        if self._references:
            image = self._references.recolour(image, number, rng)
        if not jitters:
            return image, image
        return image, draw_hsv_shift(rng, self.sampling.hsv_power).apply(image)

    def _crop(self, face: Face) -> Crop:
        return self._cache.get(
            "crop",
            face,
            lambda: make_crop(face.read_jpeg(), face.data, self.sampling.kind, face.name),
        )


class _References:
    """The dst faces that src samples take their colours from: in rounds of their own."""

    def __init__(self, faces: SideFaces, sampling: Sampling, seed: int, cache: CropCache) -> None:
        self._faces = faces
        self._side_px = sampling.kind.side_px
        self._transfer = TRANSFERS[sampling.ct_mode]
        self._order = ShuffledRounds(len(faces), (seed, _REFERENCES_NUMBER))
        self._cache = cache

    def recolour(self, image_bgr: F32, number: int, rng: np.random.Generator) -> F32:
        """A picture with the colours of the reference of sample `number`."""
        reference = self._faces.use(self._order.at(number), self._reference)
        return self._transfer(image_bgr, _unit(reference.image_bgr_u8), rng)

    def _reference(self, face: Face) -> Reference:
        return self._cache.get(
            "reference", face, lambda: make_reference(face.read_jpeg(), self._side_px, face.name)
        )


def _unit(picture_u8: NDArray[np.uint8]) -> F32:
    return picture_u8.astype(np.float32) / np.float32(255)


def _full_range(mask: F32) -> F32:
    highest = mask.max()
    return mask / highest if highest > 0 else mask
