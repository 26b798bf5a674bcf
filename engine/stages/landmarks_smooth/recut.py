"""One face cut anew from its frame, by other landmarks; the work of the worker processes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Matrix, Points, face_from_frame, invert_affine
from engine.faces.face_data import FaceData
from engine.faces.face_file import encode_face_jpeg, read_face
from engine.faces.face_type import FaceType
from engine.faces.jpeg_quality import jpeg_quality_of
from engine.faces.resize import with_labels_of
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError
from engine.protocol.files import disk_error
from engine.protocol.workspace import IMAGE_SUFFIXES
from engine.stages.faces_extract.face_cut import Crop, cut_face
from engine.stages.landmarks_smooth.faces import found_landmarks, with_found
from engine.stages.landmarks_smooth.plan import SmoothingPlan

# Labels stay bit for bit where the crop moves by less than this, in pixels.
_STAYS_PX = 1e-6


def write_wanted(path: Path, plan: SmoothingPlan) -> None:
    """Write where the landmarks go, for `recut_file`. Raises `InputError` when the disk is full."""
    names = np.array([face.name for face in plan.faces.paths])
    try:
        with path.open("wb") as file:
            np.savez(file, names=names, landmarks_xy=plan.wanted_xy)
    except OSError as error:
        raise disk_error(error, path) from error


def recut_file(
    path: Path, *, wanted: Path, digest: str, frames: Path, interpolation: str
) -> bytes | None:
    """The face file's bytes, cut anew from its frame; None if its landmarks stay.

    wanted: what `write_wanted` wrote, of that digest. frames: the folder. Raises `InputError` for a
    file that is no face, or whose frame cannot be read.
    """
    points = _wanted(wanted, digest).get(path.name)
    if points is None:
        return None  # told when the faces were read
    jpeg_bytes, data, size_hw = read_face(path)
    if data.source_landmarks is not None and np.array_equal(points, data.source_landmarks):
        return None
    return _recut(jpeg_bytes, data, size_hw, points, frames, interpolation)


def _recut(
    jpeg_bytes: bytes,
    data: FaceData,
    size_hw: tuple[int, int],
    points: Points,
    frames: Path,
    interpolation: str,
) -> bytes:
    if data.face_type is not FaceType.MARK_ONLY and size_hw[0] != size_hw[1]:
        raise InputError(f"its picture is no square: {size_hw[1]}x{size_hw[0]} px")
    frame = _frame_of(data, frames)
    crop = Crop(data.face_type, size_hw[0], interpolation)
    box = (0, 0, 0, 0) if data.source_rect is None else data.source_rect
    picture, cut = cut_face(read_image_bgr_u8(frame), frame.name, points, box, crop)
    moved = replace(
        data,
        landmarks=cut.landmarks,
        source_landmarks=points,
        image_to_face_mat=cut.image_to_face_mat,
    )
    found = found_landmarks(data)
    moved = moved if found is None else with_found(moved, found)
    moved = carried_labels(moved, data, size_hw)
    return encode_face_jpeg(picture, jpeg_quality_of(jpeg_bytes), moved)


def carried_labels(data: FaceData, old: FaceData, size_hw: tuple[int, int]) -> FaceData:
    """`data` with the labels and the applied mask of the same face, size and type in the crop
    `old`."""
    change = _new_from_old(data, old, size_hw[0])
    if change is None or np.abs(change - np.eye(2, 3)).max() < _STAYS_PX:
        return replace(
            data, seg_ie_polys=old.seg_ie_polys, xseg_mask_compressed=old.xseg_mask_compressed
        )
    return with_labels_of(data, old, size_hw, size_hw[0], change)


def _new_from_old(new: FaceData, old: FaceData, size_px: int) -> Matrix | None:
    """From pixels of the old crop to those of the new one; None where the picture is the frame."""
    if new.face_type is FaceType.MARK_ONLY:
        return None
    frame_from_old = invert_affine(_face_from_frame(old, size_px))
    lowest = (0.0, 0.0, 1.0)
    change = _face_from_frame(new, size_px) @ np.vstack([frame_from_old, lowest])
    return np.asarray(change, np.float64)


def _face_from_frame(data: FaceData, size_px: int) -> Matrix:
    if data.image_to_face_mat is not None:
        return data.image_to_face_mat
    if data.source_landmarks is None:
        raise InputError("it does not say where it is in its frame", "extract this face again")
    return face_from_frame(data.source_landmarks, size_px, data.face_type)


def _frame_of(data: FaceData, frames: Path) -> Path:
    """The frame's file; the name stands in the face file, so only its last part counts. A frame
    that was converted is found under another suffix."""
    name = Path(data.source_filename or "").name
    stem = Path(name).stem
    for candidate in (name, *(stem + suffix for suffix in sorted(IMAGE_SUFFIXES))):
        if stem and (frames / candidate).is_file():
            return frames / candidate
    raise InputError(f"its frame {name} is gone", "extract the frames again")


@cache
def _wanted(path: Path, digest: str) -> dict[str, NDArray[np.float64]]:
    """Landmarks by file name, read once per process; the digest tells plans of one path apart."""
    with np.load(path, allow_pickle=False) as content:
        names, points = content["names"].tolist(), content["landmarks_xy"]
    return dict(zip(names, points, strict=True))
