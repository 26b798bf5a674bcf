"""The findings of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.faces.coverage import (
    PITCH_STEP_DEG,
    POSE,
    YAW_STEP_DEG,
    count_cells,
    find_holes,
    needed_by_dst,
    uncovered,
)
from engine.faces.duplicates import find_duplicates
from engine.faces.identity import nearest, people_of
from engine.faces.landmark_doubts import crop_squares, jumps_pct, off_their_cuts, unlike_all_others
from engine.protocol.face_likeness import SAME_PERSON, SURELY_ANOTHER
from engine.protocol.faceset_report import (
    Coverage,
    DoubtfulLandmarks,
    Duplicates,
    Hole,
    NearlyIdentical,
    OtherFace,
    Overview,
    People,
    Sharpness,
    Spread,
)
from engine.stages.faceset_index.gather import SideFaces
from engine.stages.faceset_report.advice import HOLE_REMEDY

# Past 60 degrees the 68 landmarks are wrong by 9 % of the face.
MOST_YAW_DEG = 60.0
MOST_ROLL_DEG = 60.0  # aligned faces stand upright
# Faces of clips come to 0.06 with a wide open mouth, annotated profiles to 0.09.
MOST_MISFIT = 0.12
# Of the picture's side, beyond what is usual in the faceset; 0 for faces cut by their landmarks.
MOST_OFF_CUT = 0.05
# Clips of one person come to 0.06, a mouth that is wide open in few faces to 0.12; a jaw put aside
# by a sixth of its width to 0.16. Facesets of stills are more varied.
MOST_UNLIKE, MOST_UNLIKE_TIMES = 0.14, 6
# Of the median sharpness; the variance of edges falls this far with a blur of about 2 px.
BLURRED_SHARE = 0.15
SMALL_RECT_PX = 96  # a face detected smaller than this fills a 512 px picture with little detail


def overview(faces: SideFaces) -> Overview:
    """Counts, sizes, kinds."""
    rows = faces.rows
    sides = sorted(isqrt(row.rect_area_px) for row in rows if row.rect_area_px)
    return Overview(
        faces=len(rows),
        frames=len({row.source_filename for row in rows} - {""}),
        without_frame_name=sum(not row.source_filename for row in rows),
        with_applied_mask=sum(row.has_mask for row in rows),
        with_labels=sum(row.has_labels for row in rows),
        no_faces=faces.skipped,
        sizes_px=_counts(f"{row.width_px}x{row.height_px}" for row in rows),
        face_types=_counts(row.face_type for row in rows),
        rect_side_px=_spread(np.array(sides)) if sides else None,
        small_faces=[r.name for r in rows if 0 < r.rect_area_px < SMALL_RECT_PX**2],
        yaw_deg=_spread(np.degrees(faces.heads.yaw_rad)),
        pitch_deg=_spread(np.degrees(faces.heads.pitch_rad)),
        mouth_open=_spread(faces.numbers("mouth_open")),
        brightness=_spread(faces.numbers("brightness")),
    )


def sharpness(faces: SideFaces) -> Sharpness:
    """How sharp the faces are, and which are much less so than the others."""
    values = faces.numbers("sharpness")
    limit = BLURRED_SHARE * float(np.median(values))
    blurred = [int(row) for row in np.argsort(values, kind="stable") if values[row] < limit]
    return Sharpness(_spread(values), [faces.rows[row].name for row in blurred])


def duplicates(faces: SideFaces, checkpoint: Callable[[], None]) -> Duplicates:
    """Groups of nearly identical faces."""
    phashes = np.array([row.phash for row in faces.rows], np.int64)
    groups = find_duplicates(phashes, faces.thumbs_grey, faces.numbers("sharpness"), checkpoint)
    names = [row.name for row in faces.rows]
    return Duplicates(
        superfluous=sum(len(group.others) for group in groups),
        groups=[
            NearlyIdentical(names[group.kept], [names[row] for row in group.others])
            for group in groups
        ],
    )


def doubtful_landmarks(faces: SideFaces, checkpoint: Callable[[], None]) -> list[DoubtfulLandmarks]:
    """Faces whose landmarks are likely wrong, each with why."""
    heads = faces.heads
    corners = crop_squares(faces.landmarks_xy, [row.face_type for row in faces.rows], checkpoint)
    sizes_hw = np.array([(row.height_px, row.width_px) for row in faces.rows], np.float64)
    off = off_their_cuts(corners, sizes_hw)
    unlike = unlike_all_others(faces.landmarks_xy, corners, checkpoint)
    frames = [row.source_filename for row in faces.rows]
    jumps = jumps_pct(frames, faces.source_landmarks_xy, checkpoint)
    most_unlike = max(MOST_UNLIKE, MOST_UNLIKE_TIMES * float(np.median(unlike)))
    found = []
    for number, row in enumerate(faces.rows):
        yaw_deg = float(np.degrees(heads.yaw_rad[number]))
        roll_deg = float(np.degrees(heads.roll_rad[number]))
        if row.yaw_rad is None or heads.misfit[number] > MOST_MISFIT:
            why = "the landmarks form no head"
        elif abs(roll_deg) > MOST_ROLL_DEG:
            why = f"the face is turned by {abs(roll_deg):.0f}° in its picture"
        elif off[number] > MOST_OFF_CUT:
            percent = f"{100 * off[number]:.0f} %"
            why = f"its picture was not cut by these landmarks: they are off by {percent} of it"
        elif jumps[number]:
            percent = f"{jumps[number]:.0f} %"
            why = f"the landmarks jump, by {percent} of the eyes' distance, from the frames around"
        elif abs(yaw_deg) > MOST_YAW_DEG:
            why = f"a profile: turned {abs(yaw_deg):.0f}° aside, where landmarks are guesses"
        elif unlike[number] > most_unlike:
            why = "no other face of the faceset has landmarks like these"
        else:
            continue
        found.append(DoubtfulLandmarks(row.name, row.source_filename, why))
    return found


def people(
    faces: SideFaces,
    reference: str,
    doubtful: Sequence[DoubtfulLandmarks],
    checkpoint: Callable[[], None],
) -> People | None:
    """Who is there, and whose faces are not the wanted person's; None without identities. Doubtful
    faces are left out: who a face is is seen by its landmarks.

    Raises `UsageError` when the reference is no face of this side.
    """
    if faces.identities is None:
        return None
    wanted_row = faces.row_named(reference) if reference else None
    rows = _trusted(faces, doubtful, wanted_row)
    names = [faces.rows[row].name for row in rows]
    frames = [faces.rows[row].source_filename for row in rows]
    boxes = [faces.boxes[row] for row in rows]
    persons, means = people_of(frames, boxes, faces.identities[rows], checkpoint)
    wanted = 0 if wanted_row is None else int(persons[rows.index(wanted_row)])
    _, distances = nearest(means[persons == wanted].mean(axis=0), means)
    others = [
        OtherFace(names[row], int(persons[row]) + 1, round(distance, 3))
        for row, distance in enumerate(distances.tolist())
        if persons[row] != wanted and distance > SAME_PERSON
    ]
    return People(
        count=int(persons.max()) + 1,
        wanted=wanted + 1,
        faces_of={str(one + 1): int((persons == one).sum()) for one in range(persons.max() + 1)},
        others=[one for one in others if one.distance > SURELY_ANOTHER],
        perhaps_others=[one for one in others if one.distance <= SURELY_ANOTHER],
    )


def _trusted(
    faces: SideFaces, doubtful: Sequence[DoubtfulLandmarks], wanted_row: int | None
) -> list[int]:
    """The rows whose identities can be believed; all if they are none."""
    names = {one.file for one in doubtful}
    every = range(len(faces.rows))
    return [row for row in every if row == wanted_row or faces.rows[row].name not in names] or [
        *every
    ]


def coverage(src: SideFaces, dst: SideFaces) -> Coverage:
    """What dst shows and src does not, and the src faces that dst needs most."""
    holes = find_holes(src.looks, dst.looks)
    need = needed_by_dst(src.looks, dst.looks)
    most_needed = np.argsort(-need, kind="stable")[:100]
    return Coverage(
        dst_faces=len(dst.rows),
        dst_faces_covered=len(dst.rows) - sum(len(hole.faces) for hole in holes),
        pose_covered=int((~uncovered(src.looks, dst.looks, POSE)).sum()),
        yaw_step_deg=YAW_STEP_DEG,
        pitch_step_deg=PITCH_STEP_DEG,
        cells=count_cells(src.looks, dst.looks),
        holes=[
            Hole(
                looks=hole.words,
                place=hole.place,
                missing=hole.missing,
                do=HOLE_REMEDY[hole.missing],
                dst_faces=len(hole.faces),
                frames=sorted({dst.rows[row].source_filename for row in hole.faces} - {""}),
                files=[dst.rows[row].name for row in hole.faces],
            )
            for hole in holes
        ],
        most_needed_src_faces=[src.rows[row].name for row in most_needed if need[row] > 0],
        src_faces_not_needed=int((need == 0).sum()),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _spread(values: NDArray[Any]) -> Spread:
    percentiles = np.percentile(values, (0, 10, 50, 90, 100)).tolist()
    return Spread(*(round(value, 3) for value in percentiles))
