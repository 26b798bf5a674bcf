"""What sorting measures on a face: one row per measure, each a few numbers.

Measures are arrays so that they can be kept in a cache; NaN stands for what a face without metadata
does not have. Histograms are counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data, read_jpeg
from engine.faces.jpeg_segments import read_head
from engine.faces.masks import hull_mask
from engine.faces.pose import estimate_pose
from engine.faces.sorting.sharpness import cpbd_sharpness, laplacian_variance
from engine.media.images import ImageU8, decode_face_bgr_u8
from engine.protocol.errors import InputError

Values = NDArray[Any]
Measured = dict[str, Values]


class FaceToMeasure:
    """A face file, decoded as far as the measures ask for. Metadata that is damaged counts as none,
    a picture that is damaged raises `InputError`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def file_bytes(self) -> bytes:
        return read_jpeg(self.path)

    @cached_property
    def data(self) -> FaceData | None:
        try:
            return read_face_data(self.file_bytes)
        except InputError:
            return None  # the picture may still be good, and most methods ask for no more

    @cached_property
    def image_bgr_u8(self) -> ImageU8:
        return decode_face_bgr_u8(self.file_bytes, self.path)

    @cached_property
    def width_px(self) -> int:
        """Known without decoding the picture where there is metadata."""
        size_hw = read_head(self.file_bytes).size_hw
        return self.image_bgr_u8.shape[1] if size_hw is None else size_hw[1]

    @cached_property
    def masked_bgr_u8(self) -> ImageU8:
        """The picture inside the hull (brows raised by 1, whatever the file says); all of it where
        there is no metadata."""
        image = self.image_bgr_u8
        if self.data is None:
            return image
        inside = hull_mask((image.shape[0], image.shape[1]), self.data.landmarks)
        return np.asarray(image * inside.astype(np.uint8)[:, :, None], np.uint8)

    @cached_property
    def hsv_u8(self) -> ImageU8:
        return np.asarray(cv2.cvtColor(self.image_bgr_u8, cv2.COLOR_BGR2HSV), np.uint8)


@dataclass(frozen=True)
class Measure:
    """`length` numbers of `dtype` for a face. kept: worth keeping for the next sort."""

    length: int
    dtype: type[np.generic]
    measure: Callable[[FaceToMeasure], Any]
    kept: bool = True


def _sharpness(face: FaceToMeasure) -> float:
    return np.nan if face.data is None else cpbd_sharpness(_grey(face.masked_bgr_u8))


def _motion_sharpness(face: FaceToMeasure) -> float:
    return np.nan if face.data is None else laplacian_variance(face.masked_bgr_u8)


def _pose(face: FaceToMeasure) -> tuple[float, float]:
    if face.data is None:
        return np.nan, np.nan
    try:
        pose = estimate_pose(face.data.landmarks, face.width_px)
    except InputError:
        return np.nan, np.nan  # no head has these landmarks
    return pose.pitch_rad, pose.yaw_rad


def _rect_area(face: FaceToMeasure) -> float:
    if face.data is None or face.data.source_rect is None:
        return np.nan
    left, top, right, bottom = face.data.source_rect
    return float(abs(right - left) * abs(bottom - top))


def _source_name(face: FaceToMeasure) -> NDArray[np.uint8]:
    """UTF-8, padded with zeros; empty where no frame is known."""
    name = "" if face.data is None else face.data.source_filename or ""
    encoded = name.encode("utf-8", "surrogatepass")[:_LONGEST_NAME_BYTES]
    return np.frombuffer(encoded.ljust(_LONGEST_NAME_BYTES, b"\0"), np.uint8)


def _bgr_histogram(face: FaceToMeasure) -> Values:
    return np.concatenate([_histogram(face.image_bgr_u8[:, :, plane]) for plane in range(3)])


def _histogram(plane_u8: NDArray[np.uint8]) -> Values:
    return np.bincount(plane_u8.ravel(), minlength=256)


