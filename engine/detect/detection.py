"""What a detector finds and what a landmarker makes of it: the interface of `engine.detect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ImageBgrU8 = NDArray[np.uint8]
PointsXY = NDArray[np.float64]
BoxLtrb = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """One face found in a picture; coordinates are pixels of that picture.

    box_ltrb: left, top, right, bottom. score: 0..1 for MTCNN and S3FD; dlib's detectors have scales
    of their own, where 0 is the threshold. five_points: (5, 2) float64, x and y of the left eye,
    the right eye, the nose, the left and the right corner of the mouth (left and right in the
    picture of an upright face); None where the detector gives none. turned_deg: by how much the
    picture was turned counter-clockwise when the face was found; the box then is the upright one
    around the turned box.
    """

    box_ltrb: BoxLtrb
    score: float
    five_points: PointsXY | None = None
    turned_deg: int = 0

    @property
    def width_px(self) -> float:
        return self.box_ltrb[2] - self.box_ltrb[0]

    @property
    def height_px(self) -> float:
        return self.box_ltrb[3] - self.box_ltrb[1]

    @property
    def area_px(self) -> float:
        return self.width_px * self.height_px


@dataclass(frozen=True)
class Landmarks68:
    """68 landmarks in iBUG order, (68, 2) float64 in pixels of the picture.

    spread: how much the single crops disagree, the rms distance of the 51 inner points from their
    mean in parts of the distance between the outer eye corners; None where there was one crop. For
    dlib's predictor it is 0.004 to 0.02 on clear faces; above 0.1 the points are guesses.
    """

    points: PointsXY
    spread: float | None


class FaceDetector(Protocol):
    """Finds faces. `detect` takes (h, w, 3) uint8 BGR pictures, of any sizes, and returns for each
    its faces, best first."""

    def detect(self, images_bgr_u8: list[ImageBgrU8]) -> list[list[Detection]]: ...


class Landmarker(Protocol):
    """Places the 68 landmarks of a detected face; None where what it finds is no upright face."""

    def landmarks(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None: ...
