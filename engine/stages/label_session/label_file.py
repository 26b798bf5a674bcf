"""One face file in a label session: what is drawn on it, read and replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.faces.face_data import FaceData
from engine.faces.face_file import (
    decode_applied_mask,
    read_face_data,
    read_jpeg,
    replace_face_data,
)
from engine.faces.jpeg_segments import read_head
from engine.faces.masks import Mask, Polygon
from engine.protocol.errors import InputError, UsageError
from engine.protocol.files import write_atomically
from engine.protocol.label_commands import (
    MOST_POINTS,
    MOST_POLYGONS,
    LabelPolygon,
    Polygons,
    in_file_order,
    labels_stamp,
)

FEWEST_POINTS = 3
# Beyond the picture a point may lie, but not anywhere: DeepFaceLab's own editor lets it.
_LARGEST_COORDINATE_PX = 1 << 16


class ChangedElsewhere(UsageError):
    """The file holds other labels than those that were to be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the labels of {name} were changed by something else",
            "look at what is there now; undo brings back what you had",
            code="changed-elsewhere",
        )


@dataclass(frozen=True, eq=False)
class LabelFile:
    """A face file as it was read. jpeg_bytes: all of it; size_wh: of its picture."""

    path: Path
    jpeg_bytes: bytes
    data: FaceData
    size_wh: tuple[int, int]

    @property
    def polygons(self) -> Polygons:
        """What is drawn on it, without what has too few points to be an area."""
        return _areas(plain_polygons(self.data.seg_ie_polys))

    def applied_mask(self) -> Mask | None:
        """(h, w) of the face, 0..1; None without one. Raises `InputError` for a damaged one."""
        if self.data.xseg_mask_compressed is None:
            return None
        return decode_applied_mask(self.data, self.size_wh[::-1])


def read_label_file(path: Path) -> LabelFile:
    """Raises `InputError` for a file that is gone, damaged or no face."""
    jpeg_bytes = read_jpeg(path)
    data = read_face_data(jpeg_bytes)
    size_hw = read_head(jpeg_bytes).size_hw
    if data is None or size_hw is None:
        raise InputError(
            f"{path.name} is no face file: it has no face metadata", "extract the face again"
        )
    return LabelFile(path, jpeg_bytes, data, (size_hw[1], size_hw[0]))


def keep_labels(path: Path, polygons: Polygons, over: str) -> bool:
    """Have the face file hold `polygons` (those of three points and more), if it holds those of the
    stamp `over` now, or these already. Everything else in the file stays. The file is whole at any
    moment; a power cut may bring the old one back (`engine.protocol.files.sync` prevents that).

    Returns whether there are any labels then. Raises `ChangedElsewhere`, `UsageError` for polygons
    that no file can hold, `InputError` when the file is gone or the disk full.
    """
    wanted = checked_polygons(polygons)
    file = read_label_file(path)
    stamp = labels_stamp(file.polygons)
    if stamp != labels_stamp(wanted):
        if stamp != over:
            raise ChangedElsewhere(path.name)
        data = replace(file.data, seg_ie_polys=tuple(map(file_polygon, wanted)))
        write_atomically(path, replace_face_data(file.jpeg_bytes, data), durable=False)
    return bool(wanted)


def checked_polygons(polygons: Polygons) -> Polygons:
    """Those of three points and more in a file's order. Raises `UsageError` for what is no mask."""
    points = [point for polygon in polygons for point in polygon.points]
    if len(polygons) > MOST_POLYGONS or len(points) > MOST_POINTS:
        raise UsageError(
            f"{len(polygons)} polygons of {len(points)} points on one face",
            f"at most {MOST_POLYGONS} of {MOST_POINTS} points can be drawn",
        )
    if not all(abs(at) <= _LARGEST_COORDINATE_PX for point in points for at in point):
        raise UsageError("a polygon has a point that is nowhere near the face", "draw it anew")
    return _areas(polygons)


def _areas(polygons: Polygons) -> Polygons:
    return in_file_order(one for one in polygons if len(one.points) >= FEWEST_POINTS)


def plain_polygons(polygons: tuple[Polygon, ...]) -> Polygons:
    """As the wire has them."""
    return tuple(
        LabelPolygon(polygon.is_include, tuple((float(x), float(y)) for x, y in polygon.points_xy))
        for polygon in polygons
    )


def file_polygon(polygon: LabelPolygon) -> Polygon:
    """As face files have it."""
    return Polygon(polygon.is_include, np.array(polygon.points, np.float32).reshape(-1, 2))
