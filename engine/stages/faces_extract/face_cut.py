"""One face cut out of its frame, and its frame drawn: the same for whoever makes face files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from engine.detect.detection import BoxLtrb, ImageBgrU8, PointsXY
from engine.faces.alignment import crop_corners, face_from_frame, transform_points
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.media.images import write_image
from engine.stages.faces_extract.debug_picture import Drawn, debug_picture

DEBUG_QUALITY = 50
_WAYS = {"lanczos": cv2.INTER_LANCZOS4, "bilinear": cv2.INTER_LINEAR}


@dataclass(frozen=True)
class Crop:
    """How faces are cut out. interpolation: "lanczos" or "bilinear"."""

    face_type: FaceType
    size_px: int
    interpolation: str = "lanczos"


def cut_face(
    image_bgr_u8: ImageBgrU8, frame_name: str, landmarks: PointsXY, box_ltrb: BoxLtrb, crop: Crop
) -> tuple[ImageBgrU8, FaceData]:
    """The face's picture, (size, size, 3) uint8 BGR, and its metadata.

    landmarks: (68, 2) in the frame. box_ltrb: where the face was found in it. Of `MARK_ONLY` the
    picture is the frame itself. Raises `InputError` for landmarks that no face can have.
    """
    left, top, right, bottom = (round(side) for side in box_ltrb)
    picture, in_face, matrix = image_bgr_u8, landmarks, None
    if crop.face_type is not FaceType.MARK_ONLY:
        matrix = face_from_frame(landmarks, crop.size_px, crop.face_type)
        size = (crop.size_px, crop.size_px)
        picture = cv2.warpAffine(image_bgr_u8, matrix, size, flags=_WAYS[crop.interpolation])
        in_face = transform_points(landmarks, matrix)
    data = FaceData(
        face_type=crop.face_type,
        landmarks=in_face,
        source_filename=frame_name,
        source_rect=(left, top, right, bottom),
        source_landmarks=landmarks,
        image_to_face_mat=matrix,
    )
    return picture, data


def write_debug_picture(
    path: Path,
    image_bgr_u8: ImageBgrU8,
    faces: Sequence[tuple[PointsXY, BoxLtrb]],
    face_type: FaceType,
) -> None:
    """The frame with the landmarks and boxes of its faces, as `aligned_debug` has it. Raises
    `InputError` when the disk is full or not writable."""
    marked_only = face_type is FaceType.MARK_ONLY
    drawn = [
        Drawn(points, box, None if marked_only else crop_corners(points, face_type))
        for points, box in faces
    ]
    write_image(path, debug_picture(image_bgr_u8, drawn), jpeg_quality=DEBUG_QUALITY)
