"""What is to be done, decided before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.frame_marks import marks_path, read_marks
from engine.protocol.stage import StageContext
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images
from engine.stages.faces_extract.chosen_frames import chosen_frames
from engine.stages.faces_extract.records import (
    CutSettings,
    DoneFrame,
    FindSettings,
    LineFile,
    done_file,
)

# DFL's defaults: a head at 512 would show the face itself at 300.
IMAGE_SIZE_PX, HEAD_SIZE_PX = 512, 768


@dataclass(frozen=True)
class Plan:
    """frames: all frames, in order. finished: frames of an earlier run that stay as they are.
    replaced: what goes to the trash first. fresh: nothing of an earlier run is used. twins: frames
    left out, as another has their stem. earlier: if single frames are extracted again, the face
    files of each (by the frame's name); None if it is all of them."""

    side: Side
    settings: CutSettings
    frames: tuple[Path, ...]
    finished: Mapping[str, DoneFrame]
    done: LineFile[DoneFrame]
    replaced: tuple[Path, ...]
    twins: tuple[Path, ...]
    fresh: bool
    earlier: Mapping[str, tuple[Path, ...]] | None = None

    @property
    def is_again(self) -> bool:
        return self.earlier is not None


def plan_extraction(context: StageContext) -> Plan:
    """Decide what is left to do. Touches no file.

    Raises `InputError` without frames, `ConfirmationNeeded` when faces would go to the trash
    without the user's word, `Stopped`.
    """
    side = context.workspace.side(context.options["side"])
    frames, twins = frames_of(side)
    settings = cut_settings(context.options)
    read_marks(marks_path(context.workspace, side.name))  # written at the end: refused before
    if context.options["frames"] != "all":
        return _plan_again(context, side, settings, frames, twins)
    done = done_file(context.workspace, side.name, settings)
    reason = _why_anew(side, frames, done, fresh=context.options["fresh"])
    if not reason:
        names = {path.name for path in frames}
        finished = {line.frame: line for line in done.lines if line.frame in names}
        return Plan(side, settings, frames, finished, done, (), twins, fresh=False)
    faces = _faces_in(side)
    if faces and not context.confirmed:
        raise ConfirmationNeeded(
            f"{side.aligned} holds {len(faces)} files of faces, and {reason}",
            "confirm (--yes) to move them to the workspace's trash and extract all frames, or keep"
            " the options of the last run to go on with it",
        )
    done.forget()
    old_debug = list_images(side.aligned_debug)
    replaced = (side.aligned, side.aligned_debug) if faces or old_debug else ()
    return Plan(side, settings, frames, {}, done, replaced, twins, fresh=context.options["fresh"])


def _plan_again(
    context: StageContext,
    side: Side,
    settings: CutSettings,
    frames: tuple[Path, ...],
    twins: tuple[Path, ...],
) -> Plan:
    """Some frames are extracted again, whatever was done with them before."""
    chosen = chosen_frames(context, side, frames)
    faces = sum(map(len, chosen.faces.values()))
    if faces and not context.confirmed:
        raise ConfirmationNeeded(
            f"{len(chosen.frames)} frames are to be extracted again, and {faces} files in"
            f" {side.aligned} are their faces",
            "confirm (--yes) to move these to the workspace's trash where others are found",
        )
    # The pictures of all others are there, or have just been deleted: as DFL, write them anew.
    with_debug = settings.with_debug or bool(list_images(side.aligned_debug))
    settings = msgspec.structs.replace(settings, with_debug=with_debug)
    done = done_file(context.workspace, side.name, settings, again=True)
    done.forget()
    fresh: bool = context.options["fresh"]
    return Plan(
        side, settings, chosen.frames, {}, done, (), twins, fresh=fresh, earlier=chosen.faces
    )


def cut_settings(options: Mapping[str, Any]) -> CutSettings:
    """The options' values as the frames' records know them."""
    auto_size_px = HEAD_SIZE_PX if options["face_type"] == "head" else IMAGE_SIZE_PX
    wanted_size, wanted_debug = options["image_size"], options["debug_images"]
    return CutSettings(
        find=FindSettings(
            detector=options["detector"],
            rotations=options["rotations"],
            detection_size_px=options["detection_size"],
            min_face_size_px=options["min_face_size"],
            min_score=options["min_score"],
            hog_upsample=options["hog_upsample"],
            cnn_upsample=options["cnn_upsample"],
            s3fd_min_score=options["s3fd_min_score"],
        ),
        face_type=options["face_type"],
        max_faces=options["max_faces"],
        image_size_px=auto_size_px if wanted_size == "auto" else int(wanted_size),
        jpeg_quality=options["jpeg_quality"],
        with_debug=options["side"] == "dst" if wanted_debug == "auto" else wanted_debug == "yes",
        interpolation=options["interpolation"],
        landmarks=options["landmarks"],
        second_pass=options["second_pass"],
        follow_faces=options["follow_faces"],
    )


def frames_of(side: Side) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The frames, and those left out because a frame before them has the same stem: their faces
    would have the same names."""
    by_stem: dict[str, Path] = {}
    twins = []
    for path in list_images(side.frames):
        if by_stem.setdefault(path.stem, path) is not path:
            twins.append(path)
    if not by_stem:
        raise InputError(
            f"no frames in {side.frames}",
            f"run video-extract --side {side.name} first, or put pictures there",
            code="no-frames",
        )
    return tuple(by_stem.values()), tuple(twins)


def _why_anew(side: Side, frames: Sequence[Path], done: LineFile[DoneFrame], *, fresh: bool) -> str:
    """Why an earlier run's faces cannot stay; "" if they can."""
    if fresh:
        return "all are to be made afresh"
    if not done.is_there:
        return "they were not made with these options"
    recorded = {line.frame: line.size_bytes for line in done.lines}
    # By size, not by date: a workspace that was copied is still the same.
    if any(path.stat().st_size != recorded.get(path.name, path.stat().st_size) for path in frames):
        return "the frames they were cut from have changed"
    if any(line.faces for line in done.lines) and not _faces_in(side):
        return "all of them were removed"
    return ""


def _faces_in(side: Side) -> list[Path]:
    packed = [side.pack] if side.pack.is_file() else []
    return list_images(side.aligned, FACE_SUFFIXES) + packed
