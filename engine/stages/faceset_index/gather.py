"""What the index holds of a side, as arrays in one order."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

from engine.faces.coverage import Floats, looks_of
from engine.faces.face_measures import THUMB_PX
from engine.faces.head_fit import HeadFits, fit_heads
from engine.faces.identity import Box
from engine.protocol.errors import UsageError
from engine.protocol.face_index import FaceIndex, FaceRow, index_path, opened_index
from engine.protocol.stage import StageContext
from engine.protocol.survey import survey_side
from engine.protocol.workspace import Side
from engine.stages.faceset_index.fill import fill_index


@dataclass(frozen=True, eq=False)
class SideFaces:
    """A side's faces, by name. skipped: files that are no faces, with the reason. landmarks_xy:
    (n, 68, 2) in the faces' pictures; source_landmarks_xy: in their frames, NaN where unknown.
    identities: (n, 128), None unless every face has one."""

    rows: tuple[FaceRow, ...]
    skipped: dict[str, str]
    landmarks_xy: Floats
    source_landmarks_xy: Floats
    heads: HeadFits
    looks: Floats
    thumbs_grey: NDArray[np.uint8]
    boxes: tuple[Box | None, ...]
    identities: NDArray[np.float32] | None

    def numbers(self, field: str) -> Floats:
        """A column of `rows` that holds numbers, (n,)."""
        return np.array([getattr(row, field) for row in self.rows], np.float64)

    def row_named(self, reference: str) -> int:
        """The row of the face file of that name. Raises `UsageError` if there is none."""
        for number, row in enumerate(self.rows):
            if row.name == reference:
                return number
        raise UsageError(
            f"--reference {reference}: the faceset has no such face",
            f"give the file name of a face, such as {self.rows[0].name}",
            code="option-value",
        )


def faces_of_side(
    context: StageContext, side: Side, *, with_identity: bool = False
) -> SideFaces | None:
    """The side's faces from its index, brought up to date; None if it has none."""
    there = survey_side(side)
    if not there.faces.count and not there.packed:
        return None
    fill_index(context, side, with_identity=with_identity)
    with opened_index(index_path(context.workspace, side.name)) as index:
        faces = gather(index) if index else None
    return faces if faces and faces.rows else None


def gather(index: FaceIndex) -> SideFaces:
    """Everything of an index that the report needs."""
    rows = tuple(index.rows())
    landmarks = _stacked(rows, dict(index.blobs("landmarks")), np.float32, 136)
    landmarks_xy = landmarks.reshape(-1, 68, 2).astype(np.float64)
    heads = fit_heads(landmarks_xy)
    thumbs = _stacked(rows, dict(index.blobs("thumb")), np.uint8, THUMB_PX**2)
    source_xy = _in_frames(rows, dict(index.blobs("source_landmarks")))
    identities = dict(index.blobs("identity"))
    has_all = bool(rows) and all(row.id in identities for row in rows)
    return SideFaces(
        rows=rows,
        skipped=index.skipped(),
        landmarks_xy=landmarks_xy,
        source_landmarks_xy=source_xy,
        heads=heads,
        looks=_looks(rows, heads),
        thumbs_grey=thumbs.reshape(-1, THUMB_PX, THUMB_PX).astype(np.uint8),
        boxes=_boxes(source_xy),
        identities=_stacked(rows, identities, np.float32, 128) if has_all else None,
    )


def _stacked(
    rows: tuple[FaceRow, ...], blobs: dict[int, bytes], kind: type, length: int
) -> NDArray[np.float32]:
    """(n, length), by row."""
    joined = b"".join(blobs[row.id] for row in rows)
    return np.frombuffer(joined, kind).reshape(len(rows), length)


def _looks(rows: tuple[FaceRow, ...], heads: HeadFits) -> Floats:
    def column(field: str) -> Floats:
        return np.array([getattr(row, field) for row in rows], np.float64)

    return looks_of(
        heads.pitch_rad,
        heads.yaw_rad,
        column("mouth_open"),
        column("light_side"),
        column("brightness"),
    )


def _in_frames(rows: tuple[FaceRow, ...], blobs: dict[int, bytes]) -> Floats:
    unknown = np.full(136, np.nan, np.float32).tobytes()
    joined = b"".join(blobs.get(row.id, unknown) for row in rows)
    return np.frombuffer(joined, np.float32).reshape(-1, 68, 2).astype(np.float64)


def _boxes(source_landmarks_xy: Floats) -> tuple[Box | None, ...]:
    sides = np.concatenate([source_landmarks_xy.min(axis=1), source_landmarks_xy.max(axis=1)], 1)
    return tuple(
        None if isnan(left) else (left, top, right, bottom)
        for left, top, right, bottom in sides.tolist()
    )
