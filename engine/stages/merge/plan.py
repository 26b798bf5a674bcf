"""Which frames there are, with which faces; which of them must be rendered."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.faces.alignment import checked_landmarks, face_from_frame
from engine.faces.face_type import FaceType
from engine.faces.faceset import FaceEntry, open_faceset
from engine.merge.compose import FrameLooks
from engine.merge.face_nets import FaceNets
from engine.merge.motion import STILL, Motion, motions
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images

# Goes up when the same settings give other pictures; then frames are rendered again.
RENDERING_VERSION = 2
NAMED_AT_MOST = 5


@dataclass(frozen=True)
class FrameJob:
    """One frame, the landmarks, (68, 2) in its pixels, of the faces in it, and how they move."""

    path: Path
    landmarks: tuple[NDArray[np.float64], ...]
    motion: Motion = STILL

    @property
    def stem(self) -> str:
        return self.path.stem


@dataclass(frozen=True)
class RenderJob:
    """A frame and how it is to look. square_px: the side of raw-predict's squares."""

    frame: FrameJob
    looks: FrameLooks
    square_px: int

    @property
    def stem(self) -> str:
        return self.frame.stem


def collect_jobs(context: StageContext) -> list[FrameJob]:
    """All dst frames by name with their faces. Raises `InputError` when two frames would write the
    same file or when no frame has a face."""
    side = context.workspace.dst
    frames = _frames_by_stem(side)
    faces = _faces_by_stem(context, side)
    _warn_of_faces_without_frame(context, faces.keys() - frames.keys())
    if not frames.keys() & faces.keys():
        raise InputError(
            f"none of the {len(frames)} frames in {side.frames} has a face in {side.aligned}:"
            " there is nothing to merge",
            "run faces-extract --side dst first",
            code="no-faces",
        )
    return [FrameJob(path, tuple(faces.get(stem, ()))) for stem, path in frames.items()]


def with_motion(jobs: Sequence[FrameJob]) -> list[FrameJob]:
    """The jobs, which must be all frames in order, with their faces' motion."""
    found = motions([job.landmarks for job in jobs])
    return [replace(job, motion=motion) for job, motion in zip(jobs, found, strict=True)]


def job_key(job: RenderJob, nets: FaceNets) -> str:
    """Everything that a rendered frame depends on, as one short text. Raises `InputError` where a
    net that a look wants is not there, or the frame is gone."""
    frame, looks, predictor = job.frame, job.looks, nets.predictor
    facts: list[object] = [RENDERING_VERSION, frame.path.name, *_size_and_time(frame.path)]
    if frame.landmarks:
        facts += [look.key() for look in looks.faces]
        facts += [nets.fingerprint(looks.faces), predictor.resolution]
        facts += [predictor.face_type.dfl_name]
        facts += [points.tolist() for points in frame.landmarks]
    if any(look.motion_blur_power for look in looks.faces):
        facts += [frame.motion.power_px, frame.motion.angle_deg]
    if looks.is_raw_predict:
        facts.append(job.square_px)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Origin:
    """By which nets and looks the faces of a frame were made, as sha256 in hex, and by a model of
    which class and iteration; "" for a frame that has no faces, and so was not altered."""

    model: str = ""
    settings: str = ""
    faces: int = 0
    model_class: str = ""
    iteration: int | None = None


def origin_of(job: RenderJob, nets: FaceNets) -> Origin:
    """Raises `InputError` where a net that a look wants is not there."""
    if not job.frame.landmarks:
        return Origin()
    looks = [RENDERING_VERSION, *(look.key() for look in job.looks.faces)]
    nets_wanted = nets.fingerprint(job.looks.faces)
    return Origin(
        _sha256(nets_wanted),
        _sha256(json.dumps(looks)),
        len(job.frame.landmarks),
        nets.model_class,
        nets.predictor.iteration,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", "start merge again"
        ) from error
    return state.st_size, state.st_mtime_ns


def file_stamp(path: Path) -> tuple[int, int] | None:
    """What tells a file from one that replaces it: size and time; None if there is none."""
    try:
        return _size_and_time(path)
    except InputError:
        return None


def _frames_by_stem(side: Side) -> dict[str, Path]:
    frames: dict[str, Path] = {}
    for path in list_images(side.frames):
        _require_text(path)
        if path.stem in frames:
            raise InputError(
                f"{frames[path.stem].name} and {path.name} in {side.frames} would both be written"
                f" to merged/{path.stem}.png",
                "move one of the two sets of frames away",
                code="same-stem",
            )
        frames[path.stem] = path
    return frames


def _require_text(path: Path) -> None:
    # Neither the ledger nor the journal could name it; old archives hold such names.
    try:
        path.name.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the name of the frame {os.fsencode(path.name)!r} in {path.parent} is not UTF-8",
            "rename this file",
            code="bad-name",
        ) from error


def _faces_by_stem(
    context: StageContext, side: Side
) -> Mapping[str, Sequence[NDArray[np.float64]]]:
    """The landmarks of all usable faces by the stem of the frame they were found in."""
    faceset = open_faceset(side.aligned, context.check_stop)
    unusable = [f"{name} ({reason})" for name, reason in faceset.skipped]
    found: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for entry in faceset:
        try:
            found[_source_stem(entry)].append(_usable_landmarks(entry))
        except InputError as error:
            unusable.append(f"{entry.name} ({error.message})")
    if unusable:
        context.warn(
            f"{len(unusable)} files in {side.aligned} are no usable faces: {listed(unusable)}",
            "their frames are merged without them; extract these faces again",
        )
    return found


def _source_stem(entry: FaceEntry) -> str:
    name = entry.data.source_filename
    if not name:
        raise InputError("it does not say which frame it is from", "extract this face again")
    return Path(name).stem


def _usable_landmarks(entry: FaceEntry) -> NDArray[np.float64]:
    """The landmarks in the frame. Raises `InputError` if no crop can be placed by them."""
    if entry.data.source_landmarks is None:
        raise InputError("it has no landmarks in its frame", "extract this face again")
    landmarks = checked_landmarks(entry.data.source_landmarks)
    face_from_frame(landmarks, 256, FaceType.FULL)
    return landmarks


def _warn_of_faces_without_frame(context: StageContext, stems: Iterable[str]) -> None:
    missing = sorted(stems)
    if missing:
        context.warn(
            f"faces of {len(missing)} frames that are not in {context.workspace.dst.frames} are"
            f" left out: {listed(missing)}",
            "extract frames and faces of the same video",
        )


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return ", ".join(names[:NAMED_AT_MOST]) + more
