"""One batch of frames read and searched: the work of the finder's thread, or of processes for
detectors that need no TensorFlow. Imports none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from engine.detect.detection import Detection, ImageBgrU8
from engine.detect.search import FaceSearch
from engine.detect.tracks import TrackedFrame
from engine.media.images import read_image_bgr_u8
from engine.protocol.errors import InputError
from engine.stages.faces_extract.detectors import detector_of, face_search
from engine.stages.faces_extract.records import FindSettings, FoundFace, FoundFrame

# 4 frames take 5 % more time each than 8, 1 takes twice as much.
BATCH_FRAMES = 8
THUMB_SIDE_PX = 8
# Mean difference of thumbs (of 255) from which a frame shows another shot. A head rushing through
# the picture makes 9.5 in the reference clips, their hard cuts 24.
CUT_DIFFERENCE = 12.0
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class ReadFrame:
    """A frame as read, yet without faces: its picture at no more than the size of the largest
    view; None if it cannot be read."""

    frame: FoundFrame
    image_bgr_u8: ImageBgrU8 | None


def batches_of(frames: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """The frames as they are searched together, however often the run is interrupted."""
    for start in range(0, len(frames), BATCH_FRAMES):
        yield frames[start : start + BATCH_FRAMES]


def read_frame(path: Path, settings: FindSettings) -> ReadFrame:
    """The frame, or why it cannot be read."""
    try:
        size_bytes = path.stat().st_size
        image = read_image_bgr_u8(path)
    except InputError as error:
        return _unread(path, error.message)
    except OSError as error:
        return _unread(path, f"cannot read {path}: {error.strerror}")
    height_px, width_px = image.shape[:2]
    # Twice the detection size is all that the largest second view shows.
    scale = 2 * settings.detection_size_px / max(height_px, width_px)
    if scale < 1:
        size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    thumb = cv2.resize(image, (THUMB_SIDE_PX, THUMB_SIDE_PX), interpolation=cv2.INTER_AREA)
    thumb_hex = cv2.cvtColor(thumb, cv2.COLOR_BGR2GRAY).tobytes().hex()
    frame = FoundFrame(path.name, size_bytes, (height_px, width_px), thumb_hex, ())
    return ReadFrame(frame, image)


def searched(search: FaceSearch, reads: Sequence[ReadFrame]) -> list[FoundFrame]:
    """The frames with their faces."""
    read = [(one.frame, one.image_bgr_u8) for one in reads if one.image_bgr_u8 is not None]
    frames, images = [frame for frame, _ in read], [image for _, image in read]
    follow = [
        number > 0 and _follows(frames[number - 1], frame) for number, frame in enumerate(frames)
    ]
    found = iter(search.detect(images, follow) if images else ())
    return [
        one.frame if one.image_bgr_u8 is None else _found(one.frame, one.image_bgr_u8, next(found))
        for one in reads
    ]


_process_search: tuple[FaceSearch, FindSettings] | None = None


def start_search(settings: FindSettings) -> None:
    """Build this process's search, with a detector that needs no TensorFlow."""
    global _process_search
    _process_search = face_search(detector_of(settings, {}), settings), settings


def search_batch(batch: Sequence[Path]) -> list[FoundFrame]:
    """The batch's frames with their faces, by this process's search."""
    if _process_search is None:
        raise RuntimeError("start_search was not called in this process")
    search, settings = _process_search
    return searched(search, [read_frame(path, settings) for path in batch])


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


def _found(frame: FoundFrame, image: ImageBgrU8, faces: list[Detection]) -> FoundFrame:
    height_px, width_px = frame.shape_hw
    scale_xy = np.array([width_px / image.shape[1], height_px / image.shape[0]])
    return msgspec.structs.replace(
        frame, faces=tuple(as_found(_scaled(face, scale_xy)) for face in faces)
    )


def _unread(path: Path, problem: str) -> ReadFrame:
    return ReadFrame(FoundFrame(path.name, 0, (0, 0), "", (), problem), None)


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
