"""Cutting the faces out of one frame: the work of the worker processes. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.detect.boxes import areas_of
from engine.detect.detection import Detection, ImageBgrU8, Landmarks68
from engine.detect.landmarks68 import Landmarker68
from engine.detect.search import FaceSearch
from engine.faces.alignment import crop_corners, face_from_frame, transform_points
from engine.faces.face_data import FaceData
from engine.faces.face_file import write_face
from engine.faces.face_type import FaceType
from engine.faces.pose import Pose, estimate_pose
from engine.media.images import read_image_bgr_u8, write_image
from engine.protocol.errors import InputError
from engine.stages.faces_extract.debug_picture import Drawn, debug_picture
from engine.stages.faces_extract.find import face_search
from engine.stages.faces_extract.records import CutFace, CutSettings, DoneFrame

DEBUG_QUALITY = 50
# DFL's rule for types up to full face: a crop over four times the detector's box is a wrong one.
MAX_CROP_OVER_BOX = 4.0
# HOG's own threshold is 0; in turned views false faces reach 0.3.
SURE_HOG_SCORE = 0.3
# Two finds whose landmarks lie closer than this part of the eyes' distance are one face.
SAME_FACE_SHARE = 0.15
_WAYS = {"lanczos": cv2.INTER_LANCZOS4, "bilinear": cv2.INTER_LINEAR}


@dataclass(frozen=True)
class CutJob:
    """A frame to be finished. faces: what was found, largest first; None if it is yet to be
    searched. dropped: finds that were false already. problem: why it cannot be read, if known."""

    path: Path
    faces: tuple[Detection, ...] | None
    dropped: int = 0
    problem: str = ""


@dataclass(frozen=True)
class _Placed:
    face: Detection
    landmarks: Landmarks68


class Cutter:
    """Finishes frames one by one; built once per process."""

    def __init__(self, settings: CutSettings, aligned: Path, aligned_debug: Path) -> None:
        self._settings = settings
        self._aligned = aligned
        self._aligned_debug = aligned_debug
        self._face_type = face_type_of(settings.face_type)
        self._landmarker = Landmarker68()
        self._search = _hog_search(settings) if settings.find.detector == "dlib-hog" else None

    def finish(self, job: CutJob) -> DoneFrame:
        """Write the frame's faces and debug image. An unreadable frame is told, not raised."""
        try:
            size_bytes = job.path.stat().st_size
            image = read_image_bgr_u8(job.path)
        except InputError as error:
            return DoneFrame(job.path.name, 0, (), problem=job.problem or error.message)
        except FileNotFoundError:
            return DoneFrame(job.path.name, 0, (), problem=f"{job.path} is gone")
        found = self._faces_in(image, job)
        placed = self._placed(image, found)
        dropped = job.dropped + len(found) - len(placed)
        if self._settings.max_faces:
            placed = placed[: self._settings.max_faces]
        cut = [self._write(image, job.path, one, number) for number, one in enumerate(placed)]
        if self._settings.with_debug:
            self._write_debug(image, job.path.stem, placed)
        return DoneFrame(job.path.name, size_bytes, tuple(cut), dropped)

    def _faces_in(self, image: ImageBgrU8, job: CutJob) -> list[Detection]:
        found = job.faces
        if found is None and self._search is not None:
            found = tuple(self._search.detect([image])[0])
        smallest = self._settings.find.min_face_size_px
        return [face for face in found or () if min(face.width_px, face.height_px) >= smallest]

    def _placed(self, image: ImageBgrU8, found: list[Detection]) -> list[_Placed]:
        """The faces with sound landmarks, largest first, each person once."""
        placed: list[_Placed] = []
        for face in sorted(found, key=lambda one: -one.area_px):
            landmarks = self._landmarker.landmarks(image, face)
            if landmarks is None or not self._fits_its_box(face, landmarks):
                continue
            if not any(_is_same(landmarks, other.landmarks) for other in placed):
                placed.append(_Placed(face, landmarks))
        return placed

    def _fits_its_box(self, face: Detection, landmarks: Landmarks68) -> bool:
        if self._face_type > FaceType.FULL_NO_ALIGN:
            return True
        corners = crop_corners(landmarks.points, self._face_type)
        side_px = float(np.hypot(*(corners[1] - corners[0])))
        box_area_px = float(areas_of(np.array([face.box_ltrb]))[0])
        return side_px**2 <= MAX_CROP_OVER_BOX * box_area_px

    def _write(self, image: ImageBgrU8, frame: Path, placed: _Placed, number: int) -> CutFace:
        picture, data = self._cut(image, frame.name, placed)
        path = self._aligned / f"{frame.stem}_{number}.jpg"
        write_face(path, picture, self._settings.jpeg_quality, data)
        pose = _pose(data.landmarks, picture.shape[0])
        return CutFace(
            file=path.name,
            score=round(placed.face.score, 4),
            turned_deg=placed.face.turned_deg,
            spread=round(placed.landmarks.spread, 4),
            pitch_rad=None if pose is None else round(pose.pitch_rad, 4),
            yaw_rad=None if pose is None else round(pose.yaw_rad, 4),
            roll_rad=round(_roll_rad(placed.landmarks), 4),
        )

    def _cut(
        self, image: ImageBgrU8, frame_name: str, placed: _Placed
    ) -> tuple[ImageBgrU8, FaceData]:
        points = placed.landmarks.points
        left, top, right, bottom = (round(side) for side in placed.face.box_ltrb)
        picture, landmarks, matrix = image, points, None
        if self._face_type is not FaceType.MARK_ONLY:
            size_px = self._settings.image_size_px
            matrix = face_from_frame(points, size_px, self._face_type)
            way = _WAYS[self._settings.interpolation]
            picture = cv2.warpAffine(image, matrix, (size_px, size_px), flags=way)
            landmarks = transform_points(points, matrix)
        data = FaceData(
            face_type=self._face_type,
            landmarks=landmarks,
            source_filename=frame_name,
            source_rect=(left, top, right, bottom),
            source_landmarks=points,
            image_to_face_mat=matrix,
        )
        return picture, data

    def _write_debug(self, image: ImageBgrU8, stem: str, placed: list[_Placed]) -> None:
        marked_only = self._face_type is FaceType.MARK_ONLY
        drawn = [
            Drawn(
                one.landmarks.points,
                one.face.box_ltrb,
                None if marked_only else crop_corners(one.landmarks.points, self._face_type),
            )
            for one in placed
        ]
        path = self._aligned_debug / f"{stem}.jpg"
        write_image(path, debug_picture(image, drawn), jpeg_quality=DEBUG_QUALITY)


