"""Cutting the faces out of one frame: the work of the worker processes. Imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from pathlib import Path

import numpy as np

from engine.detect.boxes import areas_of
from engine.detect.detection import Detection, ImageBgrU8, Landmarks68
from engine.detect.five_points import PROFILE_YAW_RAD, yaw_of_five_points
from engine.detect.landmarks68 import Landmarker68
from engine.faces.alignment import crop_corners
from engine.faces.face_file import write_face
from engine.faces.face_type import FaceType
from engine.faces.pose import Pose, estimate_pose
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError
from engine.stages.faces_extract.detectors import is_large
from engine.stages.faces_extract.face_cut import Crop, cut_face, write_debug_picture
from engine.stages.faces_extract.records import CutFace, CutSettings, DoneFrame

# DFL's rule for types up to full face: a crop over four times the detector's box is a wrong one. Of
# larger types the full face in them is looked at; that of real faces is 0.9 to 2.1 times the box.
MAX_CROP_OVER_BOX = 4.0
# Beyond, landmarks are off by 9 % of the face's size, three times as much as in front.
PROFILE_POSE_RAD = radians(60)
# In pictures without tracks MTCNN's finds need one of both. Of 32 that tracks told to be false in
# the reference clips 26 have neither; of true ones profiles, whose landmarks say nothing.
SURE_SCORE, AGREED_SPREAD = 0.95, 0.035
# Two finds whose landmarks lie closer than this part of the eyes' distance are one face.
SAME_FACE_SHARE = 0.15


@dataclass(frozen=True)
class CutJob:
    """A frame to be finished. faces: what was found. dropped: finds that were false already.
    problem: why it cannot be read, if known. is_judged: false finds were told by their tracks.
    landmarks: those of `faces`, None for a face without; None if they are yet to be placed."""

    path: Path
    faces: tuple[Detection, ...]
    dropped: int = 0
    problem: str = ""
    landmarks: tuple[Landmarks68 | None, ...] | None = None
    is_judged: bool = True


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
        self._crop = Crop(self._face_type, settings.image_size_px, settings.interpolation)
        self._landmarker = Landmarker68() if settings.landmarks == "dlib68" else None

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
        sound = found
        if not job.is_judged:
            sound = [one for one in found if not _is_likely_false(*one)]
        placed = self._placed(sound)
        dropped = job.dropped + len(found) - len(placed)
        if self._settings.max_faces:
            placed = placed[: self._settings.max_faces]
        cut = [self._write(image, job.path, one, number) for number, one in enumerate(placed)]
        if self._settings.with_debug:
            self._write_debug(image, job.path.stem, placed)
        return DoneFrame(job.path.name, size_bytes, tuple(cut), dropped)

    def _faces_in(
        self, image: ImageBgrU8, job: CutJob
    ) -> list[tuple[Detection, Landmarks68 | None]]:
        """The faces that are large enough, with their landmarks, largest first."""
        pairs = zip(job.faces, job.landmarks or (None,) * len(job.faces), strict=True)
        large = [(face, own) for face, own in pairs if is_large(face, self._settings.find)]
        if self._landmarker is not None:
            large = [(face, self._landmarker.landmarks(image, face)) for face, _ in large]
        return sorted(large, key=lambda one: -one[0].area_px)

    def _placed(self, found: list[tuple[Detection, Landmarks68 | None]]) -> list[_Placed]:
        """The faces with sound landmarks, each person once."""
        placed: list[_Placed] = []
        for face, landmarks in found:
            if landmarks is None or not self._fits_its_box(face, landmarks):
                continue
            if not any(_is_same(landmarks, other.landmarks) for other in placed):
                placed.append(_Placed(face, landmarks))
        return placed

    def _fits_its_box(self, face: Detection, landmarks: Landmarks68) -> bool:
        if self._face_type is FaceType.MARK_ONLY:  # nothing is cut out
            return True
        corners = crop_corners(landmarks.points, min(self._face_type, FaceType.FULL))
        side_px = float(np.hypot(*(corners[1] - corners[0])))
        box_area_px = float(areas_of(np.array([face.box_ltrb]))[0])
        return side_px**2 <= MAX_CROP_OVER_BOX * box_area_px

    def _write(self, image: ImageBgrU8, frame: Path, placed: _Placed, number: int) -> CutFace:
        picture, data = cut_face(
            image, frame.name, placed.landmarks.points, placed.face.box_ltrb, self._crop
        )
        path = self._aligned / f"{frame.stem}_{number}.jpg"
        write_face(path, picture, self._settings.jpeg_quality, data)
        pose = _pose(data.landmarks, picture.shape[0])
        spread = placed.landmarks.spread
        return CutFace(
            file=path.name,
            score=round(placed.face.score, 4),
            turned_deg=placed.face.turned_deg,
            spread=None if spread is None else round(spread, 4),
            pitch_rad=None if pose is None else round(pose.pitch_rad, 4),
            yaw_rad=None if pose is None else round(pose.yaw_rad, 4),
            roll_rad=round(_roll_rad(placed.landmarks), 4),
            is_profile=_is_profile(placed.face, pose),
        )

    def _write_debug(self, image: ImageBgrU8, stem: str, placed: list[_Placed]) -> None:
        path = self._aligned_debug / f"{stem}.jpg"
        drawn = [(one.landmarks.points, one.face.box_ltrb) for one in placed]
        write_debug_picture(path, image, drawn, self._face_type)


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


def _is_likely_false(face: Detection, landmarks: Landmarks68 | None) -> bool:
    if landmarks is None or landmarks.spread is None or face.five_points is None:
        return False
    is_unsure = face.score < SURE_SCORE and landmarks.spread > AGREED_SPREAD
    return is_unsure and abs(yaw_of_five_points(face.five_points)) <= PROFILE_YAW_RAD


def _is_same(one: Landmarks68, other: Landmarks68) -> bool:
    apart_px = float(np.hypot(*(one.points - other.points).T).mean())
    eyes_px = float(np.hypot(*(other.points[45] - other.points[36])))
    return apart_px < SAME_FACE_SHARE * eyes_px


def _pose(landmarks: np.ndarray, size_px: int) -> Pose | None:
    try:
        return estimate_pose(landmarks, size_px)
    except InputError:
        return None  # no head fits them: the face stays, without angles


def _is_profile(face: Detection, pose: Pose | None) -> bool:
    five = face.five_points
    if five is not None and abs(yaw_of_five_points(five)) > PROFILE_YAW_RAD:
        return True
    return pose is not None and abs(pose.yaw_rad) > PROFILE_POSE_RAD


def _roll_rad(landmarks: Landmarks68) -> float:
    """How far the face is turned clockwise in the frame, by its eyes' outer corners."""
    right = landmarks.points[45] - landmarks.points[36]
    return float(np.arctan2(right[1], right[0]))
