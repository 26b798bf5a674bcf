"""The stage `landmarks-check`: frames whose landmarks cannot be right are marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.detect.landmarks68 import DOUBTFUL_SPREAD
from engine.detect.tracks import SURE_ALONE
from engine.faces.face_tracks import face_tracks
from engine.faces.head_fit import fit_heads
from engine.faces.loose_faces import loose_faces
from engine.faces.smoothing import jumps_of
from engine.protocol.frame_marks import (
    KEEP,
    SUSPICIOUS,
    Marks,
    change_marks,
    frames_with,
    marks_path,
    read_marks,
    set_reason,
)
from engine.protocol.stage import StageContext
from engine.protocol.workspace import list_images
from engine.stages.faces_extract.records import CutFace, recorded_extraction
from engine.stages.faceset_report.findings import MOST_MISFIT, MOST_YAW_DEG
from engine.stages.landmarks_smooth.faces import FollowedFaces, read_faces
from engine.stages.landmarks_smooth.plan import shot_cuts

NAMED_AT_MOST = 20


class Doubt(NamedTuple):
    """Why a face's landmarks may be wrong. kind: for counting."""

    kind: str
    words: str


def run(context: StageContext) -> None:
    """Mark the side's suspicious frames.

    Raises `InputError` for a packed faceset, without frames, when no face can be used or the marks
    cannot be written; `Stopped` with no mark changed.
    """
    side = context.workspace.side(context.options["side"])
    path = marks_path(context.workspace, side.name)
    read_marks(path)  # written at the end: refused before
    frames = list_images(side.frames)
    faces = read_faces(context, loose_faces(side), frames)
    found: dict[str, list[Doubt]] = {}
    for doubts in (_jumps(faces, shot_cuts(context, side, frames)), _shapes(faces)):
        for row, doubt in doubts:
            found.setdefault(frames[faces.frames[row]].name, []).append(doubt)
    for name, doubt in _unsure(context, side.name, faces, frames):
        found.setdefault(name, []).append(doubt)
    notes = {name: "; ".join(doubt.words for doubt in found[name]) for name in sorted(found)}

    def mark(marks: Marks) -> Marks:
        kept = set(frames_with(marks, KEEP))
        doubted = {name: note for name, note in notes.items() if name not in kept}
        return set_reason(marks, SUSPICIOUS, doubted, among=[frame.name for frame in frames])

    after = change_marks(path, mark)
    _report(context, faces, found, len(frames_with(after, SUSPICIOUS)))


def _jumps(faces: FollowedFaces, cuts: Sequence[int]) -> Iterator[tuple[int, Doubt]]:
    for track in face_tracks(faces.frames, faces.current_xy, cuts):
        jumps_pct = jumps_of(track.frames, faces.current_xy[track.rows])
        for place in np.flatnonzero(jumps_pct):
            words = f"the landmarks jump by {jumps_pct[place]:.0f} % of the eyes' distance"
            yield int(track.rows[place]), Doubt("jumping", words)


def _shapes(faces: FollowedFaces) -> Iterator[tuple[int, Doubt]]:
    heads = fit_heads(faces.current_xy)
    for row in np.flatnonzero(heads.misfit > MOST_MISFIT):
        yield int(row), Doubt("no_head", f"no head has such landmarks ({heads.misfit[row]:.2f})")
    yaws_deg = abs(np.degrees(heads.yaw_rad))
    for row in np.flatnonzero((heads.misfit <= MOST_MISFIT) & (yaws_deg > MOST_YAW_DEG)):
        words = f"turned by {yaws_deg[row]:.0f} degrees: the landmarks are guesses"
        yield int(row), Doubt("profile", words)


def _unsure(
    context: StageContext, side_name: str, faces: FollowedFaces, frames: Sequence[Path]
) -> Iterator[tuple[str, Doubt]]:
    """What the extraction knew of faces that still have the names it gave them."""
    recorded = recorded_extraction(context.workspace, side_name)
    if recorded is None:
        return
    cut = {one.file: one for frame in recorded.frames.values() for one in frame.faces}
    for path, frame in zip(faces.paths, faces.frames, strict=True):
        one = cut.get(path.name)
        if one is not None:
            yield from ((frames[frame].name, doubt) for doubt in _doubts(one, recorded.detector))


def _doubts(face: CutFace, detector: str) -> Iterator[Doubt]:
    # Other detectors' scores have scales of their own.
    if detector == "mtcnn" and face.score < SURE_ALONE:
        yield Doubt("unsure", f"the detector was unsure of the face ({face.score:.2f})")
    if face.spread is not None and face.spread > DOUBTFUL_SPREAD:
        yield Doubt("unsure", f"looks at the face disagreed by {100 * face.spread:.0f} %")


def _report(
    context: StageContext, faces: FollowedFaces, found: dict[str, list[Doubt]], marked: int
) -> None:
    for name in sorted(found)[:NAMED_AT_MOST]:
        context.note(f"{name}: {'; '.join(doubt.words for doubt in found[name])}")
    if len(found) > NAMED_AT_MOST:
        context.note(f"and {len(found) - NAMED_AT_MOST} frames more: see the debug review")
    kinds = Counter(doubt.kind for doubts in found.values() for doubt in doubts)
    context.result(
        faces=len(faces.paths),
        suspicious_frames=marked,
        jumping=kinds["jumping"],
        no_head=kinds["no_head"],
        profile=kinds["profile"],
        unsure=kinds["unsure"],
        left_out=len(faces.left_out),
    )
