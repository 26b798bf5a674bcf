"""One side's training samples, numbered: sample k is the same whenever and wherever it is made.

The order of faces, and every random number of a sample, follow from the seed, the side and k alone.
So threads may work in any order, and a run goes on exactly where an earlier one stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_data import FaceData
from engine.protocol.errors import InputError
from engine.train.crops import Crop, CropCache, CropKind, make_crop
from engine.train.geometry import draw_geometry

F32 = NDArray[np.float32]
_SIDE_NUMBERS = {"src": 0, "dst": 1}
_NAMED_AT_MOST = 20  # unusable faces of a side that are warned of one by one
_ORDER_STREAM = 2**31  # apart from every sample's own stream


class Face(Protocol):
    """A face of a faceset."""

    @property
    def name(self) -> str: ...

    @property
    def data(self) -> FaceData: ...

    def read_jpeg(self) -> bytes: ...


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
    """The endless, numbered samples of one side, "src" or "dst"."""

    def __init__(
        self,
        side: str,
        faces: Sequence[Face],
        sampling: Sampling,
        *,
        seed: int,
        cache: CropCache,
        warn: Callable[[str, str], None],
    ) -> None:
        self.side = side
        self.faces = faces
        self.sampling = sampling
        self.seed = seed
        self._cache = cache
        self._warn = warn
        self._unusable: dict[int, str] = {}
        self._lock = threading.Lock()
        self._order = lru_cache(maxsize=4)(self._shuffled)

    def sample(self, number: int) -> Sample:
        """Sample `number` >= 0. Raises `InputError` if no face of the side can be used."""
        rng = self._rng(number)
        crop = self._crop(number)
        geometry = draw_geometry(
            rng,
            self.sampling.kind.side_px,
            scale=self.sampling.scale,
            warp=self.sampling.warp,
            may_mirror=self.side in self.sampling.mirror,
        )
        image = _unit(crop.image_bgr_u8)
        target = geometry.image(image, warped=False)
        return Sample(
            input_bgr=geometry.image(image, warped=True) if self.sampling.warp else target,
            target_bgr=target,
            mask=geometry.mask(_unit(crop.mask_u8))[..., None],
            eyes_mouth=_full_range(geometry.mask(_unit(crop.eyes_mouth_u8)))[..., None]
            if crop.eyes_mouth_u8 is not None
            else None,
        )

    def face_number(self, number: int) -> int:
        """Which face sample `number` shows: every face once per round, each round shuffled anew."""
        round_number, place = divmod(number, len(self.faces))
        return int(self._order(round_number)[place])

    @property
    def unusable(self) -> dict[str, str]:
        """Faces that were skipped: name and reason."""
        with self._lock:
            return {self.faces[i].name: reason for i, reason in self._unusable.items()}

    def _crop(self, number: int) -> Crop:
        """The face's crop; in place of an unusable face the next usable one by number."""
        first = self.face_number(number)
        for step in range(len(self.faces)):
            index = (first + step) % len(self.faces)
            if index in self._unusable:
                continue
            try:
                return self._cache.get((self.side, index), lambda i=index: self._make(i))  # type: ignore[misc]
            except InputError as error:
                self._skip(index, error)
        raise InputError(
            f"none of the {len(self.faces)} {self.side} faces can be used",
            f"extract the {self.side} faces again; the last reason: {self._last_reason()}",
            code="no-faces",
        )

    def _make(self, index: int) -> Crop:
        face = self.faces[index]
        return make_crop(face.read_jpeg(), face.data, self.sampling.kind, face.name)

    def _skip(self, index: int, error: InputError) -> None:
        with self._lock:
            if index in self._unusable:
                return
            self._unusable[index] = error.message
            known = len(self._unusable)
        if known == _NAMED_AT_MOST + 1:
            self._warn(f"more {self.side} faces are skipped, from here on without a word each", "")
        if known > _NAMED_AT_MOST:
            return
        self._warn(f"{self.side} face skipped: {error.message}", error.remedy)

    def _last_reason(self) -> str:
        return next(reversed(self._unusable.values()))

    def _shuffled(self, round_number: int) -> NDArray[np.int64]:
        return self._rng(_ORDER_STREAM + round_number).permutation(len(self.faces))

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, _SIDE_NUMBERS[self.side], stream])


def _unit(picture_u8: NDArray[np.uint8]) -> F32:
    return picture_u8.astype(np.float32) / np.float32(255)


def _full_range(mask: F32) -> F32:
    highest = mask.max()
    return mask / highest if highest > 0 else mask
