"""dlib's neural face detector (max-margin, CNN): turned heads, too, but slow without a GPU.

No TensorFlow. It gives no five points, and its box lies around the head: of a head turned to the
side the face is at the box's edge, where `engine.detect.landmarks68` looks for it when in doubt.
"""

from __future__ import annotations

import dlib
import numpy as np

from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.weight_files import packaged_file

_PACKAGE = "face_recognition_models"
_INSIDE = f"{_PACKAGE}/models/mmod_human_face_detector.dat"
LEAST_EDGE_PX = 16  # dlib's pyramid needs some pixels to begin with


class CnnDetector:
    """A `FaceDetector` without five points. Scores start at 0; clear faces have about 1.1.

    upsample: how often the picture is doubled first: 0 finds faces from 80 px on, 1 from 40, 2 from
    20. A 640x360 picture takes 1.4 s on one core, each step four times as long; its memory grows
    alike, from 0.3 GB.
    """

    def __init__(self, *, upsample: int = 0) -> None:
        self._upsample = upsample
        self._find = dlib.cnn_face_detection_model_v1(str(packaged_file(_PACKAGE, _INSIDE)))

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]:
        return [self._detect_one(image) for image in images_bgr_u8]

    def _detect_one(self, image_bgr_u8: ImageBgrU8) -> list[Detection]:
        if min(image_bgr_u8.shape[:2]) < LEAST_EDGE_PX:
            return []
        found = self._find(np.ascontiguousarray(image_bgr_u8[..., ::-1]), self._upsample)
        faces = [
            Detection(
                # dlib's right and bottom are the last pixel, ours the edge behind it.
                (
                    float(one.rect.left()),
                    float(one.rect.top()),
                    one.rect.right() + 1.0,
                    one.rect.bottom() + 1.0,
                ),
                float(one.confidence),
            )
            for one in found
        ]
        return sorted(faces, key=lambda face: -face.score)
