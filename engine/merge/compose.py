"""Frame in, merged frame out: the steps of the pipeline specification 9.6, in its order.

Frames are composed of faces whose predictions are there (`engine.merge.faces`), so that another
look costs no net.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.media.levels import eight_bit, unit_floats
from engine.merge.face_nets import ENLARGEMENT
from engine.merge.face_work import FaceWork, FrameWork
from engine.merge.faces import MergeFace
from engine.merge.finish import blurs_frame, finish, with_fewer_colours
from engine.merge.kept import Kept
from engine.merge.modes import is_visible, mix, render_face
from engine.merge.motion import STILL, Motion
from engine.protocol.look import Look
from engine.protocol.look_options import BLENDING_MODES
from engine.protocol.timeline import Timeline, look_at

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
RAW_PREDICT = "raw-predict"


@dataclass(frozen=True)
class FrameLooks:
    """The looks of one frame: its own, and one per face."""

    frame: Look
    faces: tuple[Look, ...]

    @classmethod
    def same(cls, look: Look, faces: int) -> FrameLooks:
        """One look for the frame and all its faces."""
        return cls(look, (look,) * faces)

    @classmethod
    def at(cls, timeline: Timeline, frame: int, tracks: Sequence[str]) -> FrameLooks:
        """What the timeline says of frame number `frame`, whose faces are of these tracks."""
        faces = tuple(look_at(timeline, frame, track) for track in tracks)
        return cls(look_at(timeline, frame), faces)

    @property
    def is_raw_predict(self) -> bool:
        """Whether the frame becomes a predicted square: a face wants it, or, without faces, the
        frame does."""
        return any(look.mode == RAW_PREDICT for look in self.used)

    @property
    def used(self) -> tuple[Look, ...]:
        """Those that the merged frame depends on: the faces'; the frame's where there is none."""
        return self.faces or (self.frame,)


@dataclass(frozen=True, eq=False)
class ComposedFrame:
    """A merged frame: (h, w, 3) uint8 BGR, and its mask, (h, w) uint8."""

    image_bgr_u8: Pixels
    mask_u8: Pixels


def raw_square_px(looks: Iterable[Look], resolution: int) -> int:
    """The side of raw-predict's squares where frames have these looks: one for all of them, so that
    they make one video."""
    is_enlarged = any(look.mode == RAW_PREDICT and look.is_enlarged for look in looks)
    return resolution * ENLARGEMENT if is_enlarged else resolution


def compose_frame(
    frame_bgr_u8: Pixels,
    faces: Sequence[MergeFace],
    looks: FrameLooks,
    square_px: int,
    motion: Motion = STILL,
    kept: Kept | None = None,
) -> ComposedFrame:
    """The frame with its predicted faces, one after the other, each made against the frame as it
    was; without faces the frame itself with a black mask.

    frame_bgr_u8: the frame that the faces were cut from, or a smaller copy of it: the result has
    its size. looks: one for each face, wanting nothing that the predictions lack. square_px: the
    side of the square that raw-predict gives instead (`raw_square_px`). kept: what an earlier call
    with this frame left for another look.
    """
    whole_width = faces[0].crop.frame_hw[1] if faces else frame_bgr_u8.shape[1]
    frame = FrameWork(frame_bgr_u8, kept or Kept(), frame_bgr_u8.shape[1] / whole_width)
    works = [
        FaceWork(face, look, frame, motion) for face, look in zip(faces, looks.faces, strict=True)
    ]
    if looks.is_raw_predict:
        return _raw_predict(works, square_px)
    return _with_faces(frame, [work for work in works if not work.region.is_empty])


def _with_faces(frame: FrameWork, works: Sequence[FaceWork]) -> ComposedFrame:
    mask = np.zeros(frame.hw, np.float32)
    image = None
    for work in works:
        place, alpha = work.region.slices, work.mask_in_region
        picture = _with_face(work)
        if image is None:
            image = picture
        else:
            image[place] = _mixed(image[place], picture[place], alpha)
        mask[place] += alpha
    return ComposedFrame(frame.image_bgr_u8.copy() if image is None else image, eight_bit(mask))


def _with_face(work: FaceWork) -> Pixels:
    """The whole frame with one face in it, by the face's look."""
    if work.look.mode in BLENDING_MODES:
        return _with_blended_face(work)
    image = work.frame.image_bgr_u8.copy()
    image[work.region.slices] = eight_bit(render_face(work))
    return image


def _with_blended_face(work: FaceWork) -> Pixels:
    """The frame with the face and the look's filters; as it was where nothing is seen of the
    face."""
    look, frame = work.look, work.frame
    if not is_visible(work.mask_in_region):
        return frame.image_bgr_u8.copy()
    rendered = finish(work, render_face(work))
    if look.color_degrade_power:
        whole = frame.degraded(look).copy()
        whole[work.region.slices] = rendered
        return eight_bit(
            with_fewer_colours(whole, look.color_degrade_power, is_proxy=work.is_proxy)
        )
    image = eight_bit(frame.degraded(look)) if blurs_frame(look) else frame.image_bgr_u8.copy()
    image[work.region.slices] = eight_bit(rendered)
    return image


def _raw_predict(works: Sequence[FaceWork], square_px: int) -> ComposedFrame:
    """The predicted square of the frame's largest face with its mask; black without a face.

    DeepFaceLab mixes the squares of several faces, which shows none of them.
    """
    if not works:
        square = np.zeros((square_px, square_px, 3), np.uint8)
        return ComposedFrame(square, square[..., 0].copy())
    work = max(works, key=lambda work: work.face.crop.area_px)
    return ComposedFrame(
        eight_bit(_of_side(work.face_bgr, square_px)),
        eight_bit(_of_side(work.work_mask, square_px)),
    )


def _of_side(square: Floats, side_px: int) -> Floats:
    if len(square) == side_px:
        return square
    resized: Floats = cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return resized


def _mixed(below: Pixels, above: Pixels, alpha: Floats) -> Pixels:
    """`above` over `below`, by alpha (h, w) 0..1."""
    return eight_bit(mix(unit_floats(below), unit_floats(above), alpha))
