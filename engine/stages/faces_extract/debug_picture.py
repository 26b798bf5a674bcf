"""The frame with what was found in it drawn: landmarks, mask, box and crop, as DFL draws them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.detect.detection import BoxLtrb, ImageBgrU8, PointsXY
from engine.faces.masks import hull_mask

GREEN, BLUE, RED = (0, 255, 0), (255, 0, 0), (0, 0, 255)  # BGR
# The triangle at the crop's upper left corner, which shows where up is, in parts of its side.
UP_MARK = 0.1


@dataclass(frozen=True)
class Drawn:
    """One face in frame pixels. crop_corners: (4, 2) from the top left clockwise; None for none."""

    landmarks: PointsXY
    box_ltrb: BoxLtrb
    crop_corners: NDArray[np.float64] | None


def debug_picture(frame_bgr_u8: ImageBgrU8, faces: list[Drawn]) -> ImageBgrU8:
    """The frame with its faces drawn; the part of each face that is masked is half as bright."""
    picture = frame_bgr_u8.copy()
    for face in faces:
        inside = hull_mask((picture.shape[0], picture.shape[1]), face.landmarks) > 0.5
        picture[inside] //= 2
    for face in faces:
        _draw(picture, face, line_px=max(1, round(max(picture.shape) / 640)))
    return picture


def _draw(picture: ImageBgrU8, face: Drawn, line_px: int) -> None:
    left, top, right, bottom = (round(side) for side in face.box_ltrb)
    cv2.rectangle(picture, (left, top), (right, bottom), BLUE, line_px)
    if face.crop_corners is not None:
        corners = face.crop_corners
        mark = corners[0] + UP_MARK * (corners[[0, 1, 3]] - corners[0])
        _outline(picture, corners, line_px)
        _outline(picture, mark, line_px)
    for x, y in face.landmarks:
        cv2.circle(picture, (round(x), round(y)), line_px, GREEN, cv2.FILLED, cv2.LINE_AA)


def _outline(picture: ImageBgrU8, corners: NDArray[np.float64], line_px: int) -> None:
    whole = np.rint(corners).astype(np.int32)
    cv2.polylines(picture, [whole], True, RED, line_px, cv2.LINE_AA)
