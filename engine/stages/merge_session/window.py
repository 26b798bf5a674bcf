"""Which part of the frame a viewer looks at, and at which size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.protocol.errors import UsageError
from engine.protocol.events import FaceBox
from engine.protocol.merge_commands import MergeView

SCALES = (0.1, 8.0)
# Pictures are made for terminals; a box beyond this is a mistake, and would take seconds.
LARGEST_BOX_PX = 8192
# Around a face, in its own size, so that one sees how it sits in the head.
FACE_MARGIN = 0.4


@dataclass(frozen=True)
class Window:
    """A part of the frame, in its pixels, and the size of the picture that shows it."""

    left: int
    top: int
    width: int
    height: int
    picture_wh: tuple[int, int]

    @property
    def crop(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.width, self.height

    @property
    def scale(self) -> float:
        """Pixels of the picture per pixel of the frame."""
        return self.picture_wh[0] / self.width


def checked_view(view: MergeView) -> MergeView:
    """The view. Raises `UsageError` for numbers that no picture can have."""
    if not (0 < view.width <= LARGEST_BOX_PX and 0 < view.height <= LARGEST_BOX_PX):
        raise UsageError(
            f"a picture of {view.width}x{view.height} pixels",
            f"both sides must be 1 to {LARGEST_BOX_PX}",
        )
    if not SCALES[0] <= view.scale <= SCALES[1]:
        raise UsageError(f"a scale of {view.scale:g}", f"it must be {SCALES[0]} to {SCALES[1]}")
    if view.strip_frames < 0 or not 1 <= view.strip_height <= LARGEST_BOX_PX:
        raise UsageError(
            f"a strip of {view.strip_frames} frames of {view.strip_height} pixels",
            f"give a height of 1 to {LARGEST_BOX_PX}, and 0 frames for none",
        )
    return view


def window_for(view: MergeView, frame_wh: tuple[int, int], faces: Sequence[FaceBox]) -> Window:
    """What the view shows of a frame of that size. The window lies within the frame, the picture
    within the view's box (each half of it for "side")."""
    box_wh = (
        (max(1, view.width // 2), view.height) if view.view == "side" else (view.width, view.height)
    )
    shown = [face for face in faces if view.track in ("", face.track)] or list(faces)
    base_scale, default_centre = _zoomed(view, frame_wh, box_wh, shown)
    scale = base_scale * view.scale
    width, height = (
        max(1, min(side, round(box / scale))) for side, box in zip(frame_wh, box_wh, strict=True)
    )
    x, y = (
        default if wanted is None else wanted * side
        for wanted, default, side in zip(
            (view.centre_x, view.centre_y), default_centre, frame_wh, strict=True
        )
    )
    return Window(
        _inside(x - width / 2, frame_wh[0] - width),
        _inside(y - height / 2, frame_wh[1] - height),
        width,
        height,
        (
            max(1, min(box_wh[0], round(width * scale))),
            max(1, min(box_wh[1], round(height * scale))),
        ),
    )


def _zoomed(
    view: MergeView, frame_wh: tuple[int, int], box_wh: tuple[int, int], faces: Sequence[FaceBox]
) -> tuple[float, tuple[float, float]]:
    """Pixels of the picture per pixel of the frame at scale 1, and where to look."""
    middle = (frame_wh[0] / 2, frame_wh[1] / 2)
    if view.zoom == "fit" or (view.zoom == "face" and not faces):
        return min(box_wh[0] / frame_wh[0], box_wh[1] / frame_wh[1]), middle
    if faces:
        left, right = min(face.left for face in faces), max(face.right for face in faces)
        top, bottom = min(face.top for face in faces), max(face.bottom for face in faces)
        middle = ((left + right) / 2, (top + bottom) / 2)
    if view.zoom == "1:1":
        return 1.0, middle
    spread = 1 + 2 * FACE_MARGIN
    sides = max(1.0, (right - left) * spread), max(1.0, (bottom - top) * spread)
    return min(box_wh[0] / sides[0], box_wh[1] / sides[1]), middle


def _inside(start: float, last: int) -> int:
    return int(min(max(round(start), 0), max(last, 0)))
