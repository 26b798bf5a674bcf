"""Made faces with masks in their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.faces.applied_mask import bytes_from_mask
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.faces.masks import Polygon
from tests.train.made_faces import made_face


def write_masked_faces(
    folder: Path,
    count: int,
    *,
    drawn: bool = True,
    applied: bool = False,
    face_type: FaceType = FaceType.WHOLE_FACE,
    first: int = 0,
) -> Path:
    """Drawn faces whose mask is the hull of their landmarks, as labels or as an applied mask."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        image, data = made_face(number, side_px=128, face_type=face_type)
        hull = cv2.convexHull(np.float32(data.landmarks))[:, 0]
        if drawn:
            data = replace(data, seg_ie_polys=(Polygon(True, hull),))
        if applied:
            mask = np.zeros((256, 256), np.float32)
            cv2.fillConvexPoly(mask, np.int32(hull * 2), (1.0,))
            data = replace(data, xseg_mask_compressed=bytes_from_mask(mask))
        (folder / f"{number:05d}_0.jpg").write_bytes(encode_face_jpeg(image, 95, data))
    return folder