def _pixels(side_px: int) -> Callable[[FaceToMeasure], Values]:
    """A measure: the picture itself, reduced to a square of `side_px`."""

    def pixels(face: FaceToMeasure) -> Values:
        size_px = (side_px, side_px)
        reduced = cv2.resize(face.image_bgr_u8, size_px, interpolation=cv2.INTER_AREA)
        return np.asarray(reduced, np.uint8)

    return pixels


def _grey(image_bgr_u8: ImageU8) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image_bgr_u8, cv2.COLOR_BGR2GRAY), np.uint8)


_LONGEST_NAME_BYTES = 255  # what file systems allow
_PIXELS = "pixels"
# Pictures are compared at 96 px; where that takes too long, at a size that fits their number.
PIXEL_SIDES_PX = (96, 64, 48, 32, 24, 16)
# About a minute on two cores.
_MOST_BYTES_COMPARED = 7e11

MEASURES: dict[str, Measure] = {
    "sharpness": Measure(1, np.float64, _sharpness),
    "motion_sharpness": Measure(1, np.float64, _motion_sharpness),
    "pitch_yaw_rad": Measure(2, np.float64, _pose),
    "rect_area_px": Measure(1, np.float64, _rect_area),
    "source_name": Measure(_LONGEST_NAME_BYTES, np.uint8, _source_name),
    "brightness": Measure(1, np.float64, lambda face: face.hsv_u8[:, :, 2].mean()),
    "hue": Measure(1, np.float64, lambda face: face.hsv_u8[:, :, 0].mean()),
    "black_values": Measure(1, np.float64, lambda face: np.sum(face.image_bgr_u8 == 0)),
    "bgr_histogram": Measure(768, np.uint32, _bgr_histogram),
    "grey_histogram": Measure(256, np.uint32, lambda face: _histogram(_grey(face.image_bgr_u8))),
    "masked_histogram": Measure(256, np.uint32, lambda face: _histogram(_grey(face.masked_bgr_u8))),
} | {
    f"{_PIXELS}_{side_px}": Measure(side_px**2 * 3, np.uint8, _pixels(side_px), kept=False)
    for side_px in PIXEL_SIDES_PX
}


def measures_for(names: Sequence[str], faces: int) -> tuple[str, ...]:
    """The rows of `MEASURES` that a method asks for: "pixels" becomes those of a size at which so
    many faces can all be compared with each other in bearable time."""
    fitting = (side for side in PIXEL_SIDES_PX if faces**2 / 2 * side**2 * 3 < _MOST_BYTES_COMPARED)
    pixels = f"{_PIXELS}_{next(fitting, PIXEL_SIDES_PX[-1])}"
    return tuple(pixels if name == _PIXELS else name for name in names)


def measure_face(path: Path, names: Sequence[str]) -> Measured:
    """The named measures of a face file. Raises `InputError` for a picture that is needed and
    cannot be read."""
    face = FaceToMeasure(path)
    return {
        name: np.asarray(MEASURES[name].measure(face), MEASURES[name].dtype).reshape(-1)
        for name in names
    }


@dataclass(frozen=True, eq=False)
class MeasuredFaces:
    """Faces to be sorted, in the order they have: names, paths and a row of numbers per measure."""

    paths: tuple[Path, ...]
    columns: dict[str, Values]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def names(self) -> list[str]:
        return [path.name for path in self.paths]

    def column(self, name: str) -> Values:
        """(n,) for measures of one number, else (n, length)."""
        values = self.columns[name]
        return values[:, 0] if MEASURES[name].length == 1 else values

    def pixels(self) -> NDArray[np.uint8]:
        """(n, values): the pictures, all of one size."""
        return next(self.columns[name] for name in self.columns if name.startswith(_PIXELS))

    def source_names(self) -> list[str]:
        """The frames that the faces come from, '' where unknown."""
        return [
            bytes(row).rstrip(b"\0").decode("utf-8", "surrogateescape")
            for row in self.columns["source_name"]
        ]
