"""An AMP autoencoder ready to merge with."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.models.autoencoder_predictor import AutoencoderPredictor
from engine.nets.layers import Tensor

F32 = NDArray[np.float32]


class AmpPredictor(AutoencoderPredictor):
    """Swaps faces, each by its own morph factor (`engine.models.predictor.FacePredictor`)."""

    def _signature(self) -> list[tf.TensorSpec]:
        return [*super()._signature(), tf.TensorSpec((None,), tf.float32)]

    def _swapped(self, crops_bgr: F32, morph_factors: F32 | None) -> tuple[Tensor, Tensor, Tensor]:
        count = len(crops_bgr)
        factors = np.ones(count, np.float32) if morph_factors is None else morph_factors
        if factors.shape != (count,) or not ((factors >= 0) & (factors <= 1)).all():
            raise ValueError(f"morph factors {factors}, not {count} of 0 to 1")
        crops = tf.constant(crops_bgr, tf.float32)
        found: tuple[Tensor, Tensor, Tensor] = self._swap(crops, tf.constant(factors, tf.float32))
        return found
