"""The faces whose landmarks are smoothed, each with its landmarks as they were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.faces.alignment import Points, checked_landmarks
from engine.faces.face_data import FaceData
from engine.faces.face_file import read_face_data
from engine.faces.smoothing import Floats
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext

# In face files that were smoothed: the landmarks in the frame before. DeepFaceLab keeps such keys.
FOUND_KEY = "facewright_found_landmarks"


@dataclass(frozen=True, eq=False)
class FollowedFaces:
    """Faces of numbered frames. paths: their files. frames: (n,) numbers of theirs. found_xy:
    (n, 68, 2) landmarks in the frames, as found; current_xy: as they are in the files. left_out:
    "name: reason" of the files that cannot be smoothed."""

    paths: tuple[Path, ...]
    frames: tuple[int, ...]
    found_xy: Floats
    current_xy: Floats
    left_out: tuple[str, ...]


def read_faces(
    context: StageContext, files: Sequence[Path], frames: Sequence[Path]
) -> FollowedFaces:
    """The faces in the files, by the frames (in order) that they name.

    Raises `InputError` if no file names a frame that is there, `Stopped`.
    """
    numbers = frame_numbers(frames)
    known: list[tuple[Path, int, Points, Points]] = []
    left_out = []
    for path in files:
        context.check_stop()
        try:
            known.append((path, *_placed(path, numbers)))
        except InputError as error:
            left_out.append(f"{path.name}: {error.message}")
    if not known:
        raise InputError(
            f"none of the {len(files)} faces says where it is in a frame that is there;"
            f" the first: {left_out[0]}",
            "run faceset-recover-names if they were renamed, or extract them again",
            code="no-faces",
        )
    paths, frame_numbers_of, found, current = zip(*known, strict=True)
    return FollowedFaces(
        paths, frame_numbers_of, np.array(found), np.array(current), tuple(left_out)
    )


def frame_numbers(frames: Sequence[Path]) -> dict[str, int]:
    """The place of each frame by its stem: frames that were converted have another suffix."""
    return {path.stem: number for number, path in enumerate(frames)}


def found_landmarks(data: FaceData) -> Points | None:
    """The landmarks in the frame as they were found; None where the file does not say. Raises
    `InputError` where what it says is no landmarks."""
    if FOUND_KEY not in data.other:
        return data.source_landmarks
    try:
        return checked_landmarks(data.other[FOUND_KEY])
    except (TypeError, ValueError) as error:
        raise InputError(
            f"its {FOUND_KEY} are no landmarks", "extract this face again", code="broken-data"
        ) from error


def is_smoothed(data: FaceData) -> bool:
    """Whether the face was cut by smoothed landmarks."""
    return FOUND_KEY in data.other


def with_found(data: FaceData, found_xy: Points) -> FaceData:
    """The face data with the landmarks as found; without them where its own are these."""
    others = {key: value for key, value in data.other.items() if key != FOUND_KEY}
    if data.source_landmarks is None or not np.array_equal(data.source_landmarks, found_xy):
        others[FOUND_KEY] = found_xy.tolist()
    return replace(data, other=others)


def _placed(path: Path, numbers: Mapping[str, int]) -> tuple[int, Points, Points]:
    """The number of the face's frame, and its landmarks there as found and as they are."""
    data = read_face_data(path)
    if data is None:
        raise InputError("it has no face metadata")
    found = found_landmarks(data)
    if found is None or data.source_landmarks is None or not data.source_filename:
        raise InputError("it does not say where it is in its frame")
    number = numbers.get(Path(data.source_filename).stem)
    if number is None:
        raise InputError(f"its frame {data.source_filename} is not there")
    return number, found, data.source_landmarks
