"""Real frames, and the detectors built once for all tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from engine.detect.detection import Detection
from engine.detect.landmarks68 import Landmarker68
from tests.support.shared import shared_path

if TYPE_CHECKING:
    from engine.detect.mtcnn import MtcnnDetector


def clip_frames(name: str, wanted: Iterable[int] | None = None) -> list[np.ndarray]:
    """The clip's frames (0-based numbers, or all) as (h, w, 3) uint8 BGR."""
    numbers = None if wanted is None else set(wanted)
    with av.open(str(shared_path("media", name))) as container:
        return [
            frame.to_ndarray(format="bgr24")
            for number, frame in enumerate(container.decode(video=0))
            if numbers is None or number in numbers
        ]


def still(name: str) -> np.ndarray:
    image = cv2.imread(str(shared_path("media", "stills", name)))
    assert image is not None
    return image


def annotated_stills() -> list[dict[str, Any]]:
    text = shared_path("media", "stills", "landmarks68.json").read_text()
    stills: list[dict[str, Any]] = json.loads(text)["stills"]
    return stills


@cache
def mtcnn() -> MtcnnDetector:
    from engine.detect.mtcnn import MtcnnDetector  # loads TensorFlow

    return MtcnnDetector()


@cache
def landmarker() -> Landmarker68:
    return Landmarker68()


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned counter-clockwise on a canvas that holds it, and the matrix to it."""
    height, width = image.shape[:2]
    side = int(np.hypot(width, height)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += ((side - width) / 2, (side - height) / 2)
    return cv2.warpAffine(image, matrix, (side, side)), matrix


def nearest(faces: list[Detection], point_xy: np.ndarray) -> Detection | None:
    """The face whose box's middle is nearest to the point."""

    def distance(face: Detection) -> float:
        left, top, right, bottom = face.box_ltrb
        return float(np.hypot((left + right) / 2 - point_xy[0], (top + bottom) / 2 - point_xy[1]))

    return min(faces, key=distance, default=None)
