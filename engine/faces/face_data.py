"""What a face file knows about its face, and how that is laid out in DeepFaceLab's dict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import Matrix, Points
from engine.faces.face_type import FaceType
from engine.faces.masks import Polygon
from engine.protocol.errors import InputError

_LARGEST_COORDINATE = 1e7  # px; more is damage, and would overflow where pixels are whole numbers
_MOST_POLYGONS = 10_000


@dataclass(frozen=True, eq=False)
class FaceData:
    """Metadata of one aligned face; change it with `dataclasses.replace`.

    landmarks: (68, 2) in pixels of this face. source_landmarks: the same in the frame; the merger
    places the new face by them. source_rect: the detector's l, t, r, b in the frame, right of left
    only for upright detections. image_to_face_mat: frame to face, None for `MARK_ONLY`.
    seg_ie_polys: hand-drawn mask labels. xseg_mask_compressed: the applied mask as the bytes of an
    8-bit grey PNG or JPEG (`engine.faces.applied_mask`). other: keys that are not known here (of
    DeepFaceLab 1.0, for instance), kept when the file is written.
    """

    face_type: FaceType
    landmarks: Points
    source_filename: str | None = None
    source_rect: tuple[int, int, int, int] | None = None
    source_landmarks: Points | None = None
    image_to_face_mat: Matrix | None = None
    eyebrows_expand_mod: float = 1.0
    seg_ie_polys: tuple[Polygon, ...] = ()
    xseg_mask_compressed: bytes | None = None
    other: Mapping[str, Any] = field(default_factory=dict)


def data_from_dict(fields: Mapping[str, Any]) -> FaceData:
    """The face data in a dict as read from a face file.

    Raises `InputError` naming the key whose value is not what it should be.
    """
    source_landmarks = fields.get("source_landmarks")
    return FaceData(
        face_type=_face_type(fields.get("face_type")),
        landmarks=_array(fields.get("landmarks"), (68, 2), "landmarks"),
        source_filename=_optional_text(fields.get("source_filename")),
        source_rect=_rect(fields.get("source_rect")),
        source_landmarks=None
        if source_landmarks is None
        else _array(source_landmarks, (68, 2), "source_landmarks"),
        image_to_face_mat=_matrix(fields.get("image_to_face_mat")),
        eyebrows_expand_mod=_number(fields.get("eyebrows_expand_mod")),
        seg_ie_polys=_polygons(fields.get("seg_ie_polys")),
        xseg_mask_compressed=_mask_bytes(fields.get("xseg_mask")),
        other={key: value for key, value in fields.items() if key not in _KNOWN_KEYS},
    )


def dict_from_data(data: FaceData) -> dict[str, Any]:
    """The dict for a face file: DeepFaceLab's keys, order and types; keys without value left out.

    Raises `InputError` for values that `data_from_dict` would refuse.
    """
    mask = data.xseg_mask_compressed
    fields: dict[str, Any] = {
        "face_type": data.face_type.dfl_name,
        "landmarks": _array(data.landmarks, (68, 2), "landmarks").tolist(),
        "source_filename": data.source_filename,
        "source_rect": None if data.source_rect is None else np.array(data.source_rect, np.int64),
        "source_landmarks": None
        if data.source_landmarks is None
        else _array(data.source_landmarks, (68, 2), "source_landmarks").tolist(),
        "image_to_face_mat": _matrix(data.image_to_face_mat),
        "eyebrows_expand_mod": None
        if data.eyebrows_expand_mod == 1.0
        else _number(data.eyebrows_expand_mod),
        "seg_ie_polys": _dict_from_polygons(data.seg_ie_polys) if data.seg_ie_polys else None,
        "xseg_mask": None if mask is None else np.frombuffer(mask, np.uint8),
        **data.other,
    }
    return {key: value for key, value in fields.items() if value is not None}


_KNOWN_KEYS = frozenset(
    {
        *("face_type", "landmarks", "source_filename", "source_rect", "source_landmarks"),
        *("image_to_face_mat", "eyebrows_expand_mod", "seg_ie_polys", "xseg_mask"),
    }
)


def _face_type(value: object) -> FaceType:
    if value is None:
        return FaceType.FULL  # what files without the key are, by DeepFaceLab's own rule
    if not isinstance(value, str):
        raise _refused("face_type")
    return FaceType.from_dfl(value)


def _optional_text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _refused("source_filename")
    return value


def _number(value: object) -> float:
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 100:
        raise _refused("eyebrows_expand_mod")
    return float(value)


def _rect(value: object) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    left, top, right, bottom = (int(side) for side in _array(value, (4,), "source_rect"))
    return left, top, right, bottom


def _matrix(value: object) -> Matrix | None:
    return None if value is None else _array(value, (2, 3), "image_to_face_mat")


def _polygons(value: object) -> tuple[Polygon, ...]:
    if value is None:
        return ()
    rows = value.get("polys", ()) if isinstance(value, dict) else value
    if not isinstance(rows, list | tuple) or len(rows) > _MOST_POLYGONS:
        raise _refused("seg_ie_polys")
    return tuple(sorted(map(_polygon, rows), key=lambda polygon: not polygon.is_include))


def _polygon(row: object) -> Polygon:
    match row:
        case {"type": int(kind), "pts": points}:
            pass
        case (int(kind), points):  # how older versions wrote them
            pass
        case _:
            raise _refused("seg_ie_polys")
    if kind not in (0, 1):
        raise _refused("seg_ie_polys")
    return Polygon(bool(kind), _points(points))


def _points(value: object) -> NDArray[np.float32]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise _refused("seg_ie_polys")
    if not value:
        return np.zeros((0, 2), np.float32)
    return _array(value, (len(value), 2), "seg_ie_polys").astype(np.float32)


def _dict_from_polygons(polygons: tuple[Polygon, ...]) -> dict[str, Any]:
    rows = [
        {
            "type": int(polygon.is_include),
            "pts": _array(polygon.points_xy, (len(polygon.points_xy), 2), "seg_ie_polys").astype(
                np.float32
            ),
        }
        for polygon in polygons
    ]
    return {"polys": rows}


def _mask_bytes(value: object) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        raise _refused("xseg_mask")
    return value.tobytes()


def _array(value: object, shape: tuple[int, ...], key: str) -> NDArray[np.float64]:
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise _refused(key) from error
    if array.shape != shape or not (np.abs(array) <= _LARGEST_COORDINATE).all():
        raise _refused(key)
    return array


def _refused(key: str) -> InputError:
    return InputError(
        f"the face's metadata has an unusable value for {key}",
        "extract this face again",
        code="broken-data",
    )
