"""An autoencoder ready to merge with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.predictor import Prediction
from engine.nets.layers import Tensor
from engine.train.generations import Manifest

F32 = NDArray[np.float32]


class _Swapping(Protocol):
    """Nets that draw dst faces as src: face, mask of the src decoder, mask of the dst decoder."""

    @property
    def arch(self) -> Any: ...

    @property
    def swap(self) -> Callable[..., tuple[Tensor, Tensor, Tensor]]: ...


class AutoencoderPredictor:
    """Swaps faces (`engine.models.predictor.FacePredictor`)."""

    def __init__(self, autoencoder: _Swapping, face_type: FaceType, manifest: Manifest) -> None:
        self.resolution: int = autoencoder.arch.resolution
        self.face_type = face_type
        self.iteration = manifest.iteration
        self.fingerprint = manifest.fingerprint()
        self._swap = tf.function(
            autoencoder.swap, input_signature=self._signature(), autograph=False
        )

    def predict(self, crops_bgr: F32, morph_factors: F32 | None = None) -> Prediction:
        """See `FacePredictor.predict`. Raises `ValueError` for crops of another shape."""
        if crops_bgr.ndim != 4 or crops_bgr.shape[1:] != (self.resolution, self.resolution, 3):
            raise ValueError(f"crops of shape {crops_bgr.shape}, not of {self.resolution} px")
        face, mask_src, mask_dst = self._swapped(crops_bgr, morph_factors)
        return Prediction(face.numpy(), mask_src.numpy()[..., 0], mask_dst.numpy()[..., 0])

    def _signature(self) -> list[tf.TensorSpec]:
        """What the nets are compiled for: any number of crops."""
        return [tf.TensorSpec((None, self.resolution, self.resolution, 3), tf.float32)]

    def _swapped(self, crops_bgr: F32, morph_factors: F32 | None) -> tuple[Tensor, Tensor, Tensor]:
        found: tuple[Tensor, Tensor, Tensor] = self._swap(tf.constant(crops_bgr, tf.float32))
        return found
