"""Finding the faces of the frames, in order and in batches, ahead of those who cut them out."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import cv2
import msgspec
import numpy as np

from engine.detect.detection import (
    BoxLtrb,
    Detection,
    FaceDetector,
    ImageBgrU8,
    Landmarker,
    Landmarks68,
)
from engine.detect.search import face_at
from engine.detect.tracks import TrackedFrame
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError, Stopped
from engine.protocol.stage import StageContext
from engine.stages.faces_extract.detectors import (
    Weights,
    detector_of,
    face_search,
    is_large,
    landmarker_of,
)
from engine.stages.faces_extract.records import (
    CutSettings,
    FindSettings,
    FoundFace,
    FoundFrame,
    LineFile,
)

# 4 frames take 5 % more time each than 8, 1 takes twice as much.
BATCH_FRAMES = 8
AHEAD_BATCHES = 2
MOST_READERS = 8
THUMB_SIDE_PX = 8
# Mean difference of thumbs (of 255) from which a frame shows another shot. A head rushing through
# the picture makes 9.5 in the reference clips, their hard cuts 24.
CUT_DIFFERENCE = 12.0
_NUMBERED = re.compile(r"(.*?)(\d+)")

Result = TypeVar("Result")


@dataclass(frozen=True)
class _ReadFrame:
    """A frame as read: its picture at no more than the size of the largest view."""

    name: str
    size_bytes: int
    shape_hw: tuple[int, int]
    image_bgr_u8: ImageBgrU8 | None
    problem: str = ""


class FrameFinder:
    """Finds the faces of frames, and remembers them in `file`. Entering starts its threads; leaving
    ends them without waiting for the search under way."""

    def __init__(
        self,
        context: StageContext,
        settings: CutSettings,
        weights: Weights,
        file: LineFile[FoundFrame],
    ) -> None:
        self._context = context
        self._cut_settings = settings
        self._settings = settings.find
        self._weights = weights
        self._file = file
        readers = min(len(os.sched_getaffinity(0)), MOST_READERS)
        self._reading = ThreadPoolExecutor(readers)
        self._searching = ThreadPoolExecutor(1)

    def __enter__(self) -> FrameFinder:
        device: str = self._context.options["device"]
        self._detector = self._searching.submit(
            _detector, device, self._cut_settings, self._weights
        )
        self._landmarker = self._searching.submit(
            _landmarker, self._cut_settings, self._weights, self._detector
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._searching.shutdown(wait=False, cancel_futures=True)

    def found(self, frames: Sequence[Path]) -> Iterator[FoundFrame]:
        """Each frame with its faces, in order; those in the file as they are there.

        Frames are searched in the same batches however often the run is interrupted.
        """
        known = {line.frame: line for line in self._file.lines if not line.problem}
        waiting: deque[list[FoundFrame] | Future[list[FoundFrame]]] = deque()
        for batch in _batches(frames):
            waiting.append(_from_file(batch, known) or self._submit(batch))
            if len(waiting) > AHEAD_BATCHES:
                yield from self._arrived(waiting.popleft())
        while waiting:
            yield from self._arrived(waiting.popleft())

    def seek(self, path: Path, frame: FoundFrame, expected: list[BoxLtrb]) -> list[Detection]:
        """Faces of the frame near the expected boxes, as far as they are there."""
        if frame.sought is None:
            future = self._searching.submit(_close_ups, self._detector, path, expected)
            sought = tuple(as_found(face) for face in self._result(future))
            frame = msgspec.structs.replace(frame, sought=sought)
            self._file.add(frame)
        return [as_detection(face) for face in frame.sought or ()]

    def landmarks(
        self, path: Path, faces: Sequence[Detection]
    ) -> tuple[Landmarks68 | None, ...] | None:
        """The faces' landmarks, where they are not left to those who cut the faces out: then
        None. Too small faces have none."""
        if self._cut_settings.landmarks == "dlib68":
            return None
        if not any(is_large(face, self._settings) for face in faces):
            return (None,) * len(faces)
        future = self._searching.submit(
            _landmarks, self._landmarker, path, tuple(faces), self._settings
        )
        return self._result(future)

    def _submit(self, batch: Sequence[Path]) -> Future[list[FoundFrame]]:
        reads = [self._reading.submit(_read, path, self._settings) for path in batch]
        return self._searching.submit(
            _searched, self._detector, self._settings, reads, self._stop_if_asked
        )

    def _stop_if_asked(self) -> None:
        if self._context.stop_requested:
            raise Stopped

    def _arrived(self, batch: list[FoundFrame] | Future[list[FoundFrame]]) -> list[FoundFrame]:
        """The batch once it is searched, and then in the file."""
        if isinstance(batch, list):
            return batch
        found = self._result(batch)
        for frame in found:
            self._file.add(frame)
        return found

    def _result(self, future: Future[Result]) -> Result:
        """What the thread gives; stops within half a second if asked to."""
        while True:
            self._context.check_stop()
            try:
                return future.result(timeout=0.5)
            except NotYet:
                continue


def tracked_frames(frames: Iterator[FoundFrame]) -> Iterator[TrackedFrame[FoundFrame]]:
    """The frames with their faces as detections, and whether each goes on with the shot before."""
    before: FoundFrame | None = None
    for frame in frames:
        faces = tuple(as_detection(face) for face in frame.faces)
        yield TrackedFrame(frame, faces, before is not None and _follows(before, frame))
        before = frame


def as_found(face: Detection) -> FoundFace:
    """The detection in the form that is kept."""
    left, top, right, bottom = (round(side, 3) for side in face.box_ltrb)
    points = face.five_points
    return FoundFace(
        (left, top, right, bottom),
        round(face.score, 5),
        face.turned_deg,
        None if points is None else tuple((round(x, 3), round(y, 3)) for x, y in points.tolist()),
    )


def as_detection(face: FoundFace) -> Detection:
    """The detection as it was kept."""
    points = None if face.five_points is None else np.array(face.five_points, dtype=np.float64)
    return Detection(face.box_ltrb, face.score, points, face.turned_deg)


def _detector(device: str, settings: CutSettings, weights: Weights) -> FaceDetector:
    from engine.detect.mtcnn import choose_device

    choose_device(device)
    return detector_of(settings.find, weights)


def _landmarker(
    settings: CutSettings, weights: Weights, detector: Future[FaceDetector]
) -> Landmarker | None:
    return landmarker_of(settings, weights, detector.result())


def _landmarks(
    landmarker: Future[Landmarker | None],
    path: Path,
    faces: tuple[Detection, ...],
    settings: FindSettings,
) -> tuple[Landmarks68 | None, ...]:
    place = landmarker.result()
    image = read_image_bgr_u8(path)
    return tuple(
        place.landmarks(image, face) if place is not None and is_large(face, settings) else None
        for face in faces
    )


def _batches(frames: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(frames), BATCH_FRAMES):
        yield frames[start : start + BATCH_FRAMES]


def _from_file(batch: Sequence[Path], known: Mapping[str, FoundFrame]) -> list[FoundFrame] | None:
    """The batch's frames if all of them were searched before, as they are now."""
    lines = [known.get(path.name) for path in batch]
    sound = [
        line
        for line, path in zip(lines, batch, strict=True)
        if line is not None and line.size_bytes == path.stat().st_size
    ]
    return sound if len(sound) == len(batch) else None


