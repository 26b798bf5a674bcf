"""The nets that merging asks: the model, and beside it the face enhancer and XSeg where a look
wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.models.predictor import FacePredictor
from engine.protocol.errors import InputError
from engine.protocol.look import Look

Floats = NDArray[np.float32]

# What XSeg takes and gives, and how much larger the enhancer's pictures are.
SEGMENTER_PX = 256
ENLARGEMENT = 4


class FaceEnlarger(Protocol):
    """The face enhancer (DeepFaceLab's `FaceEnhancer.npy`). Not for several threads at once."""

    @property
    def fingerprint(self) -> str:
        """What tells these weights from others."""
        ...

    def enlarge(self, face_bgr: Floats) -> Floats:
        """A face (R, R, 3) float32, 0..1, as (4R, 4R, 3), about 0..1."""
        ...


class FaceSegmenter(Protocol):
    """An XSeg net trained for the model's face type. Not for several threads at once."""

    @property
    def fingerprint(self) -> str:
        """What tells these weights from others."""
        ...

    def masks(self, faces_bgr: Floats) -> Floats:
        """What is face in crops (n, 256, 256, 3) float32, 0..1: (n, 256, 256) float32, 0..1."""
        ...


def no_segmenter() -> FaceSegmenter:
    """The loader where no XSeg net can be loaded. Raises `InputError`."""
    raise InputError(
        "this mask mode needs a trained XSeg net, and there is none",
        "choose another mask mode, such as learned-prd*learned-dst",
        code="no-xseg",
    )


@dataclass(frozen=True)
class FaceNets:
    """The model, and how to load the others; these are loaded once, when first asked for.

    has_morph_factor: see `ModelSpec`. model_class: the model's, for the record. The loaders raise
    `InputError` where the weights are not there.
    """

    predictor: FacePredictor
    load_enlarger: Callable[[], FaceEnlarger]
    load_segmenter: Callable[[], FaceSegmenter] = no_segmenter
    has_morph_factor: bool = False
    model_class: str = ""

    @cached_property
    def enlarger(self) -> FaceEnlarger:
        return self.load_enlarger()

    @cached_property
    def segmenter(self) -> FaceSegmenter:
        return self.load_segmenter()

    def morph_factors(self, looks: Iterable[Look]) -> Sequence[float] | None:
        """What the model is given for faces of these looks; None where it takes nothing."""
        return [look.morph_factor for look in looks] if self.has_morph_factor else None

    def fingerprint(self, looks: Iterable[Look]) -> str:
        """What tells the nets that these looks want from all others. Loads them, so that missing
        weights are told of before anything is done: raises `InputError`."""
        wanted = tuple(looks)
        found = [self.predictor.fingerprint]
        if any(look.is_enlarged for look in wanted):
            found.append(f"enlarged {self.enlarger.fingerprint}")
        if any(look.uses_xseg for look in wanted):
            found.append(f"xseg {self.segmenter.fingerprint}")
        return " ".join(found)
