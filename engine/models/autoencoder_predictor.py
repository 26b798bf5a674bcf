"""An autoencoder ready to merge with."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from engine.faces.face_type import FaceType
from engine.models.predictor import Prediction
from engine.nets.autoencoder import Autoencoder
from engine.train.generations import Manifest

F32 = NDArray[np.float32]


class AutoencoderPredictor:
    """Swaps faces (`engine.models.predictor.FacePredictor`)."""

    def __init__(self, autoencoder: Autoencoder, face_type: FaceType, manifest: Manifest) -> None:
        self.resolution = autoencoder.arch.resolution
        self.face_type = face_type
        self.iteration = manifest.iteration
        self.fingerprint = manifest.fingerprint()
        self._autoencoder = autoencoder
        shape = (None, self.resolution, self.resolution, 3)
        self._swap = tf.function(
            autoencoder.swap, input_signature=[tf.TensorSpec(shape, tf.float32)]
        )

    def predict(self, crops_bgr: F32, morph_factors: F32 | None = None) -> Prediction:
        """See `FacePredictor.predict`. Raises `ValueError` for crops of another shape."""
        if crops_bgr.ndim != 4 or crops_bgr.shape[1:] != (self.resolution, self.resolution, 3):
            raise ValueError(f"crops of shape {crops_bgr.shape}, not of {self.resolution} px")
        face, mask_src, mask_dst = self._swap(tf.constant(crops_bgr, tf.float32))
        return Prediction(face.numpy(), mask_src.numpy()[..., 0], mask_dst.numpy()[..., 0])
