"""The stage `faceset-resize`: all faces of a side at another size or of another type."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engine.faces.face_file import encode_face_jpeg, read_face
from engine.faces.face_type import FaceType
from engine.faces.resize import resized_face
from engine.media.images import decode_face_bgr_u8
from engine.protocol.stage import StageContext
from engine.stages.beside import Beside, make_all, worker_count
from engine.stages.loose_faces import require_in_place_confirmed, swept_loose_faces
from engine.stages.remade_faces import remake_faces

FOLDER = "aligned_resized"
JPEG_QUALITY = 100  # what DFL writes; the picture was a JPEG before


def run(context: StageContext) -> None:
    """Resize a side's faces, going on where an earlier run stopped.

    Raises `InputError` for a packed faceset, when no face can be used or the disk is full;
    `ConfirmationNeeded` when pictures would be replaced; `Stopped` with all finished faces kept.
    """
    options = context.options
    side = context.workspace.side(options["side"])
    size_px, face_type = options["size"], options["face_type"]
    faces = swept_loose_faces(side)
    require_in_place_confirmed(context, faces)
    settings = {"size": size_px, "face_type": face_type}
    folder = side.frames / FOLDER
    beside = Beside(context, f"faceset-resize-{side.name}", side.aligned, folder, settings)
    resize = partial(resized_file, size_px=size_px, short_type=face_type)
    make_missing = partial(make_all, beside, make=resize, processes=worker_count(context))
    remake_faces(beside, faces, make_missing, "resized")


def resized_file(path: Path, *, size_px: int, short_type: str) -> bytes:
    """The resized face file's bytes; those of `path` itself if it is as wanted already.

    short_type: "same" or a face type's short name. Raises `InputError` for a file that is no face.
    """
    jpeg_bytes, data, _ = read_face(path)
    image = decode_face_bgr_u8(jpeg_bytes, path)
    wanted = data.face_type if short_type == "same" else FaceType.from_short(short_type)
    if image.shape[:2] == (size_px, size_px) and wanted is data.face_type:
        return jpeg_bytes
    resized, moved_data = resized_face(image, data, size_px, wanted)
    return encode_face_jpeg(resized, JPEG_QUALITY, moved_data)
