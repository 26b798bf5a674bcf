"""How faces are cut out: as asked for, or as those that are there."""

from __future__ import annotations

from dataclasses import dataclass

from engine.faces.face_file import read_face_data, read_jpeg
from engine.faces.face_type import FaceType
from engine.faces.jpeg_segments import read_head
from engine.protocol.errors import InputError
from engine.protocol.stage import StageContext
from engine.protocol.workspace import FACE_SUFFIXES, Side, list_images
from engine.stages.faces_extract.cut import face_type_of
from engine.stages.faces_extract.face_cut import Crop
from engine.stages.faces_extract.plan import HEAD_SIZE_PX, IMAGE_SIZE_PX


@dataclass(frozen=True)
class ManualSettings:
    """with_debug: pictures are written into aligned_debug, too."""

    crop: Crop
    jpeg_quality: int
    with_debug: bool


def manual_settings(context: StageContext, side: Side) -> ManualSettings:
    """The options' values; "auto" as the first face that is there has it, as DeepFaceLab's
    re-extraction does."""
    options = context.options
    there = _first_face(side)
    wanted_type, wanted_size = options["face_type"], options["image_size"]
    if wanted_type != "auto":
        face_type = face_type_of(wanted_type)
    else:
        face_type = there[0] if there else FaceType.WHOLE_FACE
    if wanted_size != "auto":
        size_px = int(wanted_size)
    elif there and there[0] is face_type:
        size_px = there[1]
    else:
        size_px = HEAD_SIZE_PX if face_type is FaceType.HEAD else IMAGE_SIZE_PX
    wanted_debug = options["debug_images"]
    # Where frames are chosen by what is missing there, it must come back when they are done.
    is_needed = options["frames"] == "deleted-debug"
    with_debug = is_needed or (
        side.name == "dst" if wanted_debug == "auto" else wanted_debug == "yes"
    )
    return ManualSettings(
        Crop(face_type, size_px, options["interpolation"]), options["jpeg_quality"], with_debug
    )


def _first_face(side: Side) -> tuple[FaceType, int] | None:
    """Type and size of the first file that is a face."""
    for path in list_images(side.aligned, FACE_SUFFIXES)[:8]:
        try:
            data, size_hw = read_face_data(path), read_head(read_jpeg(path)).size_hw
        except InputError:
            continue  # the next one may do
        if data is not None and size_hw is not None:
            return data.face_type, size_hw[0]
    return None
