"""The stage `faceset-png-to-jpg`: faces of DeepFaceLab 1.0 as face JPEGs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from engine.faces.alignment import face_from_frame, transform_points
from engine.faces.dfl_pickle import dfl_pickle
from engine.faces.face_data import FaceData, dict_from_data
from engine.faces.face_file import encode_face_jpeg, read_face_data
from engine.faces.face_type import FaceType
from engine.faces.png_face import png_face_data, read_png_bytes
from engine.media.images import decode_face_bgr_u8
from engine.protocol.errors import ConfirmationNeeded, InputError
from engine.protocol.files import sweep_parts, write_atomically
from engine.protocol.stage import StageContext
from engine.protocol.workspace import Side, list_images
from engine.stages.beside import NAMED_AT_MOST, worker_count

# DeepFaceLab 1.0 cut heads a third tighter: cut again as 2.0 does, their landmarks move by far more
# than this share of the side; those of a 2.0 head hardly move.
OTHER_CROP_SHARE = 0.02


@dataclass(frozen=True)
class Outcome:
    """What came of one PNG file. is_new: its JPEG was written now. has_old_crop: a head, cut as
    only 1.0 did. problem: why there is no JPEG of it, and what to do about that."""

    is_new: bool = False
    has_old_crop: bool = False
    problem: str = ""
    remedy: str = ""


@dataclass
class _Tally:
    converted: list[Path] = field(default_factory=list)
    new: int = 0
    old_heads: int = 0
    left_out: int = 0
    first_problem: str = ""


def run(context: StageContext) -> None:
    """Convert a side's face PNGs, going on where an earlier run stopped.

    Raises `InputError` when there are none, none is a face or the disk is full;
    `ConfirmationNeeded` when they are to be moved to the trash without the user's word; `Stopped`
    with all finished faces kept.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    pngs = _pngs_of(side)
    if options["trash_originals"] and not context.confirmed:
        raise ConfirmationNeeded(
            f"up to {len(pngs)} PNG files in {side.aligned} are to go to the workspace's trash",
            "confirm (--yes), or leave out --trash-originals",
        )
    sweep_parts(side.aligned)
    tally = _Tally()
    context.progress(0, len(pngs), unit="faces")
    convert = partial(converted_file, quality=options["jpeg_quality"])
    outcomes = context.map_in_processes(convert, pngs, processes=worker_count(context))
    for number, (png, outcome) in enumerate(zip(pngs, outcomes, strict=True), start=1):
        _count(context, tally, png, outcome)
        context.progress(number, len(pngs), unit="faces")
    _finish(context, side, tally)


def converted_file(png: Path, *, quality: int) -> Outcome:
    """Write the JPEG of a face PNG beside it, unless it is there. A file that is no face is told,
    not raised; raises `InputError` when the disk is full."""
    try:
        png_bytes = read_png_bytes(png)
        data = png_face_data(png_bytes)
        if data is None:
            return Outcome(problem="it has no face metadata", remedy="extract faces from its frame")
        is_there = _is_face_there(_jpg_of(png), data)
        if is_there and data.face_type is not FaceType.HEAD:
            return Outcome()
        image = decode_face_bgr_u8(png_bytes, png)
        has_old_crop = _has_old_crop(data, image.shape[0])
        jpeg_bytes = b"" if is_there else encode_face_jpeg(image, quality, data)
    except InputError as error:
        return Outcome(problem=error.message, remedy=error.remedy)
    if not is_there:
        write_atomically(_jpg_of(png), jpeg_bytes, durable=False)  # the PNG file stays, or is kept
    return Outcome(is_new=not is_there, has_old_crop=has_old_crop)


def _is_face_there(path: Path, data: FaceData) -> bool:
    """Whether the face's JPEG was written before. Raises `InputError` if another file is in its
    place."""
    if not path.exists():
        return False
    found = read_face_data(path)
    if found is None or _pickled(found) != _pickled(data):
        raise InputError(f"{path.name} is there already and is another face", "rename one of them")
    return True


def _pickled(data: FaceData) -> bytes:
    return dfl_pickle(dict_from_data(data))


def _has_old_crop(data: FaceData, size_px: int) -> bool:
    if data.face_type is not FaceType.HEAD:
        return False
    matrix = face_from_frame(data.landmarks, size_px, FaceType.HEAD)
    moved_px = np.abs(transform_points(data.landmarks, matrix) - data.landmarks).mean()
    return bool(moved_px > OTHER_CROP_SHARE * size_px)


def _pngs_of(side: Side) -> list[Path]:
    pngs = list_images(side.aligned, frozenset({".png"}))
    if not pngs:
        raise InputError(
            f"no PNG files in {side.aligned}",
            "put the faceset of DeepFaceLab 1.0 there; facesets of 2.0 are JPEG files already",
            code="no-faces",
        )
    return pngs


def _jpg_of(png: Path) -> Path:
    return png.with_suffix(".jpg")


def _count(context: StageContext, tally: _Tally, png: Path, outcome: Outcome) -> None:
    tally.new += outcome.is_new
    tally.old_heads += outcome.has_old_crop
    if not outcome.problem:
        tally.converted.append(png)
        return
    tally.left_out += 1
    tally.first_problem = tally.first_problem or f"{png.name}: {outcome.problem}"
    if tally.left_out <= NAMED_AT_MOST:
        context.warn(f"left out: {png.name}: {outcome.problem}", outcome.remedy)


def _finish(context: StageContext, side: Side, tally: _Tally) -> None:
    if not tally.converted:
        raise InputError(
            f"none of the {tally.left_out} PNG files in {side.aligned} is converted; the first:"
            f" {tally.first_problem}",
            "put faces of DeepFaceLab 1.0 there, or extract faces from the frames",
            code="no-faces",
        )
    if tally.old_heads:
        context.warn(
            f"{tally.old_heads} faces are heads as DeepFaceLab 1.0 cut them, closer than heads of"
            " today: models would see them too large",
            f"cut them to another type: faceset-resize --side {side.name} --face-type f",
        )
    if context.options["trash_originals"]:
        label = f"faceset-png-to-jpg-{side.name}"
        trash = context.workspace.move_to_trash(tally.converted, label)
        context.note(f"the PNG files are in {trash}")
    context.result(
        converted=tally.new,
        kept=len(tally.converted) - tally.new,
        left_out=tally.left_out,
        folder=str(side.aligned),
    )
