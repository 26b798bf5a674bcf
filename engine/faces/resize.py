"""A face at another size or of another face type, cut from its own picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Matrix, Points, face_from_frame, transform_points
from engine.faces.applied_mask import bytes_from_mask, mask_from_bytes
from engine.faces.face_data import FaceData
from engine.faces.face_type import FaceType
from engine.faces.masks import Polygon
from engine.protocol.errors import InputError

ImageU8 = NDArray[np.uint8]
PointsMap = Callable[[Points], Points]


def resized_face(
    image_bgr_u8: ImageU8, data: FaceData, size_px: int, face_type: FaceType | None = None
) -> tuple[ImageU8, FaceData]:
    """The face as a picture of `size_px` squared, with metadata that fits it.

    image_bgr_u8: (h, w, 3). face_type: None, or the face's own, to keep it and only resize; any
    other to cut that crop out by the face's own landmarks, black where the picture shows nothing.
    The applied mask keeps its resolution; a resize does not touch it.
    Raises `InputError` for a picture that is not square or shows no crop, when only resized.
    """
    if face_type is None or face_type is data.face_type:
        return _scaled(image_bgr_u8, data, size_px)
    return _recut(image_bgr_u8, data, size_px, face_type)


def _scaled(image_bgr_u8: ImageU8, data: FaceData, size_px: int) -> tuple[ImageU8, FaceData]:
    height, width = image_bgr_u8.shape[:2]
    if height != width or data.face_type is FaceType.MARK_ONLY:
        raise InputError(
            f"a picture of {width}x{height} px of the type {data.face_type.dfl_name} is no square"
            " crop",
            "give a face type to cut one out",
        )
    scale = size_px / width
    shape = (size_px, size_px)
    image = cv2.resize(image_bgr_u8, shape, interpolation=cv2.INTER_LANCZOS4)
    matrix = None if data.image_to_face_mat is None else data.image_to_face_mat * scale
    return _as_u8(image), replace(
        _moved(data, lambda points: points * scale),
        image_to_face_mat=_matrix(data, size_px, data.face_type, matrix),
    )


def _recut(
    image_bgr_u8: ImageU8, data: FaceData, size_px: int, face_type: FaceType
) -> tuple[ImageU8, FaceData]:
    new_from_old = face_from_frame(data.landmarks, size_px, face_type)
    shape = (size_px, size_px)
    image = cv2.warpAffine(image_bgr_u8, new_from_old, shape, flags=cv2.INTER_LANCZOS4)
    matrix = None
    if data.image_to_face_mat is not None:
        matrix = _square(new_from_old)[:2] @ _square(data.image_to_face_mat)
    return _as_u8(image), replace(
        _moved(data, lambda points: transform_points(points, new_from_old)),
        face_type=face_type,
        image_to_face_mat=_matrix(data, size_px, face_type, matrix),
        xseg_mask_compressed=_recut_mask(data, image_bgr_u8.shape[:2], size_px, new_from_old),
    )


def with_labels_of(
    data: FaceData, old: FaceData, old_hw: tuple[int, int], size_px: int, new_from_old: Matrix
) -> FaceData:
    """The face data with the labels and the applied mask of the same face in another crop.

    old_hw: of that crop's picture; size_px: of this one's; new_from_old: (2, 3), from its pixels to
    this one's. Raises `InputError` for a mask that cannot be read.
    """
    return replace(
        data,
        seg_ie_polys=_moved_polygons(old, lambda points: transform_points(points, new_from_old)),
        xseg_mask_compressed=_recut_mask(old, old_hw, size_px, new_from_old),
    )


def _moved(data: FaceData, moved: PointsMap) -> FaceData:
    polygons = _moved_polygons(data, moved)
    return replace(data, landmarks=moved(data.landmarks), seg_ie_polys=polygons)


def _moved_polygons(data: FaceData, moved: PointsMap) -> tuple[Polygon, ...]:
    return tuple(
        Polygon(polygon.is_include, moved(polygon.points_xy.astype(np.float64)).astype(np.float32))
        for polygon in data.seg_ie_polys
    )


def _matrix(
    data: FaceData, size_px: int, face_type: FaceType, followed: Matrix | None
) -> Matrix | None:
    """The crop matrix by the landmarks in the frame, as DeepFaceLab has it; without them the old
    matrix `followed` by the change; None where there was neither."""
    if data.source_landmarks is None or (followed is None and face_type is data.face_type):
        return followed
    return face_from_frame(data.source_landmarks, size_px, face_type)


def _recut_mask(
    data: FaceData, old_hw: tuple[int, ...], size_px: int, new_from_old: Matrix
) -> bytes | None:
    """The applied mask warped as the picture is, in its own resolution, 0 or 1 as all applied
    masks; outside of the old picture nothing is known to be the face."""
    if data.xseg_mask_compressed is None:
        return None
    mask = mask_from_bytes(data.xseg_mask_compressed)
    side_px = max(mask.shape)
    old_from_mask = np.diag([old_hw[1] / mask.shape[1], old_hw[0] / mask.shape[0], 1.0])
    mask_from_new = np.diag([side_px / size_px, side_px / size_px, 1.0])
    warp = (mask_from_new @ _square(new_from_old) @ old_from_mask)[:2]
    warped = cv2.warpAffine(mask, warp, (side_px, side_px), flags=cv2.INTER_LANCZOS4)
    return bytes_from_mask((warped >= 0.5).astype(np.float32))


def _square(matrix: Matrix) -> NDArray[np.float64]:
    return np.vstack([matrix, (0.0, 0.0, 1.0)])


def _as_u8(image: object) -> ImageU8:
    return np.asarray(image, np.uint8)
