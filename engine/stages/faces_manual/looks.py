"""Landmarks of a square that is moved, looked for in a thread of its own: the newest counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np

from engine.detect.detection import Detection, ImageBgrU8, Landmarker, Landmarks68, PointsXY
from engine.detect.landmarks68 import Landmarker68
from engine.detect.weight_files import USER_FILES
from engine.faces.alignment import crop_corners
from engine.faces.dfl_weights import find_weights
from engine.faces.face_type import FaceType
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.stages.faces_extract.detectors import landmarker_of, read_weights
from engine.stages.faces_extract.records import CutSettings, FindSettings


@dataclass(frozen=True)
class Square:
    """A square in pixels of the frame, and by how much the face is turned clockwise in it."""

    x: float
    y: float
    half_side: float
    roll_deg: float = 0.0

    @property
    def as_detection(self) -> Detection:
        half = self.half_side
        box = (self.x - half, self.y - half, self.x + half, self.y + half)
        return Detection(box, 1.0, None, round(self.roll_deg))


def first_square(image_bgr_u8: ImageBgrU8) -> Square:
    """Where DeepFaceLab's square starts: in the middle, 200 px wide in a window 769 px high."""
    height, width = image_bgr_u8.shape[:2]
    return Square(width / 2, height / 2, max(5.0, height * 100 / 769))


@dataclass(frozen=True, eq=False)
class Look:
    """What is asked: the square in that frame. answered: see `PlacedFace`."""

    answered: Mapping[int, int]
    frame: int
    image_bgr_u8: ImageBgrU8
    square: Square
    accurate: bool


@dataclass(frozen=True, eq=False)
class Seen:
    """The answer. points: None where no face can have such landmarks. doubtful: the accurate look
    does not agree with itself; these are of a single one."""

    look: Look
    points: PointsXY | None
    doubtful: bool
    ms: float


class Looker(Protocol):
    """Places landmarks: accurately, which may say that there is no face, or at a glance."""

    def accurate(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None: ...

    def glance(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None: ...


class _Dlib:
    def __init__(self) -> None:
        self._landmarker = Landmarker68()

    def accurate(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None:
        return self._landmarker.landmarks(image_bgr_u8, face)

    def glance(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68:
        return self._landmarker.glance(image_bgr_u8, face)


@dataclass(frozen=True)
class _Fan:
    second_pass: Landmarker
    first_pass: Landmarker

    def accurate(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None:
        return self.second_pass.landmarks(image_bgr_u8, face)

    def glance(self, image_bgr_u8: ImageBgrU8, face: Detection) -> Landmarks68 | None:
        return self.first_pass.landmarks(image_bgr_u8, face)


def require_weights(context: StageContext) -> None:
    """Raises `InputError` if the landmarker needs weights that are not there."""
    wanted = context.options["landmarks"]
    if wanted in USER_FILES:
        find_weights(USER_FILES[wanted], context.options["weights"], (context.workspace.models,))


def looker_of(context: StageContext) -> Looker:
    """The landmarker that the options mean. Raises `InputError` for weights that are not there."""
    if context.options["landmarks"] == "dlib68":
        return _Dlib()
    return _fan(context)


def _fan(context: StageContext) -> Looker:
    """FAN with the user's weights; its second pass finds the face again with MTCNN."""
    find = FindSettings("mtcnn", "none", 640, 40, 0.8, 1)
    face_type, size_px = "wf", 512  # nothing is cut out by these settings
    settings = CutSettings(
        find, face_type, 0, size_px, 90, False, "lanczos", context.options["landmarks"], True
    )
    weights = read_weights(settings, context.options["weights"], context.workspace)
    from engine.detect.mtcnn import MtcnnDetector, choose_device

    choose_device(context.options["device"])
    detector = MtcnnDetector(min_score=find.min_score)
    passes = [
        landmarker_of(replaced, weights, detector)
        for replaced in (settings, _without_second_pass(settings))
    ]
    assert passes[0] is not None and passes[1] is not None  # both are FAN's
    return _Fan(passes[0], passes[1])


def _without_second_pass(settings: CutSettings) -> CutSettings:
    return msgspec.structs.replace(settings, second_pass=False)


class Looks:
    """Answers the newest question; what was asked before and has not begun is forgotten."""

    def __init__(self, looker: Callable[[], Looker], wake: Callable[[], None]) -> None:
        """looker: makes one; called in the thread, as it may take seconds."""
        self._make = looker
        self._wake = wake
        self._asked: Look | None = None
        self._seen: Seen | None = None
        self._defect: BaseException | None = None
        self._ends = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="looks", daemon=True)
        self._thread.start()

    def ask(self, look: Look) -> None:
        with self._changed:
            self._asked = look
            self._changed.notify()

    def take(self) -> Seen | None:
        """The newest answer that was not taken yet. Raises what the thread died of."""
        with self._changed:
            if self._defect is not None:
                raise self._defect
            seen, self._seen = self._seen, None
            return seen

    def close(self) -> None:
        with self._changed:
            self._ends = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        try:
            looker = self._make()
            while (look := self._next()) is not None:
                seen = look_with(looker, look)
                with self._changed:
                    self._seen = seen
                self._wake()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that takes answers
            self._defect = error
            self._wake()

    def _next(self) -> Look | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ends or self._asked is not None)
            look, self._asked = self._asked, None
            return None if self._ends else look


def look_with(looker: Looker, look: Look) -> Seen:
    """The landmarks in the square. Where an accurate look finds no face, a glance answers."""
    started = time.monotonic()
    face = look.square.as_detection
    found = looker.accurate(look.image_bgr_u8, face) if look.accurate else None
    doubtful = look.accurate and found is None
    if found is None:
        found = looker.glance(look.image_bgr_u8, face)
    points = found.points if found is not None and _can_be_cut(found.points) else None
    return Seen(look, points, doubtful, 1000 * (time.monotonic() - started))


def _can_be_cut(points: PointsXY) -> bool:
    try:
        return bool(np.isfinite(crop_corners(points, FaceType.FULL)).all())
    except InputError:
        return False
