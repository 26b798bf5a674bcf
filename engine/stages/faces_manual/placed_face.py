"""The face of the shown frame as a value, from nothing to landmarks that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from engine.detect.detection import PointsXY
from engine.faces.alignment import crop_corners
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError, UsageError
from engine.protocol.events import ManualFace
from engine.protocol.landmark_groups import LANDMARKS
from engine.stages.faces_manual.looks import Square

# Of a frame's pixels: what lies further out belongs to no face in it.
FARTHEST_PX = 1e5


@dataclass(frozen=True, eq=False)
class PlacedFace:
    """See `ManualFace`. points: (68, 2) in pixels of the frame, None while there are none.
    answered: by viewer, the newest `seq` of its commands that the face follows."""

    square: Square
    source: str = ""
    points: PointsXY | None = None
    locked: bool = False
    kept: bool = False
    answered: Mapping[int, int] = field(default_factory=dict)
    doubtful: bool = False
    ms: float = 0.0

    def with_points(self, source: str, points: PointsXY, *, locked: bool) -> PlacedFace:
        return replace(
            self, source=source, points=points, locked=locked, kept=False, doubtful=False, ms=0.0
        )

    def told(self, frame: int, face_type: FaceType, viewer: int = 0) -> ManualFace:
        """As that viewer is told it; 0: any."""
        square = self.square
        return ManualFace(
            frame=frame,
            answered=self.answered.get(viewer, 0),
            source=self.source,
            locked=self.locked,
            kept=self.kept,
            points=_told(self.points),
            corners=_told(_corners(self.points, face_type)),
            square=(square.x, square.y, square.half_side, square.roll_deg),
            doubtful=self.doubtful,
            ms=round(self.ms, 1),
        )


def checked_square(x: float, y: float, half_side: float, roll_deg: float) -> Square:
    """Raises `UsageError` for one that is not in or near any frame."""
    numbers = np.array([x, y, half_side, roll_deg])
    if not np.isfinite(numbers).all() or np.abs(numbers).max() > FARTHEST_PX or half_side < 1:
        raise UsageError(
            f"a square of {2 * half_side:g} px at {x:g}, {y:g} holds no face",
            "place it in the frame",
        )
    return Square(x, y, half_side, roll_deg)


def checked_points(points: tuple[tuple[float, float], ...]) -> PointsXY:
    """As an array. Raises `UsageError` unless they are 68 in or near a frame that can be a face."""
    array = np.array(points, np.float64).reshape(-1, 2)
    sound = len(array) == LANDMARKS and np.isfinite(array).all()
    if not sound or np.abs(array).max() > FARTHEST_PX or _corners(array, FaceType.FULL) is None:
        raise UsageError(f"these {len(array)} points are no face", "68 apart from each other are")
    return array


def _corners(points: PointsXY | None, face_type: FaceType) -> PointsXY | None:
    if points is None or face_type is FaceType.MARK_ONLY:
        return None
    try:
        return crop_corners(points, face_type)
    except InputError:
        return None


def _told(points: PointsXY | None) -> tuple[tuple[float, float], ...]:
    if points is None:
        return ()
    return tuple((round(x, 2), round(y, 2)) for x, y in points.tolist())
