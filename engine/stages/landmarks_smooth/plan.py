"""Where the landmarks of a side's faces go: tracks, smoothed, as much as each frame's mark says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.face_tracks import FaceTrack, face_tracks
from engine.faces.smoothing import (
    Floats,
    Jitter,
    blended,
    jitter_by_frame,
    jitter_of,
    smooth_track,
)
from engine.media.shots import shots_of
from engine.protocol.frame_marks import KEEP, FrameMark, marks_path, read_marks
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side
from engine.stages.landmarks_smooth.faces import FollowedFaces


@dataclass(frozen=True, eq=False)
class TrackChange:
    """One face over its frames, before and after. shaking_before, shaking_after: by frame, see
    `jitter_by_frame`."""

    track: FaceTrack
    before: Jitter
    after: Jitter
    shaking_before: Floats
    shaking_after: Floats


@dataclass(frozen=True, eq=False)
class SmoothingPlan:
    """wanted_xy: (n, 68, 2), where the landmarks of `faces` go in their frames. tracks: the longest
    first."""

    faces: FollowedFaces
    wanted_xy: Floats
    tracks: tuple[TrackChange, ...]

    @property
    def changed(self) -> tuple[Path, ...]:
        """The files whose landmarks are elsewhere by now."""
        apart = (self.wanted_xy != self.faces.current_xy).any(axis=(1, 2))
        return tuple(path for path, moves in zip(self.faces.paths, apart, strict=True) if moves)

    def digest(self) -> str:
        """Changes with every landmark and name."""
        names = "\0".join(path.name for path in self.faces.paths)
        digest = hashlib.sha256(names.encode(errors="surrogateescape"))
        digest.update(np.ascontiguousarray(self.wanted_xy).tobytes())
        return digest.hexdigest()


def plan_smoothing(
    context: StageContext, side: Side, faces: FollowedFaces, frames: Sequence[Path]
) -> SmoothingPlan:
    """Smooth the landmarks as found. Raises `InputError` for marks that are unusable, `Stopped`."""
    cuts = shot_cuts(context, side, frames)
    strengths = frame_strengths(
        read_marks(marks_path(context.workspace, side.name)), frames, context.options["strength"]
    )
    wanted = faces.found_xy.copy()
    changes = []
    bridged: int = context.options["bridged_frames"]
    for track in face_tracks(faces.frames, faces.found_xy, cuts, bridged):
        context.check_stop()
        found = faces.found_xy[track.rows]
        smooth = smooth_track(track.frames, found)
        wanted[track.rows] = blended(found, smooth, strengths[track.frames])
        changes.append(_change(track, found, wanted[track.rows]))
    changes.sort(key=lambda change: -len(change.track.rows))
    return SmoothingPlan(faces, wanted, tuple(changes))


def frame_strengths(
    marks: Mapping[str, FrameMark], frames: Sequence[Path], strength: float
) -> NDArray[np.float64]:
    """How much each frame is smoothed, (frames,): the strength, or the part of it that its mark
    says; not at all where it says that the frame is kept."""
    strengths = np.full(len(frames), strength)
    for number, frame in enumerate(frames):
        mark = marks.get(frame.name, FrameMark())
        if KEEP in mark.reasons:
            strengths[number] = 0.0
        elif mark.strength is not None:
            strengths[number] *= mark.strength
    return strengths


def _change(track: FaceTrack, before_xy: Floats, after_xy: Floats) -> TrackChange:
    return TrackChange(
        track,
        jitter_of(track.frames, before_xy),
        jitter_of(track.frames, after_xy),
        jitter_by_frame(track.frames, before_xy),
        jitter_by_frame(track.frames, after_xy),
    )


def shot_cuts(context: StageContext, side: Side, frames: Sequence[Path]) -> list[int]:
    """The first frames of shots; the merge session looks for those of dst in the same file."""

    def told(looked_at: int) -> None:
        context.check_stop()
        context.progress(looked_at, len(frames), unit="frames", note="looking for cuts")

    return shots_of(frames, context.workspace.stage_state / f"shots-{side.name}.json", told)