def _read(path: Path, settings: FindSettings) -> _ReadFrame:
    try:
        size_bytes = path.stat().st_size
        image = read_image_bgr_u8(path)
    except InputError as error:
        return _ReadFrame(path.name, 0, (0, 0), None, error.message)
    except OSError as error:
        return _ReadFrame(path.name, 0, (0, 0), None, f"cannot read {path}: {error.strerror}")
    height_px, width_px = image.shape[:2]
    # Twice the detection size is all that the largest second view shows.
    scale = 2 * settings.detection_size_px / max(height_px, width_px)
    if scale < 1:
        size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return _ReadFrame(path.name, size_bytes, (height_px, width_px), image)


def _searched(
    detector: Future[FaceDetector],
    settings: FindSettings,
    reads: list[Future[_ReadFrame]],
    between_views: Callable[[], None],
) -> list[FoundFrame]:
    search = face_search(detector.result(), settings, between_views)
    frames = [read.result() for read in reads]
    images = [frame.image_bgr_u8 for frame in frames if frame.image_bgr_u8 is not None]
    found = iter(search.detect(images) if images else ())
    return [
        FoundFrame(frame.name, 0, (0, 0), "", (), frame.problem)
        if frame.image_bgr_u8 is None
        else _found(frame, frame.image_bgr_u8, next(found))
        for frame in frames
    ]


def _close_ups(
    detector: Future[FaceDetector], path: Path, expected: list[BoxLtrb]
) -> list[Detection]:
    image = read_image_bgr_u8(path)
    faces = [face_at(detector.result(), image, box) for box in expected]
    return [face for face in faces if face is not None]


def _found(frame: _ReadFrame, image: ImageBgrU8, faces: list[Detection]) -> FoundFrame:
    height_px, width_px = frame.shape_hw
    scale_xy = np.array([width_px / image.shape[1], height_px / image.shape[0]])
    thumb = cv2.resize(image, (THUMB_SIDE_PX, THUMB_SIDE_PX), interpolation=cv2.INTER_AREA)
    return FoundFrame(
        frame.name,
        frame.size_bytes,
        frame.shape_hw,
        cv2.cvtColor(thumb, cv2.COLOR_BGR2GRAY).tobytes().hex(),
        tuple(as_found(_scaled(face, scale_xy)) for face in faces),
    )


def _scaled(face: Detection, scale_xy: np.ndarray) -> Detection:
    left, top, right, bottom = (float(side) for side in face.box_ltrb * np.tile(scale_xy, 2))
    points = None if face.five_points is None else face.five_points * scale_xy
    return Detection((left, top, right, bottom), face.score, points, face.turned_deg)


def _follows(before: FoundFrame, frame: FoundFrame) -> bool:
    """The frame's number is the next one, and it looks like the one before."""
    if before.problem or frame.problem or before.shape_hw != frame.shape_hw:
        return False
    was, now = (_NUMBERED.fullmatch(Path(one.frame).stem) for one in (before, frame))
    if was is None or now is None or was[1] != now[1] or int(was[2]) + 1 != int(now[2]):
        return False
    thumbs = [np.frombuffer(bytes.fromhex(one.thumb), np.uint8) for one in (before, frame)]
    return bool(np.abs(thumbs[0].astype(int) - thumbs[1]).mean() < CUT_DIFFERENCE)
