"""ONNX files played as other programs play them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

F32 = NDArray[np.float32]


def session(data: bytes) -> Any:
    """ONNX Runtime on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


class DeepFaceLive:
    """Loads and feeds a .dfm the way DeepFaceLive does (training specification 13): by literal
    names of inputs, and outputs by place."""

    def __init__(self, data: bytes) -> None:
        self.session = session(data)
        inputs = self.session.get_inputs()
        assert len(inputs) in (1, 2)
        assert "in_face" in inputs[0].name
        assert len(inputs) == 1 or "morph_value" in inputs[1].name
        self.has_morph_value = len(inputs) == 2
        self.height, self.width = inputs[0].shape[1:3]
        assert type(self.height) is type(self.width) is int

    def convert(self, face_bgr: F32, morph_factor: float = 0.75) -> tuple[F32, F32, F32]:
        """(face mask, swapped face, its mask), (R, R, channels) each, of a face (R, R, 3)."""
        assert face_bgr.shape == (self.height, self.width, 3) and face_bgr.dtype == np.float32
        fed = {"in_face:0": face_bgr[None]}
        if self.has_morph_value:
            fed["morph_value:0"] = np.float32([morph_factor])
        face_mask, celeb, celeb_mask = self.session.run(None, fed)
        return face_mask[0], celeb[0], celeb_mask[0]
