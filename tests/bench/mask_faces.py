"""Faces of the reference clips, cut as faces-extract cuts them, and what is face in some of them.

`drawn_masks.json` beside this file holds masks drawn by hand, by looking at the frames: polygons in
pixels of the frame. `face` is the face up to the hair, with what is hidden of it; `before` is what
hides it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from engine.detect.landmarks68 import Landmarker68
from engine.faces.alignment import (
    Matrix,
    Points,
    face_from_frame,
    invert_affine,
    transform_points,
)
from engine.faces.face_data import FaceData
from engine.faces.face_file import encode_face_jpeg
from engine.faces.face_type import FaceType
from engine.faces.label_suggestions import suggest_to_hairline
from engine.faces.masks import Mask, Polygon, polygons_mask
from engine.media.images import ImageU8
from engine.media.video_read import open_video
from engine.protocol.options import complete_values
from engine.protocol.workspace import Workspace
from engine.stages.faces_extract.detectors import detector_of, face_search, read_weights
from engine.stages.faces_extract.plan import cut_settings
from engine.stages.faces_extract.spec import FACES_EXTRACT
from tests.support.shared import SHARED

MEDIA = SHARED / "media"
FACE_PX = 512
DRAWN = Path(__file__).with_name("drawn_masks.json")
SYNTHETIC, CLEAN = "occlusion_synthetic.mp4", "pairA_dst.mp4"
SYNTHETIC_MASK = "occlusion_synthetic_mask.mkv"
# While the drawn microphone is before the face (it covers more than 2 % in f17-f72).
SYNTHETIC_FRAMES = range(18, 73, 3)


@dataclass(frozen=True, eq=False)
class ClipFace:
    """The largest face of a clip's frame (`engine.train.side_faces.Face`)."""

    name: str
    data: FaceData
    picture_bgr_u8: ImageU8
    jpeg: bytes = field(repr=False)

    def read_jpeg(self) -> bytes:
        return self.jpeg

    @property
    def face_from_frame(self) -> Matrix:
        assert self.data.image_to_face_mat is not None
        return self.data.image_to_face_mat


@dataclass(frozen=True, eq=False)
class JudgedFace:
    """A face of which is known what hides it: face and before, (512, 512), 0 or 1."""

    clip: str
    face: ClipFace
    region: Mask
    before: Mask


class FaceCutter:
    """Finds and cuts faces with the stage's own default detector and landmarks."""

    def __init__(self) -> None:
        settings = cut_settings(complete_values(FACES_EXTRACT.options, {}))
        weights = read_weights(settings, "", Workspace(Path()))
        self._search = face_search(detector_of(settings.find, weights), settings.find)
        self._landmarker = Landmarker68()

    def faces(self, clip: str, numbers: Collection[int]) -> Iterator[tuple[int, ClipFace]]:
        """The largest face of each of the clip's frames, where one is found."""
        for number, frame in frames_of(clip, numbers):
            [found] = self._search.detect([frame])
            if not found:
                continue
            placed = self._landmarker.landmarks(frame, found[0])
            if placed is not None:
                yield number, _cut(f"{Path(clip).stem}_{number:05d}_0.jpg", frame, placed.points)


def frames_of(clip: str, numbers: Collection[int]) -> Iterator[tuple[int, ImageU8]]:
    with open_video(MEDIA / clip) as video:
        for number, frame in enumerate(video.frames()):
            if number in numbers:
                yield number, frame.to_bgr_u8()


def judged_synthetic(cutter: FaceCutter) -> Iterator[JudgedFace]:
    """Faces with a drawn microphone, whose mask is exact. What is face is the hair-line outline of
    the same frame without the microphone."""
    clean = dict(cutter.faces(CLEAN, SYNTHETIC_FRAMES))
    masks = dict(frames_of(SYNTHETIC_MASK, SYNTHETIC_FRAMES))
    for number, face in cutter.faces(SYNTHETIC, SYNTHETIC_FRAMES):
        outline = suggest_to_hairline(clean[number].picture_bgr_u8, clean[number].data.landmarks)
        to_frame = invert_affine(clean[number].face_from_frame)
        in_frame = [transform_points(polygon.points_xy, to_frame) for polygon in outline]
        before = cv2.warpAffine(masks[number][..., 0], face.face_from_frame, (FACE_PX, FACE_PX))
        covers = (before > 127).astype(np.float32)
        yield JudgedFace(SYNTHETIC, face, _mask(face, in_frame), covers)


def judged_drawn(cutter: FaceCutter) -> Iterator[JudgedFace]:
    """Faces whose masks were drawn by hand."""
    rows = json.loads(DRAWN.read_text())
    for clip in sorted({row["clip"] for row in rows}):
        by_number = {row["frame"]: row for row in rows if row["clip"] == clip}
        for number, face in cutter.faces(clip, by_number):
            row = by_number[number]
            region = _mask(face, [np.array(row["face"])])
            yield JudgedFace(clip, face, region, _mask(face, map(np.array, row["before"])))


def _mask(face: ClipFace, in_frame: Iterator[Points] | list[Points]) -> Mask:
    polygons = [transform_points(points, face.face_from_frame) for points in in_frame]
    return polygons_mask(
        (FACE_PX, FACE_PX), [Polygon(True, points.astype(np.float32)) for points in polygons]
    )


def _cut(name: str, frame: ImageU8, landmarks: Points) -> ClipFace:
    matrix = face_from_frame(landmarks, FACE_PX, FaceType.WHOLE_FACE)
    picture = cv2.warpAffine(frame, matrix, (FACE_PX, FACE_PX), flags=cv2.INTER_LANCZOS4)
    data = FaceData(
        FaceType.WHOLE_FACE,
        transform_points(landmarks, matrix),
        source_landmarks=landmarks,
        image_to_face_mat=matrix,
    )
    picture_u8 = np.asarray(picture, np.uint8)
    return ClipFace(name, data, picture_u8, encode_face_jpeg(picture_u8, 95))
