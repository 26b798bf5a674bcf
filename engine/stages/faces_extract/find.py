"""Finding the faces of the frames, in order and in batches, ahead of those who cut them out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from engine.detect.detection import (
    BoxLtrb,
    Detection,
    FaceDetector,
    Landmarker,
    Landmarks68,
)
from engine.detect.search import face_at
from engine.detect.weight_files import USER_FILES
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import Stopped
from engine.protocol.stage import StageContext
from engine.stages.faces_extract.detectors import (
    Weights,
    close_up_detector_of,
    detector_of,
    face_search,
    is_large,
    landmarker_of,
    needs_tensorflow,
)
from engine.stages.faces_extract.frame_search import (
    ReadFrame,
    as_detection,
    as_found,
    batches_of,
    read_frame,
    search_batch,
    searched,
    start_search,
)
from engine.stages.faces_extract.records import (
    CutSettings,
    FindSettings,
    FoundFrame,
    LineFile,
)

AHEAD_BATCHES = 2
MOST_READERS = 8

Result = TypeVar("Result")


class FrameFinder:
    """Finds the faces of frames, and remembers them in `file`. Entering starts its threads; leaving
    ends them without waiting for the search under way.

    Detectors that need no TensorFlow search in as many processes of their own as `processes` says.
    """

    def __init__(
        self,
        context: StageContext,
        settings: CutSettings,
        weights: Weights,
        file: LineFile[FoundFrame],
        processes: int,
    ) -> None:
        self._context = context
        self._cut_settings = settings
        self._settings = settings.find
        self._weights = weights
        self._file = file
        self._processes = processes
        readers = min(len(os.sched_getaffinity(0)), MOST_READERS)
        self._reading = ThreadPoolExecutor(readers)
        self._searching = ThreadPoolExecutor(1)

    def __enter__(self) -> FrameFinder:
        device: str = self._context.options["device"]
        self._detector = self._searching.submit(
            _detector, device, self._cut_settings, self._weights
        )
        self._close_up = self._searching.submit(_close_up_detector, self._settings, self._detector)
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

    def found(self, frames: Sequence[Path]) -> Generator[FoundFrame, None, None]:
        """Each frame with its faces, in order; those in the file as they are there.

        Frames are searched in the same batches however often the run is interrupted.
        """
        known = {line.frame: line for line in self._file.lines if not line.problem}
        batches = [(batch, _from_file(batch, known)) for batch in batches_of(frames)]
        left = [batch for batch, there in batches if there is None]
        found = (
            self._searched_here(left) if needs_tensorflow(self._settings) else self._in_pool(left)
        )
        for _, there in batches:
            yield from there if there is not None else self._kept(next(found))

    def seek(self, path: Path, frame: FoundFrame, expected: list[BoxLtrb]) -> list[Detection]:
        """Faces of the frame near the expected boxes, as far as they are there."""
        if frame.sought is None:
            future = self._searching.submit(_close_ups, self._close_up, path, expected)
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

    def _searched_here(self, batches: Sequence[Sequence[Path]]) -> Iterator[list[FoundFrame]]:
        """By the searching thread, some batches ahead."""
        waiting: deque[Future[list[FoundFrame]]] = deque()
        for batch in batches:
            reads = [self._reading.submit(read_frame, path, self._settings) for path in batch]
            waiting.append(
                self._searching.submit(
                    _searched, self._detector, self._settings, reads, self._stop_if_asked
                )
            )
            if len(waiting) > AHEAD_BATCHES:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _in_pool(self, batches: Sequence[Sequence[Path]]) -> Iterator[list[FoundFrame]]:
        return self._context.map_in_processes(
            search_batch,
            batches,
            processes=self._processes,
            initializer=start_search,
            initargs=(self._settings,),
        )

    def _stop_if_asked(self) -> None:
        if self._context.stop_requested:
            raise Stopped

    def _kept(self, found: list[FoundFrame]) -> list[FoundFrame]:
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


def _detector(device: str, settings: CutSettings, weights: Weights) -> FaceDetector:
    if needs_tensorflow(settings.find) or settings.landmarks in USER_FILES:
        from engine.detect.mtcnn import choose_device

        choose_device(device)
    return detector_of(settings.find, weights)


def _close_up_detector(settings: FindSettings, detector: Future[FaceDetector]) -> FaceDetector:
    return close_up_detector_of(settings, detector.result())


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


def _from_file(batch: Sequence[Path], known: Mapping[str, FoundFrame]) -> list[FoundFrame] | None:
    """The batch's frames if all of them were searched before, as they are now."""
    lines = [known.get(path.name) for path in batch]
    sound = [
        line
        for line, path in zip(lines, batch, strict=True)
        if line is not None and line.size_bytes == path.stat().st_size
    ]
    return sound if len(sound) == len(batch) else None


def _searched(
    detector: Future[FaceDetector],
    settings: FindSettings,
    reads: list[Future[ReadFrame]],
    between_views: Callable[[], None],
) -> list[FoundFrame]:
    search = face_search(detector.result(), settings, between_views)
    return searched(search, [read.result() for read in reads])


def _close_ups(
    detector: Future[FaceDetector], path: Path, expected: list[BoxLtrb]
) -> list[Detection]:
    image = read_image_bgr_u8(path)
    faces = [face_at(detector.result(), image, box) for box in expected]
    return [face for face in faces if face is not None]