_cutter: Cutter | None = None


def start_cutter(settings: CutSettings, aligned: Path, aligned_debug: Path) -> None:
    """Build this process's `Cutter`."""
    global _cutter
    _cutter = Cutter(settings, aligned, aligned_debug)


def finish_frame(job: CutJob) -> DoneFrame:
    """`Cutter.finish` in this process."""
    if _cutter is None:
        raise RuntimeError("start_cutter was not called in this process")
    return _cutter.finish(job)


def face_type_of(option: str) -> FaceType:
    """The face type of the option's value; `mark_only` goes by its long name."""
    return FaceType.MARK_ONLY if option == "mark_only" else FaceType.from_short(option)


def _hog_search(settings: CutSettings) -> FaceSearch:
    from engine.detect.dlib_hog import HogDetector

    detector = HogDetector(upsample=settings.find.hog_upsample)
    return face_search(detector, settings.find, SURE_HOG_SCORE)


def _is_same(one: Landmarks68, other: Landmarks68) -> bool:
    apart_px = float(np.hypot(*(one.points - other.points).T).mean())
    eyes_px = float(np.hypot(*(other.points[45] - other.points[36])))
    return apart_px < SAME_FACE_SHARE * eyes_px


def _pose(landmarks: np.ndarray, size_px: int) -> Pose | None:
    try:
        return estimate_pose(landmarks, size_px)
    except InputError:
        return None  # no head fits them: the face stays, without angles


def _roll_rad(landmarks: Landmarks68) -> float:
    """How far the face is turned clockwise in the frame, by its eyes' outer corners."""
    right = landmarks.points[45] - landmarks.points[36]
    return float(np.arctan2(right[1], right[0]))
