"""The sorting methods' functions; `engine.stages.faceset_sort.methods` is the table of them.

Each gets measured faces and gives a `Ranking`. Equal values keep the order the faces have.
"""

from __future__ import annotations

from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from engine.faces.sorting.best_faces import best_faces
from engine.faces.sorting.chains import histogram_chain, pixel_chain
from engine.faces.sorting.histograms import total_distances
from engine.faces.sorting.ranking import Checkpoint, Ranking, SortSettings, by_value, indices
from engine.faces.sorting.scores import MeasuredFaces

_NO_FACE = "it has no face metadata"
_NO_DETAIL = "it has no face metadata, or no sharp edge at all"


def by_sharpness(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """Sharpest first (CPBD inside the face's hull)."""
    return _sharpest_first(faces.column("sharpness"))


def by_motion_sharpness(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """Least motion blur first."""
    return _sharpest_first(faces.column("motion_sharpness"))


def by_yaw(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """From looking at the picture's left to looking at its right."""
    return _largest_first_with_data(faces.column("pitch_yaw_rad")[:, 1])


def by_pitch(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """From looking up to looking down."""
    return _largest_first_with_data(faces.column("pitch_yaw_rad")[:, 0])


def by_rect_area(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """Largest in the frame first."""
    return _largest_first_with_data(faces.column("rect_area_px"))


def by_histogram_chain(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """Each followed by the one of most alike colours, as one chain however many there are."""
    return Ranking(indices(histogram_chain(faces.column("bgr_histogram"), checkpoint)))


def by_unusual_histogram(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """Most unlike all others first."""
    return _all_by(total_distances(faces.column("masked_histogram"), checkpoint), descending=True)


def by_brightness(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """Brightest first."""
    return _all_by(faces.column("brightness"), descending=True)


def by_hue(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """By mean hue, from red over violet and green to yellow."""
    return _all_by(faces.column("hue"), descending=True)


def by_black(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """Most black pixels last: faces cut at the frame's edge."""
    return _all_by(faces.column("black_values"), descending=False)


def by_source_name(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """In the frames' order."""
    names = faces.source_names()
    order = sorted((row for row, name in enumerate(names) if name), key=lambda row: names[row])
    return Ranking(tuple(order), {row: _NO_FACE for row, name in enumerate(names) if not name})


def one_face_a_frame(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """Faces of frames with several faces go to the trash, going by names FRAME_NUMBER.jpg as
    extraction gives them; other names stay. Nothing is put in another order."""
    frames = [_frame_and_number(name) for name in faces.names]
    crowded = {frame for frame, number in frames if number > 0}
    trash = [row for row, (frame, _) in enumerate(frames) if frame in crowded]
    stay = sorted(set(range(len(faces))) - set(trash))
    return Ranking(tuple(stay), dict.fromkeys(trash, "its frame shows several faces"))


def by_pixel_chain(faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint) -> Ranking:
    """Each followed by the one whose pixels differ least, or most."""
    order = pixel_chain(faces.pixels(), similar=settings.similar, checkpoint=checkpoint)
    return Ranking(indices(order))


def best_by_sharpness(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """The best faces, of equal poses the sharpest."""
    return best_faces(faces, settings, checkpoint, quality="sharpness")


def best_by_rect_area(
    faces: MeasuredFaces, settings: SortSettings, checkpoint: Checkpoint
) -> Ranking:
    """The best faces, of equal poses the largest in the frame."""
    return best_faces(faces, settings, checkpoint, quality="rect_area_px")


def _sharpest_first(values: NDArray[np.float64]) -> Ranking:
    usable = np.isfinite(values) & (values != 0)
    return by_value(values, descending=True, usable=usable, reason=_NO_DETAIL)


def _largest_first_with_data(values: NDArray[np.float64]) -> Ranking:
    return by_value(values, descending=True, usable=np.isfinite(values), reason=_NO_FACE)


def _all_by(values: NDArray[np.float64], *, descending: bool) -> Ranking:
    usable = np.ones(len(values), np.bool_)
    return by_value(values, descending=descending, usable=usable, reason="")


def _frame_and_number(name: str) -> tuple[str, int]:
    """The frame in a face's name and which of its faces it is; without one, a name by itself."""
    frame, _, number = PurePath(name).stem.rpartition("_")
    if not frame or not (number.isascii() and number.isdecimal()):
        return name, 0
    return frame, int(number)
