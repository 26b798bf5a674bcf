"""MTCNN's three nets (Zhang et al. 2016) in Keras, with the weights of the package `mtcnn` 1.0.0.

Inputs are RGB in (value - 127.5) / 128. The layers stand in the order of the files' weights.
"""

from __future__ import annotations

from typing import Any

import keras

from engine.detect.weight_files import packaged_file, read_lz4_joblib_arrays
from engine.protocol.errors import InputError

L = keras.layers


def proposal_net() -> Any:
    """P-Net: (n, h, w, 3) to box offsets (n, h', w', 4) and (no face, face) (n, h', w', 2), with
    a cell for every second pixel, each looking at 12x12."""
    image = L.Input((None, None, 3))
    x = _block(image, 10, 3)
    x = L.MaxPooling2D(2, 2, "same")(x)
    x = _block(x, 16, 3)
    x = _block(x, 32, 3)
    outputs = [L.Conv2D(4, 1)(x), L.Conv2D(2, 1, activation="softmax")(x)]
    return _with_weights(keras.Model(image, outputs), "pnet")


def refine_net() -> Any:
    """R-Net: (n, 24, 24, 3) to box offsets (n, 4) and (no face, face) (n, 2)."""
    image = L.Input((24, 24, 3))
    x = L.MaxPooling2D(3, 2, "same")(_block(image, 28, 3))
    x = L.MaxPooling2D(3, 2)(_block(x, 48, 3))
    x = _dense(_block(x, 64, 2), 128)
    outputs = [L.Dense(4)(x), L.Dense(2, activation="softmax")(x)]
    return _with_weights(keras.Model(image, outputs), "rnet")


def output_net() -> Any:
    """O-Net: (n, 48, 48, 3) to box offsets (n, 4), five points (n, 10: x of all, then y; in parts
    of the patch), and (no face, face) (n, 2)."""
    image = L.Input((48, 48, 3))
    x = L.MaxPooling2D(3, 2, "same")(_block(image, 32, 3))
    x = L.MaxPooling2D(3, 2)(_block(x, 64, 3))
    x = L.MaxPooling2D(2, 2, "same")(_block(x, 64, 3))
    x = _dense(_block(x, 128, 2), 256)
    outputs = [L.Dense(4)(x), L.Dense(10)(x), L.Dense(2, activation="softmax")(x)]
    return _with_weights(keras.Model(image, outputs), "onet")


def _block(x: Any, filters: int, kernel: int) -> Any:
    return L.PReLU(shared_axes=[1, 2])(L.Conv2D(filters, kernel)(x))


def _dense(x: Any, units: int) -> Any:
    # The weights come from Caffe, which flattens column by column.
    x = L.Flatten()(L.Permute((2, 1, 3))(x))
    return L.PReLU()(L.Dense(units)(x))


def _with_weights(model: Any, name: str) -> Any:
    arrays = read_lz4_joblib_arrays(packaged_file("mtcnn", f"mtcnn/assets/weights/{name}.lz4"))
    wanted = [tuple(weight.shape) for weight in model.weights]
    if wanted != [array.shape for array in arrays]:
        raise InputError(
            f"the weights of {name} in the package mtcnn do not fit",
            "install the version this was made for: pip install mtcnn==1.0.0",
        )
    model.set_weights(arrays)
    return model
